"""Spotify as the extractor meets it: one paced client, its login, its quotas, and what goes wrong with them."""
