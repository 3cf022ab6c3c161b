"""`spotify-etl status`: whether the pipeline works, and what it needs."""
