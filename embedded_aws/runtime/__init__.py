"""What plays the services through simulated time and carries messages between them."""
