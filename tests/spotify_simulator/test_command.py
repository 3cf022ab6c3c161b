"""`python -m spotify_simulator` as a developer starts it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
import spotipy

from loopback.server import HOST
from spotify_simulator import Library
from tests.spotify_simulator.spotify_session import oauth
from tests.thoroughness import sampled

ROOT = Path(__file__).parents[2]
SECONDS = 60
"""More than any machine needs to start or stop it."""


@dataclass
class Printed:
    """What the command prints for its user."""

    api_url: str
    accounts_url: str
    client_id: str
    client_secret: str
    refresh_token: str
    curl: list[str]


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "spotify_simulator", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"COLUMNS": "120", "NO_COLOR": "1"},
    )


def lines_of(command: subprocess.Popen[str]) -> Iterator[str]:
    """What it prints before it waits."""
    assert command.stdout is not None
    for line in command.stdout:
        yield line.rstrip("\n")
        if line == "Press Ctrl-C to stop.\n":
            return


def printed(lines: list[str]) -> Printed:
    found = (re.fullmatch(r"(\w+(?: \w+)?)  +(\S+)", line) for line in lines)
    named = {match[1]: match[2] for match in found if match}
    (curl,) = [line.split() for line in lines if line.startswith("  curl ")]
    return Printed(
        named["API"],
        named["accounts"],
        named["client id"],
        named["client secret"],
        named["refresh token"],
        curl,
    )


@pytest.mark.parametrize("ending", sampled([signal.SIGINT, signal.SIGTERM]))
def test_the_real_spotipy_reads_what_it_serves_until_it_is_stopped(ending: signal.Signals) -> None:
    library = Library.seeded(
        7,
        start=datetime(2026, 3, 2, 4, 0, tzinfo=UTC),
        saved_tracks=60,
        playlists=3,
        plays_per_day=10,
        oddities=False,
    )
    sizes = ("--saved-tracks", "60", "--playlists", "3", "--plays-per-day", "10", "--no-oddities")
    with start("--port", "0", "--seed", "7", "--start", "2026-03-02T04:00:00", *sizes) as command:
        lines = list(lines_of(command))
        told = printed(lines)
        assert lines[0] == "A Spotify account with 60 saved tracks and 3 playlists; its time is 2026-03-02 04:00 UTC."
        with requests.Session() as session:
            auth = oauth(told, told.refresh_token)
            spotify = spotipy.Spotify(auth_manager=auth, requests_session=session, requests_timeout=SECONDS)
            spotify.prefix = told.api_url
            assert spotify.me()["display_name"] == library.profile.user.display_name
            saved = spotify.current_user_saved_tracks(limit=50)
            assert (saved["total"], len(saved["items"])) == (60, 50)
            assert [one["id"] for one in spotify.current_user_playlists()["items"]] == [
                one.playlist_id for one in library.playlists
            ]
            # By night, when the listener sleeps: however slow the machine, nothing is played meanwhile.
            played = spotify.current_user_recently_played(limit=1)["items"][0]
            assert played["track"]["id"] == library.recent_plays[0].track.track_id
            auth._session.close()
        os.kill(command.pid, ending)
        output, error = command.communicate(timeout=SECONDS)
    assert (command.returncode, output, error) == (0, "Stopped.\n", "")


@pytest.mark.slow
def test_the_curl_line_gets_an_access_token_in_the_shape_asked_for() -> None:
    with start("--port", "0", "--saved-tracks", "1", "--playlists", "1", "--shape", "extended") as command:
        told = printed(list(lines_of(command)))
        curl, user, credentials, *data, url = told.curl
        assert (curl, user) == ("curl", "-u")
        assert data[::2] == ["-d", "-d"]
        client_id, _, client_secret = credentials.partition(":")
        form = dict(field.split("=", 1) for field in data[1::2])
        answer = requests.post(url, data=form, auth=(client_id, client_secret), timeout=SECONDS).json()
        profile = requests.get(
            f"{told.api_url}me", headers={"Authorization": f"Bearer {answer['access_token']}"}, timeout=SECONDS
        ).json()
        assert "product" in profile
        os.kill(command.pid, signal.SIGINT)
        command.communicate(timeout=SECONDS)
    assert command.returncode == 0


@pytest.mark.slow
def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with start("--port", str(port), "--saved-tracks", "1", "--playlists", "1") as command:
            output, error = command.communicate(timeout=SECONDS)
    assert (command.returncode, output) == (1, "")
    assert error == f"Port {port} cannot be used (Address already in use): choose another with --port.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    sampled(
        [
            (["--plays-per-day", "900"], "plays_per_day is 900: a day has time for at most 240."),
            (["--start", "0001-01-01"], "--start must be between the years 2000 and 2099"),
        ]
    ),
)
def test_what_cannot_be_served_is_a_wrong_call(arguments: list[str], message: str) -> None:
    with start("--port", "0", *arguments) as command:
        output, error = command.communicate(timeout=SECONDS)
    assert (command.returncode, output) == (2, "")
    assert message in error
    assert "Traceback" not in error
