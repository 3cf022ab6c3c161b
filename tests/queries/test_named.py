"""The result of each named query, from a few rows with a known result."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tests.queries.lake import NAMED, Lake, moment, ran, raw_key, run
from tests.queries.player import PLAYS_RUN, Player, exported


def entries(playlist_id: str, *tracks: str, added_at: datetime | None = None) -> list[dict[str, Any]]:
    return [
        {
            "playlist_id": playlist_id,
            "position": position,
            "item_uri": f"spotify:track:{track}",
            "track_id": track,
            "item_name": track.upper(),
            "artist_name": "Abba",
            "added_at": added_at,
        }
        for position, track in enumerate(tracks)
    ]


def playlists(lake: Lake, day: int, *names: str) -> None:
    lake.read(run(day), "playlists", [{"playlist_id": name, "name": f"List {name}"} for name in names])


def items(lake: Lake, day: int, playlist_id: str, *tracks: str, **more: Any) -> str:
    return lake.read(
        run(day),
        "playlist_items",
        entries(playlist_id, *tracks, **more),
        unit=playlist_id,
    )


def saved(track: str, when: str = "2026-10-01") -> dict[str, Any]:
    return {
        "item_uri": f"spotify:track:{track}",
        "track_id": track,
        "track_name": track.upper(),
        "artist_name": "Abba",
        "added_at": moment(when),
    }


def test_top_artists_counts_four_weeks_back_from_the_newest_run(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    player.play("2026-11-01 05:59:59", "old", "Too long ago")
    player.play("2026-11-01 06:00:00", "x", "Abba")
    player.play("2026-11-20 06:00:00", "y", "Abba")
    player.play("2026-11-20 07:00:00", "y", "Abba")
    player.play("2026-11-21 07:00:00", "z", "Beck")
    player.play("2026-11-21 08:00:00", "z", None)
    player.play("2026-11-21 09:00:00", "z", "")

    assert lake.query(NAMED["top_artists"]) == [
        ("ana", 1, "Abba", 3, 2, 9.0, moment("2026-11-20 08:00:00")),
        ("ana", 2, "Beck", 1, 1, 3.0, moment("2026-11-21 08:00:00")),
    ]


def test_top_artists_ranks_each_account_separately(lake: Lake, player: Player) -> None:
    for account in ("ana", "bo"):
        lake.manifest(run(2), "recently_played", account=account, attempt=int(account == "bo"))
        player.play("2026-11-01 07:00:00", "x", f"Hero of {account}", account)

    assert [row[:3] for row in lake.query(NAMED["top_artists"])] == [("ana", 1, "Hero of ana"), ("bo", 1, "Hero of bo")]


def test_listening_by_hour_and_weekday_is_in_local_time(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    player.play("2026-08-01 12:00:00", "more than twelve weeks ago")
    player.play("2026-11-01 23:30:00", "x")
    player.play("2026-11-08 23:40:00", "x")
    player.play("2026-11-02 22:59:00", "x")

    assert lake.query(NAMED["listening_by_hour_and_weekday"]) == [("ana", 1, 0, 2, 2), ("ana", 1, 23, 1, 1)]


def test_listening_by_day_is_in_local_days(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    player.play("2026-10-01 12:00:00", "more than four weeks ago")
    player.play("2026-11-03 22:30:00", "x")
    player.play("2026-11-03 23:30:00", "x", ms_played=90_000)
    player.play("2026-11-04 12:00:00", "y")
    player.play("2026-11-04 13:00:00", "y")

    assert lake.query(NAMED["listening_by_day"]) == [
        ("ana", date(2026, 11, 3), 1, 1, 3.0),
        ("ana", date(2026, 11, 4), 3, 2, 7.5),
    ]


def test_top_artists_counts_tracks_without_a_uri_by_their_titles(lake: Lake, player: Player) -> None:
    nameless = [exported(f"2026-10-20 12:0{n}", name, item_uri="") for n, name in enumerate(("a", "b", "b", "c"))]
    player.export(*nameless, exported("2026-10-20 13:00", "c", ms_played=60_000))

    assert lake.query(NAMED["top_artists"]) == [("ana", 1, "Abba", 5, 3, 13.0, moment("2026-10-20 15:00"))]


def test_listening_by_day_has_the_whole_first_day(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    for when in ("2026-10-31 22:59", "2026-10-31 23:00", "2026-11-01 22:59"):
        player.play(when, "x")

    assert lake.query(NAMED["listening_by_day"]) == [("ana", date(2026, 11, 1), 2, 1, 6.0)]


def test_playlist_changes_compares_the_last_two_complete_reads(lake: Lake) -> None:
    playlists(lake, 1, "a", "b", "c")
    items(lake, 1, "a", "oldest")
    items(lake, 1, "b", "only read")
    items(lake, 2, "a", "stays", "goes", "twice", "twice")
    items(lake, 2, "c", "x", "y")
    key = items(lake, 3, "a", "comes", "stays", "twice")
    items(lake, 3, "c")
    # Neither an unchanged read nor one that has not arrived counts as another read.
    lake.complete(run(4), "playlist_items", [key], 3, unit="a", read=f"read-of-{run(3)}", status="unchanged")
    lake.complete(run(5), "playlist_items", [raw_key(run(5), "playlist_items", unit="a")], 1, unit="a")
    lake.repeat_every_row()

    assert lake.query(NAMED["playlist_changes"]) == [
        ("ana", "List a", "a", "came", "COMES", "Abba", "spotify:track:comes", 1),
        ("ana", "List a", "a", "left", "GOES", "Abba", "spotify:track:goes", 1),
        ("ana", "List a", "a", "left", "TWICE", "Abba", "spotify:track:twice", 1),
        ("ana", "List c", "c", "left", "X", "Abba", "spotify:track:x", 1),
        ("ana", "List c", "c", "left", "Y", "Abba", "spotify:track:y", 1),
    ]


def test_playlist_changes_compares_reads_in_the_order_in_which_they_were_read(lake: Lake) -> None:
    playlists(lake, 1, "a")
    items(lake, 3, "a", "stays", "goes")
    late = ran(3, "09:00", "09:01")
    lake.read(run(2), "playlist_items", entries("a", "stays", "comes"), unit="a", **late)

    changes = lake.query(NAMED["playlist_changes"])
    assert [(row[3], row[6]) for row in changes] == [("came", "spotify:track:comes"), ("left", "spotify:track:goes")]


def test_saved_albums_never_played_knows_plays_by_id_and_by_title(lake: Lake, player: Player) -> None:
    lake.read(
        run(1),
        "saved_albums",
        [
            {"album_id": album, "album_name": name, "artist_name": "Abba", "added_at": moment(f"2026-10-0{day} 12:00")}
            for day, (album, name) in enumerate(
                [("by id", "Arrival"), ("by title", "Waterloo"), ("unheard", "Voyage"), ("gone", "")], start=1
            )
        ],
    )
    player.play("2026-11-01 12:00:00", "t", album_name="Arrival (Deluxe)")
    player.play("2026-11-01 13:00:00", "u", album_name="waterloo")
    player.play("2026-11-01 14:00:00", "v", album_name="Voyage", artist="Another")
    player.play("2026-11-01 15:00:00", "w", album_name="")
    lake.entity("tracks", raw_key(PLAYS_RUN, "recently_played", part=1), 1, {"track_id": "t", "album_id": "by id"})
    lake.entity(
        "albums",
        raw_key(run(1), "saved_albums"),
        3,
        {"album_id": "unheard", "total_tracks": 10, "release_year": 2021},
    )

    assert lake.query(NAMED["saved_albums_never_played"]) == [
        ("ana", "Voyage", "Abba", moment("2026-10-03 14:00"), 10, 2021, "unheard"),
        ("ana", "", "Abba", moment("2026-10-04 14:00"), None, None, "gone"),
    ]


def test_saved_tracks_not_played_lately_begins_with_those_never_heard(lake: Lake, player: Player) -> None:
    lake.read(run(29), "saved_tracks", [saved(track) for track in ("lately", "long", "longer", "never")])
    lake.manifest(run(29), "recently_played")
    player.play("2026-11-02 12:00:00", "lately")
    player.play("2026-10-20 12:00:00", "long")
    player.play("2026-10-10 12:00:00", "longer")

    assert [(*row[:3], row[5]) for row in lake.query(NAMED["saved_tracks_not_played_lately"])] == [
        ("ana", 1, "NEVER", None),
        ("ana", 2, "LONGER", moment("2026-10-10 14:00")),
        ("ana", 3, "LONG", moment("2026-10-20 14:00")),
    ]


def test_saved_tracks_not_played_lately_knows_plays_by_artist_and_title(lake: Lake, player: Player) -> None:
    lake.read(run(29), "saved_tracks", [saved(track) for track in ("lately", "relinked", "never")])
    lake.manifest(run(29), "recently_played")
    player.export(
        exported("2026-11-02 12:00", "lately", "ABBA", item_uri="", source="account_data"),
        exported("2026-11-02 13:00", "relinked", item_uri="spotify:track:another"),
        exported("2026-11-02 14:00", "never", "Beck", item_uri="spotify:track:of beck"),
    )

    assert [row[2] for row in lake.query(NAMED["saved_tracks_not_played_lately"])] == ["NEVER"]


def test_saved_albums_never_played_knows_plays_without_an_album_by_their_track(lake: Lake, player: Player) -> None:
    key = lake.read(
        run(1),
        "saved_albums",
        [
            {"album_id": name, "album_name": name, "artist_name": "Abba", "added_at": moment("2026-10-01")}
            for name in ("Arrival", "Voyage")
        ],
    )
    for number, (track, album) in enumerate((("a", "Arrival"), ("v", "Voyage"), ("w", "Voyage")), start=1):
        lake.entity("tracks", key, number, {"track_id": track, "name": track.upper(), "album_id": album})
    player.export(
        exported("2026-10-20 12:00", "a", item_uri="", track_id=None, source="account_data"),
        exported("2026-10-20 13:00", "v", track_id=None, album_name="Greatest Hits"),
        exported("2026-10-20 14:00", "w", "Beck", track_id=None),
    )

    assert [row[1] for row in lake.query(NAMED["saved_albums_never_played"])] == ["Voyage"]


def test_saved_tracks_not_played_lately_distinguishes_slashes_in_names(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    tracks = [saved("one") | {"artist_name": "A / B", "track_name": "C"}]
    lake.read(run(29), "saved_tracks", [*tracks, saved("two") | {"artist_name": "D", "track_name": "E / F"}])
    player.export(
        exported("2026-11-02 12:00", "x", "A", track_name="B / C"),
        exported("2026-11-02 13:00", "y", "d", track_name="e / f"),
    )

    assert [row[2] for row in lake.query(NAMED["saved_tracks_not_played_lately"])] == ["C"]


def test_saved_albums_never_played_distinguishes_slashes_in_names(lake: Lake, player: Player) -> None:
    albums = [("A / B", "C"), ("D", "E / F"), ("G / H", "I"), ("J/K", "L")]
    key = lake.read(
        run(1),
        "saved_albums",
        [{"album_id": name, "album_name": name, "artist_name": artist} for artist, name in albums],
    )
    for number, (track, album) in enumerate((("Song", "I"), ("Tune", "L")), start=1):
        lake.entity("tracks", key, number, {"track_id": track, "name": track, "album_id": album})
    player.export(
        exported("2026-10-20 12:00", "a", "A", album_name="B / C"),
        exported("2026-10-20 13:00", "b", "D", album_name="E / F"),
        exported("2026-10-20 14:00", "c", "G", track_name="H / Song"),
        exported("2026-10-20 15:00", "d", "J/K", track_name="Tune"),
    )

    assert {row[1] for row in lake.query(NAMED["saved_albums_never_played"])} == {"C", "I"}


def test_artists_first_heard_has_the_first_play_of_each(lake: Lake, player: Player) -> None:
    player.play("2026-11-02 12:00:00", "second", "Abba")
    player.play("2026-11-01 12:00:00", "first", "Abba")
    player.play("2026-11-03 12:00:00", "newcomer", "Beck")
    player.play("2026-11-04 12:00:00", "nameless", None)

    assert lake.query(NAMED["artists_first_heard"]) == [
        ("ana", "Beck", moment("2026-11-03 13:00"), "NEWCOMER", 1),
        ("ana", "Abba", moment("2026-11-01 13:00"), "FIRST", 2),
    ]


def test_longest_streaks_counts_local_days_in_a_row(lake: Lake, player: Player) -> None:
    for when in ("10-30 12:00", "10-31 12:00", "10-31 23:30", "11-02 12:00", "11-02 13:00", "11-05 12:00"):
        player.play(f"2026-{when}", "x")

    assert lake.query(NAMED["longest_streaks"]) == [
        ("ana", 1, 4, date(2026, 10, 30), date(2026, 11, 2), 5),
        ("ana", 2, 1, date(2026, 11, 5), date(2026, 11, 5), 1),
    ]


def test_library_by_decade_counts_saved_tracks_by_release(lake: Lake) -> None:
    key = lake.read(run(1), "saved_tracks", [saved(track) for track in "abcd"])
    for number, (track, year) in enumerate([("a", 1979), ("b", 1970), ("c", 1980), ("d", None)], start=1):
        lake.entity("tracks", key, number, {"track_id": track, "album_id": f"album of {track}"})
        lake.entity("albums", key, number, {"album_id": f"album of {track}", "release_year": year})

    assert lake.query(NAMED["library_by_decade"]) == [
        ("ana", 1970, 2, 1, 50.0),
        ("ana", 1980, 1, 1, 25.0),
        ("ana", None, 1, 1, 25.0),
    ]


def test_new_this_month_begins_with_the_local_month_of_the_newest_run(lake: Lake) -> None:
    playlists(lake, 2, "a")
    items(lake, 2, "a", "entry", added_at=moment("2026-11-01 12:00"))
    lake.read(run(2), "saved_tracks", [saved("new", "2026-10-31 23:00"), saved("old", "2026-10-31 22:59")])
    lake.read(
        run(2),
        "saved_albums",
        [{"album_id": "x", "album_name": "Voyage", "uri": "u", "added_at": moment("2026-11-02 12:00")}],
    )

    assert lake.query(NAMED["new_this_month"]) == [
        ("ana", "saved album", moment("2026-11-02 13:00"), "Voyage", None, None, "u"),
        ("ana", "playlist entry", moment("2026-11-01 13:00"), "ENTRY", "Abba", "List a", "spotify:track:entry"),
        ("ana", "saved track", moment("2026-11-01 00:00"), "NEW", "Abba", None, "spotify:track:new"),
    ]


def test_most_returned_to_tracks_counts_days_not_plays(lake: Lake, player: Player) -> None:
    for when in ("11-01 12:00", "11-01 13:00", "11-01 14:00", "11-01 15:00"):
        player.play(f"2026-{when}", "one day")
    for when in ("11-01 12:00", "11-03 12:00", "11-03 13:00"):
        player.play(f"2026-{when}", "two days")
    for when in ("11-01 12:00", "11-02 12:00", "11-04 12:00"):
        player.play(f"2026-{when}", "three days")

    assert lake.query(NAMED["most_returned_to_tracks"]) == [
        ("ana", 1, "THREE DAYS", "Abba", 3, 3, date(2026, 11, 1), date(2026, 11, 4), "spotify:track:three days"),
        ("ana", 2, "TWO DAYS", "Abba", 2, 3, date(2026, 11, 1), date(2026, 11, 3), "spotify:track:two days"),
    ]


def test_freshness_is_the_view_with_hours_rounded(lake: Lake) -> None:
    lake.manifest(run(1), "profile")
    lake.manifest(run(2), "profile", status="failed", reason="http_500")

    ((account, stream, good_at, age, *last),) = lake.query(NAMED["freshness"])

    assert (account, stream, good_at) == ("ana", "profile", moment("2026-11-01 06:01"))
    assert age == round(age, 1)
    assert last == [run(2), "failed", "http_500", None]


def test_rejected_records_by_reason_shows_the_newest_of_each(lake: Lake) -> None:
    first, second = raw_key(run(1), "saved_albums"), raw_key(run(2), "saved_albums")
    for number in (1, 2):
        lake.reject("saved_albums", "r", first, number, "not_json")
    lake.reject("saved_albums", "r", second, 7, "not_json")
    lake.reject("saved_albums", "r", first, 3, "wrong_type")
    lake.repeat_every_row()

    assert lake.query(NAMED["rejected_records_by_reason"]) == [
        ("ana", "saved_albums", "not_json", 3, moment("2026-11-02 06:00"), "not_json at 7", second),
        ("ana", "saved_albums", "wrong_type", 1, moment("2026-11-01 06:00"), "wrong_type at 3", first),
    ]


def test_playlist_overlap_counts_each_shared_entry_once(lake: Lake) -> None:
    playlists(lake, 1, "a", "b", "c")
    items(lake, 1, "a", "x", "y", "y", "z", "w")
    items(lake, 1, "b", "y", "y", "x")
    items(lake, 1, "c", "z", "other")

    assert lake.query(NAMED["playlist_overlap"]) == [
        ("ana", 1, "List a", "List b", 2, 100.0, "a", "b"),
        ("ana", 2, "List a", "List c", 1, 50.0, "a", "c"),
    ]


def test_duplicates_in_playlists_knows_a_recording_by_its_isrc(lake: Lake) -> None:
    playlists(lake, 1, "a", "b")
    key = items(lake, 1, "a", "x", "y", "release", "x", "single")
    items(lake, 1, "b", "x", "y")
    for number, track in ((3, "release"), (5, "single")):
        lake.entity("tracks", key, number, {"track_id": track, "isrc": "SE1"})

    assert lake.query(NAMED["duplicates_in_playlists"]) == [
        ("ana", "List a", "X", "Abba", 2, 1, 0, 3, "a"),
        ("ana", "List a", "RELEASE", "Abba", 2, 2, 2, 4, "a"),
    ]


def test_requests_by_stream_sums_the_last_seven_days(lake: Lake) -> None:
    lake.manifest(run(1), "playlists", requests=100)
    lake.manifest(run(2), "playlists", requests=5, records=7, objects=1)
    lake.manifest(run(8), "playlists", requests=6, records=8, objects=1, status="failed")
    lake.manifest(run(8), "profile", requests=1)
    lake.manifest(run(8, 7), "profile", account=None, status="failed")

    assert lake.query(NAMED["requests_by_stream"]) == [
        ("ana", "playlists", 2, 11, 15, 2, 1),
        ("ana", "profile", 1, 1, 0, 0, 0),
    ]


def top(time_range: str, *tracks: str) -> list[dict[str, Any]]:
    return [
        {
            "time_range": time_range,
            "rank": rank,
            "item_uri": f"spotify:track:{track}",
            "track_name": track.upper(),
            "artist_name": "Abba",
        }
        for rank, track in enumerate(tracks, start=1)
    ]


def test_top_tracks_over_time_compares_each_read_with_the_one_before(lake: Lake) -> None:
    lake.read(run(1), "top_tracks", top("short_term", "too", "old"))
    first = lake.read(run(28), "top_tracks", top("short_term", "a", "b") + top("long_term", "b"))
    # An unchanged read does not count as another read.
    lake.complete(run(29), "top_tracks", [first], 3, read=f"read-of-{run(28)}", status="unchanged")
    lake.read(run(30), "top_tracks", top("short_term", "b", "c", "b") + top("long_term", "b"))
    lake.repeat_every_row()

    rows = lake.query(NAMED["top_tracks_over_time"])
    assert [(row[1].day, *row[2:7]) for row in rows] == [
        (30, "long_term", 1, 1, 0, "B"),
        (30, "short_term", 1, 2, 1, "B"),
        (30, "short_term", 2, None, None, "C"),
        (28, "long_term", 1, None, None, "B"),
        (28, "short_term", 1, None, None, "A"),
        (28, "short_term", 2, None, None, "B"),
    ]
    assert rows[1] == (
        "ana",
        moment("2026-11-30 06:00"),
        "short_term",
        1,
        2,
        1,
        "B",
        "Abba",
        "spotify:track:b",
    )


def test_top_tracks_over_time_knows_no_rank_from_before_a_gap(lake: Lake) -> None:
    for day, tracks in enumerate((("a", "b"), ("b",), ("b", "a")), start=1):
        lake.read(run(day), "top_tracks", top("short_term", *tracks))
    lake.read(run(3), "top_tracks", top("short_term", "a"), account="bo")

    assert [(row[0], row[1].day, row[3], row[4], row[6]) for row in lake.query(NAMED["top_tracks_over_time"])][:3] == [
        ("ana", 3, 1, 1, "B"),
        ("ana", 3, 2, None, "A"),
        ("ana", 2, 1, 2, "B"),
    ]


def test_followed_artists_not_heard_knows_plays_by_id_and_by_name(lake: Lake, player: Player) -> None:
    names = ["Never", "Lately", "Long", "Guest", "exported"]
    lake.read(run(29), "followed_artists", [{"artist_id": name, "artist_name": name} for name in names])
    lake.manifest(run(29), "recently_played")
    player.play("2026-11-02 12:00:00", "t", "Lately")
    player.play("2026-08-01 12:00:00", "t", "LONG")
    player.play("2026-11-02 13:00:00", "u", "Somebody")
    player.play("2026-11-02 14:00:00", "v", "Exported")
    player.play("2026-11-02 15:00:00", "w", None)
    player.play("2026-11-02 16:00:00", "t", "Never", "bo")
    key = raw_key(PLAYS_RUN, "recently_played", part=3)
    lake.entity("track_artists", key, 1, {"track_id": "u", "position": 1, "artist_id": "Guest"})

    assert lake.query(NAMED["followed_artists_not_heard"]) == [
        ("ana", 1, "Never", None, "Never"),
        ("ana", 2, "Long", moment("2026-08-01 14:00"), "Long"),
    ]


def test_new_releases_are_those_of_the_artists_in_the_catalogue(lake: Lake) -> None:
    def release(requested: str, name: str, released_on: date | None, item_type: str = "album") -> dict[str, Any]:
        return {
            "requested_uri": requested,
            "item_uri": f"spotify:album:{name}",
            "item_type": item_type,
            "name": name,
            "artist_name": "Abba",
            "album_type": "album",
            "released_on": released_on,
            "total_tracks": 9,
        }

    new = [release("spotify:artist:a", name, date(2026, 11, day)) for day, name in ((1, "First"), (2, "Second"))]
    others = [
        release("spotify:artist:a", "Old", date(2025, 11, 28)),
        release("spotify:artist:a", "Undated", None),
        release("spotify:artist:a", "No album", date(2026, 11, 3), "artist"),
    ]
    lake.read(run(29), "catalogue", [*new, *others], unit="a")
    lake.read(run(29), "catalogue", [{**new[0], "requested_uri": "spotify:artist:b"}], unit="b")
    lake.read(run(29), "catalogue", [release("spotify:album:Alone", "Alone", date(2026, 11, 3))], unit="Alone")

    assert lake.query(NAMED["new_releases"]) == [
        ("ana", date(2026, 11, 2), "Abba", "Second", "album", 9, "spotify:album:Second"),
        ("ana", date(2026, 11, 1), "Abba", "First", "album", 9, "spotify:album:First"),
    ]
