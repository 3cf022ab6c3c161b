"""`spotify-etl local`: the cloud that stays on this machine."""
