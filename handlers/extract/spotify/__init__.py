"""Spotify's Web API: one paced client, its login, its quotas and its errors."""
