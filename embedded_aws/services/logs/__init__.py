"""CloudWatch Logs: what the services write."""
