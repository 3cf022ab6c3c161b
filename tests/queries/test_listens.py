"""Plays without double counting, from the API and from the privacy export."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from handlers.streaming_history import EARLIEST, MAX_AHEAD
from tests.queries.lake import VIEWS, Lake, moment, raw_key, run

LISTENS = "SELECT account_id, source, played_at, item_uri FROM listens ORDER BY account_id, played_at, item_uri, source"
API, EXPORT, SMALL = "recently_played", "streaming_history", "account_data"


def at(day: int, hour: int = 12, second: int = 0) -> datetime:
    return moment(f"2026-10-{day:02d} {hour:02d}:00:{second:02d}")


def play(when: datetime, uri: str = "x", ms_played: int | None = None, **more: Any) -> dict[str, Any]:
    return {"played_at": when, "item_uri": uri, "ms_played": ms_played, **more}


def small(when: datetime, title: str = "Song") -> dict[str, Any]:
    """Return a play as in the small export."""
    return play(when, "", 60_000, source=SMALL, item_type="track", track_name=title, artist_name="Abba")


def exported(lake: Lake, import_run: str, *files: list[dict[str, Any]], account: str = "ana") -> None:
    """Insert an import of files, all of which have arrived."""
    for number, plays in enumerate(files):
        unit = f"file{number}"
        lake.read(import_run, EXPORT, plays, unit=unit, read=f"{import_run}-{unit}", account=account)


def test_a_play_that_the_api_served_twice_counts_once(lake: Lake) -> None:
    for hour in (6, 7):
        lake.line(API, "read", raw_key(run(1, hour, "hourly"), API), 1, play(at(1)))
    lake.repeat_every_row()

    assert lake.query(LISTENS) == [("ana", API, at(1), "x")]


def test_plays_that_differ_in_account_time_or_item_are_different(lake: Lake) -> None:
    key = raw_key(run(1, 6, "hourly"), API)
    lake.line(API, "read", key, 1, play(at(1)))
    lake.line(API, "read", key, 2, play(at(1) + timedelta(milliseconds=1)))
    lake.line(API, "read", key, 3, play(at(1), "y"))
    lake.line(API, "read", raw_key(run(1, 7, "hourly"), API), 1, play(at(1)), account="bo")

    assert len(lake.query(LISTENS)) == 4


def test_a_replayed_play_has_the_values_of_the_highest_schema_version(lake: Lake) -> None:
    key = raw_key(run(1, 6, "hourly"), API)
    lake.line(API, "read", key, 1, play(at(1), track_name="old"))
    lake.line(API, "read", key, 1, play(at(1), track_name="new"), version=2)
    lake.line(API, "read", key, 2, play(at(2)))
    lake.reject(API, "read", key, 2, "wrong_type", version=2)
    lake.replayed(API, key)

    assert lake.query("SELECT item_uri, track_name FROM listens") == [("x", "new")]


def test_local_time_follows_the_clocks_of_the_zone(lake: Lake) -> None:
    key = raw_key(run(1, 6, "hourly"), API)
    lake.line(API, "read", key, 1, play(at(24, 23), "summer"))
    lake.line(API, "read", key, 2, play(at(25, 23), "winter"))

    assert lake.query(
        "SELECT item_uri, played_at_local, played_on, local_hour, local_weekday FROM listens ORDER BY played_at"
    ) == [
        ("summer", at(25, 1), date(2026, 10, 25), 1, 7),
        ("winter", at(26, 0), date(2026, 10, 26), 0, 1),
    ]


def test_inside_the_span_of_an_import_only_the_export_counts(lake: Lake) -> None:
    key = raw_key(run(20, 6, "hourly"), API)
    for number, play_of_api in enumerate([play(at(1)), play(at(5), "api only"), play(at(10)), play(at(11))], start=1):
        lake.line(API, "read", key, number, play_of_api)
    exported(lake, run(21, trigger="import"), [play(at(2), ms_played=1)], [play(at(10), ms_played=2)])

    assert lake.query(LISTENS) == [
        ("ana", API, at(1), "x"),
        ("ana", EXPORT, at(2), "x"),
        ("ana", EXPORT, at(10), "x"),
        ("ana", API, at(11), "x"),
    ]


def test_both_conventions_of_played_at_count_once_inside_the_span(lake: Lake) -> None:
    key = raw_key(run(20, 6, "hourly"), API)
    lake.line(API, "read", key, 1, play(at(5, second=0)))
    lake.line(API, "read", key, 2, play(at(6, second=30)))
    exported(
        lake,
        run(21, trigger="import"),
        [play(at(4)), play(at(5, second=30), ms_played=30_000), play(at(6, second=30), ms_played=30_000), play(at(9))],
    )

    assert lake.query("SELECT source, count(*) FROM listens GROUP BY source") == [(EXPORT, 4)]


def test_the_last_second_of_an_export_is_the_exports(lake: Lake) -> None:
    key = raw_key(run(20, 6, "hourly"), API)
    lake.line(API, "read", key, 1, play(at(10) + timedelta(milliseconds=999)))
    lake.line(API, "read", key, 2, play(at(10) + timedelta(seconds=1)))
    exported(lake, run(21, trigger="import"), [play(at(10), ms_played=1)])

    assert lake.query(LISTENS) == [("ana", EXPORT, at(10), "x"), ("ana", API, at(10) + timedelta(seconds=1), "x")]


def test_an_import_counts_once_all_its_files_are_complete(lake: Lake) -> None:
    key = raw_key(run(20, 6, "hourly"), API)
    lake.line(API, "read", key, 1, play(at(5)))
    importing = run(21, trigger="import")
    exported(lake, importing, [play(at(1), ms_played=1), play(at(9), ms_played=1)])
    missing = raw_key(importing, EXPORT, unit="file1")
    lake.complete(importing, EXPORT, [missing], 1, unit="file1", read="late")

    assert lake.query(LISTENS) == [("ana", API, at(5), "x")]
    lake.line(EXPORT, "late", missing, 1, play(at(3), ms_played=1))
    assert [row[1:3] for row in lake.query(LISTENS)] == [(EXPORT, at(1)), (EXPORT, at(3)), (EXPORT, at(9))]


def test_elements_of_one_import_that_are_equal_in_every_field_are_one_play(lake: Lake) -> None:
    twice = play(at(1), ms_played=5, track_name="Song", artist_name="Abba", offline=False, skipped=None)
    exported(lake, run(21, trigger="import"), [twice, twice, play(at(2), ms_played=5)], [twice])
    lake.repeat_every_row()

    assert lake.query("SELECT played_at, ms_played FROM listens ORDER BY 1") == [(at(1), 5), (at(2), 5)]


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        pytest.param("offline_timestamp", at(1, 8), at(1, 9), marks=pytest.mark.slow),
        ("offline_timestamp", at(1, 8), None),
        ("skipped", True, None),
        pytest.param("shuffle", True, False, marks=pytest.mark.slow),
        pytest.param("offline", True, False, marks=pytest.mark.slow),
        pytest.param("incognito", True, False, marks=pytest.mark.slow),
        pytest.param("reason_start", "fwdbtn", "trackdone", marks=pytest.mark.slow),
        ("reason_end", "fwdbtn", "trackdone"),
        pytest.param("platform", "ios", "android", marks=pytest.mark.slow),
        pytest.param("country", "PT", "ES", marks=pytest.mark.slow),
        ("track_name", "Song", "Another"),
        pytest.param("artist_name", "Abba", "Beck", marks=pytest.mark.slow),
        pytest.param("album_name", "Arrival", "Waterloo", marks=pytest.mark.slow),
        pytest.param("item_type", "track", "episode", marks=pytest.mark.slow),
    ],
)
def test_elements_of_one_import_that_differ_in_a_field_are_two_plays(
    lake: Lake, column: str, one: Any, other: Any
) -> None:
    exported(lake, run(21, trigger="import"), [play(at(1), ms_played=5, **{column: value}) for value in (one, other)])

    assert sorted(lake.query(f"SELECT {column} FROM listens"), key=repr) == sorted([(one,), (other,)], key=repr)


def test_over_several_imports_a_play_counts_as_often_as_in_the_one_that_has_it_most_often(lake: Lake) -> None:
    offline = [play(at(1), ms_played=5, offline=True, offline_timestamp=at(1, hour)) for hour in (7, 8, 9)]
    exported(lake, run(21, trigger="import"), offline, [play(at(2), ms_played=7)], [offline[0]])
    exported(lake, run(22, trigger="import"), [offline[2], play(at(1), ms_played=6), play(at(3))])

    assert lake.query("SELECT played_at, ms_played, offline_timestamp FROM listens ORDER BY 1, 2, 3") == [
        (at(1), 5, at(1, 7)),
        (at(1), 5, at(1, 8)),
        (at(1), 5, at(1, 9)),
        (at(1), 6, None),
        (at(2), 7, None),
        (at(3), None, None),
    ]


def test_of_two_imports_with_a_play_equally_often_the_newer_one_counts(lake: Lake) -> None:
    for day, country in ((21, "ZZ"), (22, "PT")):
        exported(lake, run(day, trigger="import"), [play(at(1), ms_played=5, country=country)])

    assert lake.query("SELECT country FROM listens") == [("PT",)]


def test_plays_without_a_uri_are_told_apart_by_artist_and_title(lake: Lake) -> None:
    first = [play(at(1), "", 5, track_name=name, artist_name="Abba") for name in ("Song", "Other")]
    second = [play(at(1), "", 5, track_name=name, artist_name="Abba") for name in ("Song", "Third")]
    exported(lake, run(21, trigger="import"), first)
    exported(lake, run(22, trigger="import"), second)

    assert lake.query("SELECT track_name, item_key FROM listens ORDER BY 1") == [
        ("Other", "abba / other"),
        ("Song", "abba / song"),
        ("Third", "abba / third"),
    ]


@pytest.mark.parametrize("older_first", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("title", [{"track_name": "Song", "artist_name": "ABBA"}, {}])
def test_a_play_without_a_uri_matches_the_one_with_a_uri_in_another_import(
    lake: Lake, title: dict[str, Any], *, older_first: bool
) -> None:
    older = [play(at(1), "", 5, **title), play(at(2), "", 6, **title)]
    newer = [play(at(1), "uri", 5, track_name="Song", artist_name="Abba")]
    for number, elements in enumerate((older, newer) if older_first else (newer, older)):
        exported(lake, run(21 + number, trigger="import"), elements)

    assert lake.query("SELECT played_at, item_uri, artist_name FROM listens ORDER BY 1") == [
        (at(1), "uri", "Abba"),
        (at(2), "", title.get("artist_name")),
    ]


def test_plays_without_uris_of_one_moment_find_their_own(lake: Lake) -> None:
    newer = [play(at(1), uri, 5, track_name=title, artist_name="Abba") for uri, title in (("a", ""), ("b", "Song"))]
    exported(lake, run(21, trigger="import"), [one | {"item_uri": ""} for one in newer])
    exported(lake, run(22, trigger="import"), newer)

    assert lake.query("SELECT item_uri FROM listens ORDER BY 1") == [("a",), ("b",)]


def test_the_key_of_a_play_without_a_uri_is_the_uri_of_its_title(lake: Lake) -> None:
    song: dict[str, Any] = {"item_type": "track", "track_name": "Song", "artist_name": "Abba"}
    named = [play(at(2), "", 5, **song), play(at(3), "", 5, **song | {"item_type": "episode"})]
    nameless = [play(at(4), "", 5, track_name=name) for name in (None, "")]
    exported(lake, run(21, trigger="import"), [play(at(1), "uri", 5, **song), *named, *nameless])
    exported(lake, run(21, 7, "import"), [play(at(1), "other", 5, **song, context_uri="x")], account="bo")

    assert lake.query("SELECT played_at, item_key FROM listens WHERE account_id = 'ana' ORDER BY 1, 2") == [
        (at(1), "uri"),
        (at(2), "uri"),
        (at(3), "abba / song"),
        (at(4), ""),
        (at(4), ""),
    ]


@pytest.mark.parametrize(
    ("fields", "heard_at"),
    [
        pytest.param({"offline": True, "offline_timestamp": at(1, 8)}, at(1, 8, second=30), id="offline"),
        pytest.param(
            {"offline": True, "offline_timestamp": at(2, 11, second=59), "ms_played": 3_600_000},
            at(2),
            id="never after the play came in",
        ),
        pytest.param({"offline": True, "offline_timestamp": None}, at(2), id="no moment", marks=pytest.mark.slow),
        pytest.param({"offline": False, "offline_timestamp": at(1, 8)}, at(2), id="online", marks=pytest.mark.slow),
        pytest.param({"offline": None, "offline_timestamp": at(1, 8)}, at(2), id="not known whether offline"),
        pytest.param({"offline": True, "offline_timestamp": at(1, 8), "ms_played": None}, at(1, 8), id="no length"),
    ],
)
def test_heard_at_is_when_an_offline_play_ended_on_the_device(
    lake: Lake, fields: dict[str, Any], heard_at: datetime
) -> None:
    exported(lake, run(21, trigger="import"), [{**play(at(2), ms_played=30_000), **fields}])

    assert lake.query("SELECT heard_at FROM listens") == [(heard_at,)]


def test_local_day_hour_and_weekday_are_those_of_heard_at(lake: Lake) -> None:
    offline: dict[str, Any] = {"offline": True, "offline_timestamp": at(3, 22, second=30)}
    exported(lake, run(21, trigger="import"), [play(at(20, 9), ms_played=1_000, **offline)])

    assert lake.query(
        "SELECT played_at, played_at_local, heard_at_local, played_on, local_hour, local_weekday FROM listens"
    ) == [(at(20, 9), at(20, 11), at(4, 0, second=31), date(2026, 10, 4), 0, 7)]


def test_the_span_of_an_import_is_that_of_its_played_at(lake: Lake) -> None:
    lake.line(API, "read", raw_key(run(20, 6, "hourly"), API), 1, play(at(2)))
    exported(lake, run(21, trigger="import"), [play(at(3), offline=True, offline_timestamp=at(1)), play(at(4))])

    assert [row[1:3] for row in lake.query(LISTENS)] == [(API, at(2)), (EXPORT, at(3)), (EXPORT, at(4))]


def test_the_small_export_counts_before_the_first_play_from_the_api(lake: Lake) -> None:
    lake.line(API, "read", raw_key(run(20, 6, "hourly"), API), 1, play(at(5, second=30)))
    exported(lake, run(21, trigger="import"), [small(at(4)), small(at(5, 11)), small(at(5)), small(at(6))])
    exported(lake, run(22, trigger="import"), [small(at(6))], account="bo")

    assert [row[:3] for row in lake.query(LISTENS)] == [
        ("ana", SMALL, at(4)),
        ("ana", SMALL, at(5, 11)),
        ("ana", API, at(5, second=30)),
        ("bo", SMALL, at(6)),
    ]


def test_the_small_export_counts_outside_the_spans_of_extended_exports(lake: Lake) -> None:
    exported(
        lake, run(21, trigger="import"), [play(at(3, second=30), ms_played=5), play(at(6, second=30), ms_played=5)]
    )
    minutes = [at(3) - timedelta(minutes=1), at(3), at(4), at(6), at(6) + timedelta(minutes=1)]
    exported(lake, run(22, trigger="import"), [small(minute) for minute in minutes])

    assert [row[2] for row in lake.query(LISTENS) if row[1] == SMALL] == [minutes[0], minutes[-1]]


def test_small_exports_that_overlap_count_each_play_once(lake: Lake) -> None:
    for day in (21, 22):
        exported(lake, run(day, trigger="import"), [small(at(day - 20)), small(at(2)), small(at(2), "Other")])
    lake.repeat_every_row()

    assert lake.query("SELECT played_at, track_name FROM listens ORDER BY 1, 2") == [
        (at(1), "Song"),
        (at(2), "Other"),
        (at(2), "Song"),
    ]


def test_a_small_export_replaces_nothing_from_the_api(lake: Lake) -> None:
    for number, when in enumerate((at(2), at(4)), start=1):
        lake.line(API, "read", raw_key(run(20, 6, "hourly"), API), number, play(when))
    exported(lake, run(21, trigger="import"), [small(at(1)), small(at(5))])

    assert [row[1:3] for row in lake.query(LISTENS)] == [(SMALL, at(1)), (API, at(2)), (API, at(4))]


@pytest.mark.parametrize(
    ("source", "fields", "is_listen", "ms"),
    [
        (EXPORT, {"ms_played": None}, False, None),
        (API, {"duration_ms": 200_000}, True, 200_000),
        pytest.param(API, {"duration_ms": 20_000}, True, 20_000, marks=pytest.mark.slow),
        pytest.param(API, {}, True, None, marks=pytest.mark.slow),
        (EXPORT, {"ms_played": 30_000}, True, 30_000),
        (EXPORT, {"ms_played": 29_999}, False, 29_999),
        pytest.param(EXPORT, {"ms_played": 0}, False, 0, marks=pytest.mark.slow),
    ],
)
def test_a_listen_is_thirty_seconds_or_a_play_from_the_api(
    lake: Lake, source: str, fields: dict[str, Any], is_listen: bool, ms: int | None
) -> None:
    record = {"played_at": at(1), "item_uri": "x", **fields}
    lake.read(run(21, trigger="import" if source == EXPORT else "hourly"), source, [record])

    assert lake.query("SELECT is_listen, ms_heard_at_most FROM listens") == [(is_listen, ms)]


def test_a_file_imported_again_counts_once_and_belongs_to_both_imports(lake: Lake) -> None:
    first, second = run(21, trigger="import"), run(22, trigger="import")
    key = lake.read(first, EXPORT, [play(at(1), ms_played=5)], unit="one", read="hash")
    lake.complete(second, EXPORT, [key], 1, unit="one", read="hash", status="unchanged")
    lake.read(second, EXPORT, [play(at(9), ms_played=5)], unit="two")
    lake.line(API, "read", raw_key(run(20, 6, "hourly"), API), 1, play(at(5)))

    assert [row[1:3] for row in lake.query(LISTENS)] == [(EXPORT, at(1)), (EXPORT, at(9))]


def test_an_import_does_not_affect_another_account(lake: Lake) -> None:
    exported(lake, run(21, trigger="import"), [play(at(1), ms_played=5), play(at(9), ms_played=5)], account="bo")
    lake.line(API, "read", raw_key(run(20, 6, "hourly"), API), 1, play(at(5)))

    assert [row[:2] for row in lake.query(LISTENS)] == [("ana", API), ("bo", EXPORT), ("bo", EXPORT)]


def test_a_line_of_another_account_in_an_import_does_not_count(lake: Lake) -> None:
    importing = run(21, trigger="import")
    key = raw_key(importing, EXPORT, unit="one")
    lake.complete(importing, EXPORT, [key], 2, unit="one", read="hash")
    lake.line(EXPORT, "hash", key, 1, play(at(1), ms_played=5))
    lake.line(EXPORT, "hash", key, 2, play(at(9), ms_played=5), account="bo")

    assert [row[:3] for row in lake.query(LISTENS)] == [("ana", EXPORT, at(1))]


def test_the_import_reports_the_plays_that_the_view_leaves_out() -> None:
    assert f" played_at >= TIMESTAMP '{EARLIEST:%Y-%m-%d %H:%M:%S}'" in VIEWS["counted_plays"]
    assert f" played_at <= date_add('day', {MAX_AHEAD.days}, _extracted_at)" in VIEWS["counted_plays"]


IMPOSSIBLE = [
    pytest.param(moment("2026-11-22 06:00:01"), id="a day after the import"),
    pytest.param(moment("2099-01-01"), id="far in the future", marks=pytest.mark.slow),
    pytest.param(moment("1970-01-01"), id="before Spotify"),
]


@pytest.mark.parametrize("source", [EXPORT, SMALL])
@pytest.mark.parametrize("when", IMPOSSIBLE)
def test_a_play_with_an_impossible_time_neither_counts_nor_hides_plays(lake: Lake, when: datetime, source: str) -> None:
    lake.line(API, "read", raw_key(run(20, 6, "hourly"), API), 1, play(at(1)))
    lake.line(API, "read", raw_key(run(30, 6, "hourly"), API), 1, play(at(31)))
    exported(lake, run(21, trigger="import"), [play(at(9), ms_played=1), play(when, ms_played=1, source=source)])

    assert [row[1:3] for row in lake.query(LISTENS)] == [(API, at(1)), (EXPORT, at(9)), (API, at(31))]


@pytest.mark.parametrize("when", IMPOSSIBLE)
def test_a_play_of_the_api_with_an_impossible_time_hides_no_small_export(lake: Lake, when: datetime) -> None:
    lake.line(API, "read", raw_key(run(21, 6, "hourly"), API), 1, play(when))
    exported(lake, run(21, trigger="import"), [small(at(9))])

    assert [row[1:3] for row in lake.query(LISTENS)] == [(SMALL, at(9))]


@pytest.mark.parametrize("length", [-1, 86_400_001, pytest.param(10**17, marks=pytest.mark.slow)])
def test_a_play_of_an_impossible_length_is_a_play_of_unknown_length(lake: Lake, length: int) -> None:
    exported(lake, run(21, trigger="import"), [play(at(9), ms_played=length), play(at(10), ms_played=86_400_000)])

    assert lake.query("SELECT ms_played, started_at, is_listen FROM listens ORDER BY played_at") == [
        (None, at(9), False),
        (86_400_000, at(10) - timedelta(days=1), True),
    ]


def test_clocks_may_differ_by_a_day(lake: Lake) -> None:
    last = moment("2026-11-22 06:00:00")
    exported(lake, run(21, trigger="import"), [play(at(9), ms_played=1), play(last, ms_played=1)])

    assert [row[2] for row in lake.query(LISTENS)] == [at(9), last]


def test_a_file_imported_again_may_not_hold_later_plays_than_it_could_the_first_time(lake: Lake) -> None:
    first, second = run(1, trigger="import"), run(21, trigger="import")
    key = lake.read(first, EXPORT, [play(at(1), ms_played=5), play(moment("2026-11-15"), ms_played=5)], read="hash")
    lake.complete(second, EXPORT, [key], 2, read="hash", status="unchanged")

    assert [row[2] for row in lake.query(LISTENS)] == [at(1)]


def test_keys_of_different_titles_are_different(lake: Lake) -> None:
    texts = ["".join(one) for length in range(4) for one in product("a/ ", repeat=length)]
    pairs = [(artist, title) for artist in texts for title in texts if title]
    elements = [
        play(at(1) + timedelta(seconds=number), "", 60_000, item_type="track", artist_name=artist, track_name=title)
        for number, (artist, title) in enumerate(pairs)
    ]
    lake.import_plays(run(21, trigger="import"), elements)

    assert lake.query("SELECT count(*), count(DISTINCT item_key), count(DISTINCT title_key) FROM listens") == [
        (len(pairs), len(pairs), len(pairs))
    ]


def test_a_play_without_uri_and_title_has_no_key(lake: Lake) -> None:
    exported(
        lake,
        run(21, trigger="import"),
        [play(at(1), "", 5, artist_name="Abba", track_name=name) for name in ("", None)],
        [play(at(2), "uri", 5, artist_name="Abba", track_name=name) for name in ("", None)],
    )

    assert lake.query("SELECT DISTINCT played_at, item_key, title_key FROM listens ORDER BY 1") == [
        (at(1), "", None),
        (at(2), "uri", None),
    ]


def test_a_play_about_which_nothing_is_known_counts_next_to_the_other_of_its_moment(lake: Lake) -> None:
    named = play(at(1), "uri", 5, track_name="Song")
    exported(lake, run(21, trigger="import"), [named, play(at(1), "", 5)])
    exported(lake, run(22, trigger="import"), [named])

    assert lake.query("SELECT item_uri FROM listens ORDER BY 1") == [("",), ("uri",)]


def test_started_at_is_subtracted_before_it_becomes_local(lake: Lake) -> None:
    # The clocks went back at 01:00 UTC.
    exported(lake, run(21, trigger="import"), [play(at(25, 1), ms_played=1_800_000)])
    lake.line(API, "read", raw_key(run(20, 6, "hourly"), API), 1, play(at(26), duration_ms=60_000))
    lake.line(API, "read", raw_key(run(20, 6, "hourly"), API), 2, play(at(27)))

    half_hour, minute = timedelta(minutes=30), timedelta(minutes=1)
    assert lake.query("SELECT started_at, started_at_local, heard_at_local FROM listens ORDER BY 1") == [
        (at(25, 1) - half_hour, at(25, 3) - half_hour, at(25, 2)),
        (at(26) - minute, at(26, 13) - minute, at(26, 13)),
        (at(27), at(27, 13), at(27, 13)),
    ]
