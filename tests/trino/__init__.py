"""Trino, the engine that Athena is built on, over the embedded cloud: the same queries, the same results."""
