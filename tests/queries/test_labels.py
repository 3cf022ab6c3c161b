"""A person's own labels and exclusions in `listens` and the queries on it."""

from __future__ import annotations

import pytest

from tests.queries.lake import NAMED, Lake
from tests.queries.player import Player, exported, label

LABELS = "SELECT item_uri, label FROM listens ORDER BY item_uri"


@pytest.fixture(name="heard")
def fixture_heard(lake: Lake, player: Player) -> Lake:
    """Return a lake with plays of three tracks, an episode, and one track from a playlist."""
    player.export(
        exported("2026-09-01 12:00", "a", "Abba"),
        exported("2026-09-01 13:00", "b", "Beck"),
        exported("2026-09-01 14:00", "", "Abba", track_name="A", item_uri=""),
        exported("2026-09-02 12:00", "n", "News", item_uri="spotify:episode:n", item_type="episode"),
    )
    player.play("2026-10-01 12:00", "c", "Cher", context_uri="spotify:user:me:playlist:p")
    return lake


def test_labels_are_of_items_playlists_and_artists(heard: Lake) -> None:
    label(
        heard,
        1,
        {"subject": "abba", "label": "of the artist"},
        {"subject": "spotify:track:a", "label": "of the track"},
        {"subject": "spotify:playlist:p", "label": "of the playlist"},
        {"subject": "cher", "label": "of the artist"},
        {"subject": "news", "label": "talk"},
    )
    heard.repeat_every_row()

    assert heard.query(LABELS) == [
        ("", "of the track"),
        ("spotify:episode:n", "talk"),
        ("spotify:track:a", "of the track"),
        ("spotify:track:b", None),
        ("spotify:track:c", "of the playlist"),
    ]


def test_what_is_excluded_is_no_listen(heard: Lake) -> None:
    label(heard, 1, {"subject": "beck", "excluded": True}, account="bo")
    label(heard, 2, *({"subject": subject, "excluded": True} for subject in ("abba", "spotify:playlist:p", "news")))

    assert heard.query(LABELS) == [("spotify:track:b", None)]
    assert [row[2] for row in heard.query(NAMED["top_tracks_by_plays"]) if row[1] == "ever"] == [1]
    assert [row[2] for row in heard.query(NAMED["overview"]) if row[0] == "ana"] == [1]


def test_only_the_newest_import_counts(heard: Lake) -> None:
    label(heard, 1, {"subject": "abba", "label": "old"}, {"subject": "beck", "excluded": True})
    label(heard, 2, {"subject": "abba", "label": "new"})
    assert [row[1] for row in heard.query(LABELS)] == ["new", None, "new", None, None]

    label(heard, 3, {"subject": ""})
    assert {row[1] for row in heard.query(LABELS)} == {None}
    assert heard.query("SELECT subject FROM current_labels") == []


def test_listening_by_label_has_what_is_unlabelled_too(heard: Lake) -> None:
    label(heard, 1, {"subject": "abba", "label": "party"}, {"subject": "beck", "label": "party"})

    assert [row[:5] for row in heard.query(NAMED["listening_by_label"])] == [
        ("ana", "party", 3, 9.0, 60.0),
        ("ana", None, 2, 6.0, 40.0),
    ]
