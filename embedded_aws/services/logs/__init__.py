"""CloudWatch Logs: the logs of services."""
