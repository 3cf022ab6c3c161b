"""What moto lacks, service by service."""
