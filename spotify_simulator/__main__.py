"""`python -m spotify_simulator`: Spotify's Web API on this machine, until Ctrl-C."""

from __future__ import annotations

import sys

try:
    from spotify_simulator.command import app
except KeyboardInterrupt:
    sys.exit(130)

app(prog_name="python -m spotify_simulator")
