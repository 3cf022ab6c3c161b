"""S3: requests, encryption and event notifications as authorization sees them."""
