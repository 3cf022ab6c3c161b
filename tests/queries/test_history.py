"""What changed over all reads: playlists, what is gone from Spotify, and when plays may have been lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cli.query_parameters import period, with_parameters
from tests.queries.lake import NAMED, Lake, moment, raw_key, run
from tests.queries.player import Player, exported

Rows = list[tuple[Any, ...]]


def asked(lake: Lake, name: str, **values: str) -> Rows:
    """Return the rows of a named query with the given parameters."""
    return lake.query(with_parameters(NAMED[name], values))


def entry(position: int, track: str, when: str = "2026-10-01 12:00") -> dict[str, Any]:
    """Return an entry of a playlist; without a track, what Spotify sends of one that is gone."""
    return {
        "position": position,
        "item_uri": f"spotify:track:{track}" if track else "",
        "track_id": track or None,
        "item_name": track.upper() or None,
        "artist_name": "Abba" if track else None,
        "added_at": moment(when),
        "is_available": bool(track),
    }


def read_playlist(lake: Lake, day: int, playlist: str, *entries: dict[str, Any], **more: Any) -> None:
    rows = [each | {"playlist_id": playlist} for each in entries]
    lake.read(run(day), "playlist_items", rows, unit=playlist, **more)


def tracks(*names: str) -> list[dict[str, Any]]:
    return [entry(position, name) for position, name in enumerate(names)]


def saved(*names: str) -> list[dict[str, Any]]:
    return [
        {"item_uri": f"spotify:track:{name}", "track_id": name, "added_at": moment("2026-10-01 12:00")}
        for name in names
    ]


def test_playlist_history_knows_when_each_item_was_first_and_last_there(lake: Lake) -> None:
    lake.read(run(1), "playlists", [{"playlist_id": "p", "name": "Old name"}, {"playlist_id": "q", "name": "Deleted"}])
    lake.read(run(9), "playlists", [{"playlist_id": "p", "name": "Mix"}])
    read_playlist(lake, 1, "p", *tracks("stays", "goes"))
    read_playlist(lake, 1, "q", *tracks("x"))
    read_playlist(lake, 3, "p", *tracks("comes", "stays", "back"))
    key = raw_key(run(3), "playlist_items", unit="p")
    lake.complete(run(4), "playlist_items", [key], 3, unit="p", read=f"read-of-{run(3)}", status="unchanged")
    read_playlist(lake, 5, "p", *tracks("comes", "stays"))
    read_playlist(lake, 7, "p", *tracks("stays", "back"))
    lake.repeat_every_row()

    def at(day: int) -> Any:
        return moment(f"2026-11-{day:02d} 07:00")

    added = moment("2026-10-01 12:00")
    assert lake.query(NAMED["playlist_history"]) == [
        ("ana", "Deleted", "X", "Abba", at(1), at(1), None, added, 0, "spotify:track:x", "q"),
        ("ana", "Mix", "STAYS", "Abba", at(1), at(7), None, added, 0, "spotify:track:stays", "p"),
        ("ana", "Mix", "BACK", "Abba", at(3), at(7), None, added, 1, "spotify:track:back", "p"),
        ("ana", "Mix", "COMES", "Abba", at(3), at(5), at(7), added, None, "spotify:track:comes", "p"),
        ("ana", "Mix", "GOES", "Abba", at(1), at(1), at(3), added, None, "spotify:track:goes", "p"),
    ]
    assert [row[2] for row in asked(lake, "playlist_history", playlist="MIX", on_date="2026-11-04")] == [
        "COMES",
        "STAYS",
        "BACK",
    ]
    assert [row[2] for row in asked(lake, "playlist_history", playlist="q")] == ["X"]
    assert asked(lake, "playlist_history", on_date="2026-10-31") == []


def test_gone_from_spotify_names_what_was_once_read_with_the_same_time(lake: Lake) -> None:
    lake.read(run(1), "playlists", [{"playlist_id": "p", "name": "Mix"}])
    early, late, never = "2026-10-01 12:00", "2026-10-02 12:00", "2026-10-03 12:00"
    read_playlist(lake, 1, "p", entry(0, "a", early), entry(1, "b", late), entry(2, "c", late), entry(3, "d", late))
    read_playlist(lake, 2, "p", entry(0, "", early), entry(1, "", late), entry(2, "c", late), entry(3, "", never))
    once = {"item_uri": "spotify:track:s", "track_name": "S", "artist_name": "Beck", "is_available": True}
    lake.read(run(1), "saved_tracks", [once | {"added_at": moment(late)}])
    lake.read(run(2), "saved_tracks", [{"added_at": moment(late), "item_uri": "", "is_available": False}])
    lake.repeat_every_row()

    assert lake.query(NAMED["gone_from_spotify"]) == [
        ("ana", "gone", "Mix", "A", "Abba", None, moment("2026-10-01 14:00"), 1, 1, "spotify:track:a", "p"),
        ("ana", "gone", "Mix", "B", "Abba", None, moment("2026-10-02 14:00"), 1, 2, "spotify:track:b", "p"),
        ("ana", "gone", "Mix", "D", "Abba", None, moment("2026-10-02 14:00"), 1, 2, "spotify:track:d", "p"),
        ("ana", "gone", "Mix", None, None, None, moment("2026-10-03 14:00"), 1, 0, None, "p"),
        ("ana", "gone", "saved tracks", "S", "Beck", None, moment("2026-10-02 14:00"), 1, 1, "spotify:track:s", ""),
    ]


def test_gone_from_spotify_has_what_is_not_playable(lake: Lake) -> None:
    lake.read(run(1), "playlists", [{"playlist_id": "p", "name": "Mix"}])
    read_playlist(lake, 1, "p", *tracks("yes", "no", "unknown"))
    key = raw_key(run(1), "playlist_items", unit="p")
    for number, (track, playable) in enumerate((("yes", True), ("no", False), ("unknown", None)), start=1):
        lake.entity("tracks", key, number, {"track_id": track, "is_playable": playable})

    assert [row[1:4] for row in lake.query(NAMED["gone_from_spotify"])] == [("not playable", "Mix", "NO")]


@pytest.fixture(name="polled")
def fixture_polled(lake: Lake, player: Player) -> Lake:
    """Return a lake with reads of the plays on 10 November, local time is an hour ahead."""
    for hour, plays in ((0, 50), (1, 49), (2, 50), (8, 1), (15, 2)):
        lake.manifest(run(10, hour, "hourly"), "recently_played", records=plays)
    lake.manifest(run(10, 20, "hourly"), "recently_played", status="failed")
    lake.manifest(run(10, 9, "hourly"), "recently_played", status="unchanged")
    lake.manifest(run(10, 23), "saved_tracks")
    player.export(exported("2026-11-10 07:00"), exported("2026-11-10 15:30"))
    return lake


@pytest.mark.slow
def test_coverage_has_the_spans_in_which_plays_may_be_lost(polled: Lake) -> None:
    def at(hour: int) -> Any:
        return moment(f"2026-11-10 {hour:02d}:00")

    eleven = moment("2026-11-11 00:00")
    assert polled.query(NAMED["coverage"]) == [
        ("ana", at(16), eleven, 8.0, None, "no read", False),
        ("ana", at(2), at(3), 1.0, 50, "50 new plays", False),
    ]
    assert [row[1:4] for row in asked(polled, "coverage", silent_hours="5")] == [
        (at(16), eleven, 8.0),
        (at(10), at(16), 6.0),
        (at(3), at(9), 6.0),
        (at(2), at(3), 1.0),
    ]


@pytest.mark.slow
def test_coverage_does_not_count_again_what_a_full_run_reads_again(lake: Lake) -> None:
    def read(hour: int, first: int, trigger: str) -> None:
        one = run(10, hour, trigger)
        plays = [
            {"played_at": moment("2026-11-09 00:00") + timedelta(minutes=each), "item_uri": f"spotify:track:{each}"}
            for each in range(first, first + 50)
        ]
        key = raw_key(one, "recently_played")
        for number, play in enumerate(plays, start=1):
            lake.line("recently_played", f"read-of-{one}", key, number, play)
        lake.complete(one, "recently_played", [key], len(plays))

    for hour, first, trigger in ((0, 0, "hourly"), (1, 1, "manual"), (2, 51, "manual"), (3, 51, "manual")):
        read(hour, first, trigger)
    lake.repeat_every_row()

    assert [(row[2], row[4]) for row in lake.query(NAMED["coverage"])] == [(moment("2026-11-10 03:00"), 50)]


@pytest.mark.slow
def test_coverage_knows_what_an_export_has(polled: Lake) -> None:
    assert [row[6] for row in asked(polled, "coverage", silent_hours="5")] == [False, True, False, False]
    assert [row[6] for row in asked(polled, "coverage", **period(from_="2026-11-11"))] == [False]
    assert asked(polled, "coverage", **period(to="2026-11-09")) == []


def test_top_recordings_counts_versions_with_one_isrc_as_one(lake: Lake, player: Player) -> None:
    key = lake.read(run(1), "saved_tracks", saved("single", "album", "other"))
    for number, (track, isrc) in enumerate((("single", "se1"), ("album", "SE1"), ("other", "SE2")), start=1):
        lake.entity("tracks", key, number, {"track_id": track, "isrc": isrc})
    player.export(
        exported("2019-05-01 12:00", "single", track_name="SOS"),
        exported("2019-05-02 12:00", "album", track_name="SOS (Remastered)"),
        exported("2019-05-03 12:00", "unknown"),
        exported("2019-05-04 12:00", "unknown"),
        exported("2019-05-05 12:00", "", track_name="sos", item_uri="", artist_name="ABBA"),
        exported("2020-05-05 12:00", "other", "Beck"),
    )

    abba = ("ana", 1, "sos", "ABBA", 3, 2, 9.0, moment("2019-05-05 14:00"), "SE1")
    assert lake.query(NAMED["top_recordings"]) == [
        abba,
        ("ana", 2, "UNKNOWN", "Abba", 2, 1, 6.0, moment("2019-05-04 14:00"), None),
        ("ana", 3, "OTHER", "Beck", 1, 1, 3.0, moment("2020-05-05 14:00"), "SE2"),
    ]
    assert [row[2] for row in asked(lake, "top_recordings", artist="beck")] == ["OTHER"]
    assert asked(lake, "top_recordings", **period("2019"), number="1") == [abba]
