"""The results of the named queries on your listening, and the rules that all of them follow."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.duckdb_file import tables_of
from tests.queries.lake import NAMED, Lake, moment, run
from tests.queries.player import Player, exported, label
from tests.thoroughness import examples, sampled, some

OF_ALL_KINDS = {
    "compare_periods",
    "listening_by_day",
    "listening_by_hour_and_weekday",
    "listening_by_label",
    "listening_by_platform_and_country",
    "listening_by_week",
    "longest_streaks",
    "overview",
    "podcasts",
    "sessions",
    "year_in_review",
}
"""Those that include podcasts and audiobooks."""
QUICK = {
    "forgotten_favourites",
    "on_this_day",
    "overview",
    "podcasts",
    "saved_tracks_not_played_lately",
    "skip_rate",
    "top_artists",
    "top_tracks_by_plays",
}
"""Those of the fast tests: at least one on either side of each rule."""
OF_EXTENDED_EXPORTS = {"listening_by_platform_and_country", "skip_rate"}
ABOUT: dict[str, Any] = {"platform": "ios", "country": "PT", "album_name": "Arrival"}

Results = dict[str, dict[str, list[tuple[Any, ...]]]]


def on_listening() -> list[str]:
    """Return the names of the queries that read `listens`, or a sample of them."""
    return some(sorted(name for name, sql in NAMED.items() if "listens" in tables_of(sql)), QUICK)


def history() -> list[dict[str, Any]]:
    """Insert plays that give every query a result: a favourite of two years ago, and recent plays."""
    return [
        *(exported(f"2024-11-22 {hour:02d}:00", "old", **ABOUT) for hour in range(12)),
        *(exported(f"2026-11-{day:02d} 12:00", **ABOUT) for day in (2, 3, 4)),
        *(exported(f"2026-11-{day:02d} 14:00", "third", "Beck", **ABOUT) for day in (2, 3)),
        exported("2026-11-05 12:00", "news", "A show", item_type="episode", track_id=None),
    ]


def brief() -> list[dict[str, Any]]:
    """Insert plays under thirty seconds, of things heard before and of others."""
    of_these: dict[str, Any] = {"platform": "android", "country": "ES", "album_name": "Unheard", "ms_played": 29_999}
    return [
        *(exported(f"2026-11-10 {hour:02d}:00", name, **of_these) for hour, name in enumerate(("x", "old", "unheard"))),
        exported("2026-11-10 12:00", "unheard", "Unheard", **of_these),
        exported("2025-11-22 12:00", "unheard", "Unheard", **of_these),
        exported("2026-11-10 13:00", "news", "A show", item_type="episode", ms_played=29_999),
    ]


def spoken() -> list[dict[str, Any]]:
    """Insert podcasts and audiobooks, heard more often than any music, and plays about which nothing is known."""
    about: dict[str, Any] = {"platform": "ios", "country": "PT"}
    return [
        *(exported(f"2024-11-22 {hour:02d}:30", "s", "A show", item_type="episode", **about) for hour in range(13)),
        *(exported(f"2026-11-05 {hour:02d}:00", "b", "A book", item_type="chapter", **about) for hour in range(13)),
        *(exported(f"2026-11-06 {hour:02d}:00", "", "", item_uri="", item_type=None, **about) for hour in range(2)),
    ]


def offline(play: dict[str, Any]) -> dict[str, Any]:
    """Return the same play on a device that came back online on 21 November."""
    began_at = play["played_at"] - timedelta(milliseconds=play["ms_played"])
    return play | {"played_at": moment("2026-11-21 09:00"), "offline": True, "offline_timestamp": began_at}


def without_uri(play: dict[str, Any]) -> dict[str, Any]:
    """Return the same play as in the small export, except for its album."""
    return play | {"item_uri": "", "track_id": None, "source": "account_data"}


ACCOUNTS = {
    "plain": history(),
    "brief": [*history(), *brief()],
    "spoken": [*history(), *spoken()],
    "offline": [offline(play) for play in history()],
    "without uris": [without_uri(play) for play in history()],
}
"""The same listening five times, each with something that must not change a result."""


@pytest.fixture(name="results", scope="module")
def fixture_answers(tables_and_views: Lake) -> Results:
    """Return account → query → its rows without the account."""
    found: Results = {account: {} for account in ACCOUNTS}
    with tables_and_views.scenario() as lake:
        player = Player(lake)
        for number, (account, plays) in enumerate(ACCOUNTS.items()):
            fill_library(lake, account, number)
            player.export(*plays, account=account)
        for name in on_listening():
            rows = lake.query(NAMED[name])
            for account, of_account in found.items():
                of_account[name] = [row[1:] for row in rows if row[0] == account]
    return found


def fill_library(lake: Lake, account: str, number: int) -> None:
    """Insert what an account saved and follows, read on 22 November: some of it heard, some not."""
    of_account: dict[str, Any] = {"account": account, "attempt": number, "part": number}
    tracks = [
        {
            "item_uri": f"spotify:track:{name}",
            "track_id": name,
            "track_name": name.upper(),
            "artist_name": "Abba",
            "added_at": moment("2026-01-01"),
        }
        for name in ("x", "old", "unheard")
    ]
    albums = [
        {"album_id": name, "album_name": name, "artist_name": "Abba", "added_at": moment("2026-01-01")}
        for name in ("Arrival", "Unheard")
    ]
    lake.manifest(run(22), "recently_played", account=account, attempt=number)
    label(lake, 1 + number, {"subject": "beck", "label": "rock"}, account=account)
    artists = [{"artist_id": name, "artist_name": name} for name in ("Abba", "Unheard")]
    for stream, records in (("saved_tracks", tracks), ("saved_albums", albums), ("followed_artists", artists)):
        lake.read(run(22), stream, records, **of_account)


def differing(results: Results, account: str) -> set[str]:
    return {name for name in on_listening() if results[account][name] != results["plain"][name]}


def test_each_query_on_listening_has_a_result(results: Results) -> None:
    assert [name for name, rows in results["plain"].items() if not rows] == []


def test_plays_under_thirty_seconds_are_listens_in_no_result(results: Results) -> None:
    assert differing(results, "brief") == {"skip_rate"}


def test_shows_audiobooks_and_the_nameless_are_neither_artists_nor_tracks(results: Results) -> None:
    assert differing(results, "spoken") == OF_ALL_KINDS.intersection(on_listening())


def test_a_play_heard_offline_counts_where_it_was_heard(results: Results) -> None:
    assert differing(results, "offline") == set()


def test_plays_without_a_uri_neither_vanish_nor_merge(results: Results) -> None:
    uris = {play["item_uri"] for play in history()}
    expected = {
        name: [tuple(None if value in uris else value for value in row) for row in rows]
        for name, rows in results["plain"].items()
        if name not in OF_EXTENDED_EXPORTS
    }
    # The URIs of this one are those of the library.
    expected["saved_tracks_not_played_lately"] = results["plain"]["saved_tracks_not_played_lately"]
    assert {name: rows for name, rows in results["without uris"].items() if name in expected} == expected


def test_year_in_review_has_a_row_a_local_year(lake: Lake, player: Player) -> None:
    player.export(
        exported("2025-06-01 12:00", "a", "Abba", album_name="Arrival"),
        exported("2025-12-31 23:30", "b", "Beck", album_name="Odelay"),
        exported("2026-01-01 12:00", "b", "Beck", album_name="Odelay"),
        exported("2026-01-02 12:00", "c", "Beck", album_name="Sea Change"),
        exported("2026-01-02 13:00", "a", "Abba", album_name="Arrival", ms_played=60_000),
        exported("2026-01-02 14:00", "n", "News", item_type="episode", ms_played=600_000),
        exported("2026-01-02 15:00", "n", "News", item_type="episode", ms_played=600_000),
        exported("2026-01-02 16:00", "n", "News", item_type="episode", ms_played=600_000),
        exported("2026-01-02 17:00", "n", "News", item_type="episode", ms_played=600_000),
    )
    player.play("2027-01-02 12:00", "n", "News", item_type="episode", duration_ms=None)

    beck = ("Beck", 3, "B", "Beck", 2, "Odelay", "Beck", 2)
    assert lake.query(NAMED["year_in_review"]) == [
        ("ana", 2027, 1, 0.0, 0.0, 1, 0, 0, 0, None, None, None, None, None, None, None, None),
        ("ana", 2026, 8, 50.0, 40.0, 2, 3, 2, 1, *beck),
        ("ana", 2025, 1, 3.0, 0.0, 1, 1, 1, 1, "Abba", 1, "A", "Abba", 1, "Arrival", "Abba", 1),
    ]


def test_top_tracks_by_plays_ranks_three_periods(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    player.export(
        *(exported(f"2024-01-0{day} 12:00", "old") for day in (1, 2, 3)),
        *(exported(f"2026-05-0{day} 12:00", "spring", track_name="Old name") for day in (1, 2)),
        *(exported(f"2026-05-0{day} 13:00", "", track_name="No URI", item_uri="") for day in (1, 2)),
        *(exported(f"2026-05-0{day} 14:00", "", track_name="No other URI", item_uri="") for day in (1, 2)),
    )
    player.play("2026-11-20 12:00", "spring", duration_ms=240_000)

    rows = lake.query(NAMED["top_tracks_by_plays"])
    assert rows[0] == (
        *("ana", "ever", 1, "SPRING", "Abba", 3, 10.0),
        *(moment("2026-11-20 13:00"), "spotify:track:spring"),
    )
    assert [(*row[1:4], row[5]) for row in rows] == [
        ("ever", 1, "SPRING", 3),
        ("ever", 2, "OLD", 3),
        ("ever", 3, "No other URI", 2),
        ("ever", 4, "No URI", 2),
        ("four weeks", 1, "SPRING", 1),
        ("twelve months", 1, "SPRING", 3),
        ("twelve months", 2, "No other URI", 2),
        ("twelve months", 3, "No URI", 2),
    ]


def test_top_albums_by_plays_identifies_albums_by_artist_and_title(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    player.export(
        *(exported(f"2024-01-0{day} 12:00", f"track {day % 2}", album_name="Greatest Hits") for day in (1, 2, 3)),
        *(exported(f"2026-05-0{day} 12:00", "y", "Queen", album_name="Greatest Hits") for day in (1, 2)),
        *(exported(f"2026-05-0{day} 13:00", "z", album_name=name) for day, name in ((1, ""), (2, None))),
    )
    player.play("2026-11-20 12:00", "y", "Queen", album_name="Greatest Hits")

    rows = lake.query(NAMED["top_albums_by_plays"])
    assert rows[1] == (
        *("ana", "ever", 2, "Greatest Hits", "Queen", 3, 1, 9.0),
        moment("2026-11-20 13:00"),
    )
    assert [(*row[1:3], *row[4:7]) for row in rows] == [
        ("ever", 1, "Abba", 3, 2),
        ("ever", 2, "Queen", 3, 1),
        ("four weeks", 1, "Queen", 1, 1),
        ("twelve months", 1, "Queen", 3, 1),
    ]


def test_sessions_end_with_a_pause_of_more_than_thirty_minutes(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    player.export(
        exported("2026-10-31 12:00", "too long ago"),
        exported("2026-11-20 12:00", "a"),
        exported("2026-11-20 12:33", "b", "Beck"),
        exported("2026-11-20 13:07", "c"),
        exported("2026-11-20 13:10", "c"),
        exported("2026-11-20 13:10", "d"),
    )

    assert lake.query(NAMED["sessions"]) == [
        ("ana", moment("2026-11-20 14:04"), moment("2026-11-20 14:10"), 6.0, 3, 2, 1),
        ("ana", moment("2026-11-20 12:57"), moment("2026-11-20 13:33"), 36.0, 2, 2, 2),
    ]


@pytest.mark.slow
def test_sessions_do_not_overlap_where_a_play_encloses_others(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    player.export(
        exported("2026-11-20 12:05", "a"),
        exported("2026-11-20 14:00", "long", ms_played=7_200_000),
        exported("2026-11-20 12:50", "b"),
        exported("2026-11-20 14:20", "c"),
    )

    assert lake.query(NAMED["sessions"]) == [
        ("ana", moment("2026-11-20 13:00"), moment("2026-11-20 15:20"), 140.0, 4, 4, 1)
    ]


@pytest.mark.slow
@given(
    plays=st.lists(
        st.tuples(st.integers(0, 300), st.integers(1, 120)).map(lambda one: (one[0] + one[1], one[1])),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=examples(25, 3), suppress_health_check=list(HealthCheck), deadline=None)
def test_sessions_are_more_than_thirty_minutes_apart(tables_and_views: Lake, plays: list[tuple[int, int]]) -> None:
    midnight = moment("2026-11-20")
    with tables_and_views.scenario() as lake:
        Player(lake).export(
            *(
                exported(str(midnight + timedelta(minutes=end)), f"t{number}", ms_played=minutes * 60_000)
                for number, (end, minutes) in enumerate(plays)
            )
        )
        rows = lake.query(NAMED["sessions"])

    sessions = [[row[1], row[2]] for row in reversed(rows)]
    expected: list[list[datetime]] = []
    for end, minutes in sorted(plays, key=lambda one: one[0] - one[1]):
        # Local time is an hour ahead.
        start, stop = (midnight + timedelta(minutes=minute + 60) for minute in (end - minutes, end))
        if expected and start <= expected[-1][1] + timedelta(minutes=30):
            expected[-1][1] = max(expected[-1][1], stop)
        else:
            expected.append([start, stop])
    assert sessions == expected
    assert sum(row[4] for row in rows) == len(plays)


@pytest.mark.parametrize(
    ("ended_at", "shown"),
    [
        # The clocks went back at 01:00 UTC on 25 October, and forward at 01:00 UTC on 29 March.
        ("2026-10-25 01:30", ("2026-10-25 02:30", "2026-10-25 02:30")),
        ("2026-03-29 01:30", ("2026-03-29 01:30", "2026-03-29 03:30")),
    ],
)
def test_sessions_begin_at_the_local_time_of_their_start(
    lake: Lake, player: Player, ended_at: str, shown: tuple[str, str]
) -> None:
    player.export(exported(ended_at, ms_played=3_600_000))

    assert lake.query(NAMED["sessions"]) == [("ana", moment(shown[0]), moment(shown[1]), 60.0, 1, 1, 1)]


def test_skip_rate_uses_the_forward_button_where_skipped_is_null(lake: Lake, player: Player) -> None:
    player.export(
        exported("2026-10-31 22:30", skipped=True, ms_played=5_000),
        exported("2026-10-31 23:30", skipped=True, ms_played=60_000),
        exported("2026-11-02 12:00", skipped=False, reason_end="fwdbtn"),
        exported("2026-11-03 12:00", skipped=None, reason_end="fwdbtn", ms_played=5_000),
        exported("2026-11-04 12:00", skipped=None, reason_end="trackdone", ms_played=5_000),
        exported("2026-11-05 12:00", skipped=None),
        exported("2026-11-06 12:00", skipped=True, item_type="episode"),
    )
    player.play("2026-11-28 12:00", "x")

    assert lake.query(NAMED["skip_rate"]) == [
        ("ana", date(2026, 11, 1), 4, 2, 50.0, 1),
        ("ana", date(2026, 10, 1), 1, 1, 100.0, 1),
    ]


def test_discovery_by_month_counts_what_was_first_heard_then(lake: Lake, player: Player) -> None:
    player.export(
        exported("2026-09-30 12:00", "a", "Abba"),
        exported("2026-10-01 12:00", "a", "Abba"),
        exported("2026-10-02 12:00", "b", "Abba"),
        exported("2026-10-03 12:00", "c", "Beck"),
        exported("2026-10-03 13:00", "d", "Beck", item_uri=""),
    )

    assert lake.query(NAMED["discovery_by_month"]) == [
        ("ana", date(2026, 10, 1), 1, 3, 2, 4, 4, 50.0),
        ("ana", date(2026, 9, 1), 1, 1, 1, 1, 1, 100.0),
    ]


def test_obsessions_are_counted_within_any_seven_days(lake: Lake, player: Player) -> None:
    player.export(
        *(exported(f"2026-10-{day:02d} 12:00", "a") for day in (1, 2, 8, 9, 14, 15, 20)),
        *(exported(f"2026-10-{day:02d} 13:00", "b") for day in (1, 8)),
        *(exported(f"2026-10-05 {hour}:00", "c") for hour in (10, 11)),
    )

    assert lake.query(NAMED["obsessions"]) == [
        ("ana", 1, "A", "Abba", 3, date(2026, 10, 8), date(2026, 10, 14), 7, "spotify:track:a"),
        ("ana", 2, "C", "Abba", 2, date(2026, 9, 29), date(2026, 10, 5), 2, "spotify:track:c"),
    ]


def test_forgotten_favourites_were_heard_often_and_long_ago(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    for track, times, last in (("a", 11, "2025-11-28"), ("b", 12, "2025-11-30"), ("c", 9, "2025-11-01")):
        player.export(
            *(exported(f"2024-03-{day:02d} 12:00", track) for day in range(1, times)), exported(f"{last} 12:00", track)
        )

    assert lake.query(NAMED["forgotten_favourites"]) == [
        ("ana", 1, "A", "Abba", 11, moment("2024-03-01 13:00"), moment("2025-11-28 13:00"), "spotify:track:a")
    ]


@pytest.mark.slow
def test_forgotten_favourites_are_not_those_heard_lately_under_another_uri(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    player.export(
        *(exported(f"2024-03-{day:02d} 12:00", track) for day in range(1, 11) for track in ("a", "b", "c")),
        exported("2026-11-01 12:00", "new", track_name="a", artist="ABBA"),
        exported("2026-11-01 13:00", "other", "Beck", track_name="B"),
        exported("2025-06-01 12:00", "older", track_name="C"),
    )

    assert [(row[2], row[6], row[7]) for row in lake.query(NAMED["forgotten_favourites"])] == [
        ("C", moment("2025-06-01 14:00"), "spotify:track:c"),
        ("B", moment("2024-03-10 13:00"), "spotify:track:b"),
    ]


@pytest.mark.parametrize(
    "name", sampled(["obsessions", "on_this_day", "top_tracks_by_plays", "most_returned_to_tracks"], 2)
)
def test_tracks_show_a_uri_and_names_where_any_play_has_them(lake: Lake, player: Player, name: str) -> None:
    lake.manifest(run(29), "recently_played")
    nameless: dict[str, Any] = {"item_uri": "", "track_id": None}
    player.export(
        exported("2024-11-28 12:00", "a"),
        *(exported(f"2024-11-29 12:0{minute}", "a", **nameless) for minute in range(3)),
        *(exported(f"2024-11-29 13:0{minute}", "b", **nameless) for minute in range(3)),
        exported("2024-11-27 13:00", "b", **nameless),
        exported("2024-11-29 14:00", "c", track_name=None, artist=None),
        *(exported(f"2024-11-29 14:0{minute}", "c") for minute in range(1, 3)),
        exported("2024-11-28 14:00", "c"),
        *(exported(f"2024-11-{day} 15:00", track_name=None, **nameless) for day in (28, 29)),
    )

    rows = lake.query(NAMED[name])
    track, uri = (lake.columns(NAMED[name]).index(column) for column in ("track_name", "item_uri"))
    assert {(row[track], row[track + 1], row[uri]) for row in rows} == {
        ("A", "Abba", "spotify:track:a"),
        ("B", "Abba", None),
        ("C", "Abba", "spotify:track:c"),
    }


@pytest.mark.slow
def test_a_play_without_uri_and_title_counts_in_times_but_is_no_track(lake: Lake, player: Player) -> None:
    nameless: dict[str, Any] = {"item_uri": "", "track_id": None, "track_name": None}
    player.export(exported("2026-11-20 12:00", **nameless), exported("2026-11-20 13:00", **nameless))

    assert lake.query(NAMED["listening_by_day"]) == [("ana", date(2026, 11, 20), 2, 0, 6.0)]
    assert lake.query(NAMED["top_artists"]) == [("ana", 1, "Abba", 2, 0, 6.0, moment("2026-11-20 14:00"))]
    assert lake.query(NAMED["top_tracks_by_plays"]) == []
    ((year, listens, minutes, tracks, top_track),) = [
        (row[1], row[2], row[3], row[6], row[11]) for row in lake.query(NAMED["year_in_review"])
    ]
    assert (year, listens, minutes, tracks, top_track) == (2026, 2, 6.0, 0, None)


def test_on_this_day_is_the_local_day_of_earlier_years(lake: Lake, player: Player) -> None:
    lake.manifest(run(29), "recently_played")
    player.export(
        *(exported(f"2024-11-{when}", "a") for when in ("28 22:59", "28 23:00", "29 22:59", "29 23:00")),
        exported("2024-11-29 12:00", "b"),
        *(exported(f"2020-11-29 12:{minute:02d}", f"t{minute:02d}") for minute in range(11)),
        exported("2026-11-29 05:00", "today"),
    )

    rows = lake.query(NAMED["on_this_day"])
    assert rows[:2] == [
        ("ana", date(2024, 11, 29), 1, "A", "Abba", 2, moment("2024-11-29 00:00"), "spotify:track:a"),
        ("ana", date(2024, 11, 29), 2, "B", "Abba", 1, moment("2024-11-29 13:00"), "spotify:track:b"),
    ]
    assert [(row[1].year, row[2], row[3]) for row in rows[2:]] == [(2020, n + 1, f"T{n:02d}") for n in range(10)]


@pytest.mark.parametrize(
    ("platform", "shown"),
    sampled(
        [
            ("Android OS 9 API 28 (samsung, SM-G960F)", "Android"),
            ("android", "Android"),
            ("iOS 14.4 (iPhone10,4)", "iOS"),
            ("OS X 12.3.1 [arm 2]", "macOS"),
            ("osx", "macOS"),
            ("Windows 10 (10.0.19044; x64; AppX)", "Windows"),
            ("Linux [x86-64 0]", "Linux"),
            ("web_player windows 10;chrome 97.0.4692.99;desktop", "web player"),
            ("WebPlayer (websocket RFC6455)", "web player"),
            ("Partner google cast_tv;Chromecast;;", "speaker, TV or other device"),
            ("cast", "speaker, TV or other device"),
            ("not_applicable", "not_applicable"),
            (None, ""),
        ],
        3,
    ),
)
def test_listening_by_platform_and_country_knows_the_usual_platforms(
    lake: Lake, player: Player, platform: str | None, shown: str
) -> None:
    player.export(exported("2026-10-01 12:00", platform=platform, country="PT"))

    assert [row[1:3] for row in lake.query(NAMED["listening_by_platform_and_country"])] == [(shown, "PT")]


def test_listening_by_platform_and_country_lists_the_most_used_first(lake: Lake, player: Player) -> None:
    player.export(
        exported("2026-10-01 12:00", platform="ios", country="PT"),
        exported("2026-10-02 12:00", platform="android", country="PT", ms_played=90_000),
        exported("2026-10-04 12:00", platform="Android OS 9", country="PT"),
        exported("2026-10-04 13:00", platform="android", country=None),
        exported("2026-10-04 14:00"),
    )
    player.play("2026-11-01 12:00", "x")

    assert lake.query(NAMED["listening_by_platform_and_country"]) == [
        ("ana", "Android", "PT", 2, 4.5, 50.0, 2, date(2026, 10, 2), date(2026, 10, 4)),
        ("ana", "Android", "", 1, 3.0, 25.0, 1, date(2026, 10, 4), date(2026, 10, 4)),
        ("ana", "iOS", "PT", 1, 3.0, 25.0, 1, date(2026, 10, 1), date(2026, 10, 1)),
    ]


def test_podcasts_are_ranked_by_time(lake: Lake, player: Player) -> None:
    player.export(
        *(exported(f"2026-10-0{day} 12:00", f"e{day}", "Short news", item_type="episode") for day in (1, 2, 3)),
        exported("2026-10-04 12:00", "f", "Long talk", item_type="episode", ms_played=3_600_000),
        exported("2026-10-05 12:00", "", "Long talk", item_type="episode", item_uri="", source="account_data"),
        exported("2026-10-06 12:00", "", "Long talk", item_type="episode", item_uri="", track_name="Part two"),
        exported("2026-10-07 12:00", "song"),
    )

    assert lake.query(NAMED["podcasts"]) == [
        ("ana", 1, "Long talk", 2, 2, 63.0, moment("2026-10-04 14:00"), moment("2026-10-06 14:00")),
        ("ana", 2, "Short news", 3, 3, 9.0, moment("2026-10-01 14:00"), moment("2026-10-03 14:00")),
    ]


@pytest.mark.slow
def test_podcasts_have_a_row_for_episodes_of_unknown_shows(lake: Lake, player: Player) -> None:
    player.export(
        exported("2026-10-01 12:00", "e", "News", item_type="episode", ms_played=60_000),
        exported("2026-10-02 12:00", "f", None, item_type="episode"),
        exported("2026-10-03 12:00", "g", "", item_type="episode"),
    )

    assert [row[2:6] for row in lake.query(NAMED["podcasts"])] == [(None, 2, 2, 6.0), ("News", 1, 1, 1.0)]


def test_plays_by_playlist_counts_all_plays_of_the_api(lake: Lake, player: Player) -> None:
    lake.read(
        run(1), "playlists", [{"playlist_id": "mine", "name": "Mine"}, {"playlist_id": "silent", "name": "Silent"}]
    )
    for when, track in (("2026-10-01 12:00", "a"), ("2026-10-02 12:00", "a"), ("2026-10-03 12:00", "b")):
        player.play(when, track, context_uri="spotify:playlist:mine")
    player.play("2026-10-03 12:00", "b", context_uri="spotify:playlist:mine")
    player.play("2026-10-04 12:00", "c", context_uri="spotify:user:bo:playlist:theirs")
    player.play("2026-10-05 12:00", "d", context_uri="spotify:album:x")
    player.play("2026-10-06 12:00", "e")
    player.export(exported("2026-09-01 12:00"), exported("2026-10-30 12:00"))
    lake.repeat_every_row()

    assert lake.query(NAMED["plays_by_playlist"]) == [
        ("ana", 1, "Mine", 3, 2, 9.0, moment("2026-10-03 14:00"), "mine"),
        ("ana", 2, None, 1, 1, 3.0, moment("2026-10-04 14:00"), "theirs"),
    ]


def test_overview_counts_listens_of_every_kind_but_artists_and_tracks_of_music(lake: Lake, player: Player) -> None:
    lake.read(run(2), "profile", [{"display_name": "Ana"}])
    player.export(
        exported("2026-10-31 23:30"),
        exported("2026-11-01 12:00"),
        exported("2026-11-01 13:00", "y", "Beck", ms_played=29_999),
        exported("2026-11-02 12:00", "news", "A show", item_type="episode", ms_played=5_400_000),
    )
    assert lake.query(NAMED["overview"]) == [
        ("ana", "Ana", 3, 1.6, 1, 1, 2, moment("2026-11-01 00:30"), moment("2026-11-02 13:00"))
    ]


def test_overview_has_a_row_for_an_account_that_heard_nothing(lake: Lake) -> None:
    lake.read(run(2), "profile", [{"display_name": "Ana"}])
    assert lake.query(NAMED["overview"]) == [("ana", "Ana", 0, 0.0, 0, 0, 0, None, None)]


def test_listening_by_week_begins_on_local_mondays(lake: Lake, player: Player) -> None:
    player.export(
        # A Sunday in UTC, a Monday in Berlin.
        exported("2026-11-08 23:30"),
        exported("2026-11-08 22:30"),
        exported("2026-11-12 12:00"),
    )
    assert lake.query(NAMED["listening_by_week"]) == [
        ("ana", date(2026, 11, 9), 2, 6.0, 2),
        ("ana", date(2026, 11, 2), 1, 3.0, 1),
    ]


def test_top_by_year_places_artists_tracks_and_albums_of_each_year(lake: Lake, player: Player) -> None:
    player.export(
        *(exported(f"2025-05-0{day} 12:00", "x", album_name="Arrival") for day in (1, 2)),
        exported("2025-05-03 12:00", "y", "Beck", album_name="Odelay", ms_played=600_000),
        *(exported(f"2025-06-0{day} 12:00", "z", "Cher", ms_played=300_000) for day in (1, 2)),
        exported("2026-05-01 12:00", "x"),
    )
    assert lake.query(NAMED["top_by_year"]) == [
        ("ana", 2026, "artist", 1, "Abba", None, 1, 3.0),
        ("ana", 2026, "track", 1, "X", "Abba", 1, 3.0),
        ("ana", 2025, "album", 1, "Arrival", "Abba", 2, 6.0),
        ("ana", 2025, "album", 2, "Odelay", "Beck", 1, 10.0),
        # As often as Abba, but for longer.
        ("ana", 2025, "artist", 1, "Cher", None, 2, 10.0),
        ("ana", 2025, "artist", 2, "Abba", None, 2, 6.0),
        ("ana", 2025, "artist", 3, "Beck", None, 1, 10.0),
        ("ana", 2025, "track", 1, "Z", "Cher", 2, 10.0),
        ("ana", 2025, "track", 2, "X", "Abba", 2, 6.0),
        ("ana", 2025, "track", 3, "Y", "Beck", 1, 10.0),
    ]


def test_top_by_month_compares_twelve_months_with_the_twelve_before(lake: Lake, player: Player) -> None:
    player.export(
        exported("2024-11-30 12:00", "old", "Too long ago"),
        *(exported(f"2024-12-1{day} 12:00", "y", "Beck") for day in range(3)),
        exported("2025-11-30 12:00", "x"),
        exported("2025-12-01 12:00", "x"),
        exported("2026-10-01 12:00", "z", "Cher"),
        *(exported(f"2026-11-0{day} 12:00", "x") for day in (1, 2)),
        exported("2026-11-20 12:00", "y", "Beck"),
        exported("2026-11-21 12:00", "y", "Beck"),
    )
    artists = [row[2:] for row in lake.query(NAMED["top_by_month"]) if row[1] == "artist"]
    assert artists == [
        (1, 2, "Abba", None, 3, 9.0, date(2025, 12, 1), 1),
        (1, 2, "Abba", None, 3, 9.0, date(2026, 11, 1), 2),
        (2, 1, "Beck", None, 2, 6.0, date(2026, 11, 1), 2),
        (3, None, "Cher", None, 1, 3.0, date(2026, 10, 1), 1),
    ]
