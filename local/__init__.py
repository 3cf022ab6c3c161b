"""AWS and Spotify in one process on 127.0.0.1, for the demo, tests and development."""
