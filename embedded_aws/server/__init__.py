"""AWS on this machine: moto behind a server that enforces IAM."""
