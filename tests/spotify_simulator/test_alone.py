"""The simulator by itself: from the command line and as its README shows it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import spotipy

ROOT = Path(__file__).parents[2]


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "spotify_simulator", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_simulator_runs_alone_until_it_is_interrupted() -> None:
    with started("--port", "0", "--saved-tracks", "60", "--playlists", "5") as process:
        assert process.stdout
        lines = dict(re.split(r"  +", process.stdout.readline().strip(), maxsplit=1) for _ in range(5))
        oauth = spotipy.SpotifyOAuth(lines["Client id"], lines["Client secret"], "http://127.0.0.1:9/callback")
        oauth.OAUTH_TOKEN_URL = f"{lines['Accounts']}api/token"
        oauth.cache_handler = spotipy.MemoryCacheHandler()
        spotify = spotipy.Spotify(auth=oauth.refresh_access_token(lines["Refresh token"])["access_token"])
        spotify.prefix = lines["Web API"]
        assert spotify.current_user_saved_tracks(limit=50)["total"] >= 60
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")


def test_port_that_is_taken_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with started("--port", str(port), "--saved-tracks", "0", "--playlists", "0") as process:
            _, errors = process.communicate()
    assert process.returncode == 2
    assert f"{port} is in use: stop what uses it, or give another." in " ".join(errors.replace("│", " ").split())
    assert "Traceback" not in errors


def test_example_of_the_readme_runs() -> None:
    text = (ROOT / "spotify_simulator" / "README.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(code) == 1
    names: dict[str, Any] = {}
    exec(code[0], names)  # noqa: S102 - the README's own code
    assert len(names["saved"]["items"]) == 50
    assert names["simulator"].unmodelled == []
