"""Writing to the raw bucket, shared by the extract function and `spotify-etl import-history`."""
