"""Translation of Athena's SQL into DuckDB's."""
