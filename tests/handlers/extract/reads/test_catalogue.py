"""Entries of the setting `catalogueUris` that fail: the others are read."""

from __future__ import annotations

import pytest

from tests.handlers.extract.fake_spotify import Json, Reply, ScriptedReply
from tests.handlers.extract.stage import Stage

ARTIST, TRACK = "4Z8W4fKeB5YxbusRsdQVPb", "0VjIjW4GlUZAMYd2vXMi3b"
REFUSED = Reply(400, {"error": {"status": 400, "message": "Invalid limit"}})


@pytest.fixture(autouse=True)
def catalogue(stage: Stage) -> None:
    stage.enable("catalogue")
    stage.set_variable("CATALOGUE_URIS", f"spotify:artist:{ARTIST} spotify:track:{TRACK}")
    stage.spotify.things |= {
        f"artists/{ARTIST}": {"id": ARTIST, "uri": f"spotify:artist:{ARTIST}"},
        f"tracks/{TRACK}": {"id": TRACK, "uri": f"spotify:track:{TRACK}"},
    }
    stage.spotify.lists[f"artists/{ARTIST}/albums"] = [{"uri": f"spotify:album:{number}"} for number in range(12)]


def read(stage: Stage) -> dict[str, Json]:
    return {one["unit"]: one for one in stage.run("manual")["units"]}


def test_artist_is_one_read_with_the_albums(stage: Stage) -> None:
    rows = read(stage)
    assert {name: (row["status"], row["read_records"]) for name, row in rows.items()} == {
        ARTIST: ("complete", 13),
        TRACK: ("complete", 1),
    }


@pytest.mark.parametrize(
    ("path", "answer", "says"),
    [
        ("", REFUSED, f"Spotify has no spotify:artist:{ARTIST}: correct it in the setting catalogueUris"),
        ("", lambda _: {}, f"Spotify's response for spotify:artist:{ARTIST} has no URI"),
        # The entry itself is right.
        ("/albums", REFUSED, "Spotify rejects the request (HTTP 400)"),
    ],
    ids=["unknown", "empty", "albums refused"],
)
def test_entry_that_fails_says_why_and_keeps_no_other_from_being_read(
    stage: Stage, path: str, answer: ScriptedReply, says: str
) -> None:
    stage.spotify.fault(f"artists/{ARTIST}{path}", answer)
    rows = read(stage)
    assert (rows[ARTIST]["status"], rows[ARTIST]["reason"].startswith(says)) == ("failed", True)
    assert rows[TRACK]["status"] == "complete"
