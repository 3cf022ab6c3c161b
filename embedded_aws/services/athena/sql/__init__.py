"""Athena's SQL as DuckDB's."""
