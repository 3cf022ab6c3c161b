"""How the simulator serves it: the Web API and the accounts service over HTTP, with their quotas and faults."""
