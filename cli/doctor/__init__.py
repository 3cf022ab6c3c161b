"""`spotify-etl doctor`: checks everything that the pipeline needs, and says what to do."""
