"""The Web API and the accounts service over HTTP, with quotas and faults."""
