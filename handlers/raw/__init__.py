"""How the raw bucket is written, by the extract function and by `spotify-etl import-history` alike."""
