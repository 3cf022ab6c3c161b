"""Reads Spotify into the raw bucket: gzip JSON lines as served, a manifest per run, and state for the next run."""
