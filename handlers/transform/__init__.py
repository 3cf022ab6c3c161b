"""Raw objects into Parquet tables: every raw line becomes one row of its stream's table or one rejected record."""
