"""The operator's command, `spotify-etl`."""
