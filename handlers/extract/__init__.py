"""From Spotify to the raw bucket: gzip JSON lines as Spotify served them, a manifest a run, state for the next."""
