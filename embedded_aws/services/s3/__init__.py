"""S3: authorization of requests, encryption and event notifications."""
