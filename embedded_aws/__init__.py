"""AWS in one process on 127.0.0.1: moto, with what it lacks, behind a server that enforces IAM."""
