"""AWS services, as far as moto does not implement them."""
