"""`spotify-etl query`: questions to the tables, and their answers."""
