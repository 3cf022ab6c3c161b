"""Plays without double counting, from the API and from the privacy export."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tests.queries.lake import Lake, moment, raw_key, run

LISTENS = "SELECT account_id, source, played_at, item_uri FROM listens ORDER BY account_id, played_at, item_uri, source"
API, EXPORT = "recently_played", "streaming_history"


def at(day: int, hour: int = 12, second: int = 0) -> datetime:
    return moment(f"2026-10-{day:02d} {hour:02d}:00:{second:02d}")


def play(when: datetime, uri: str = "x", ms_played: int | None = None, **more: Any) -> dict[str, Any]:
    return {"played_at": when, "item_uri": uri, "ms_played": ms_played, **more}


def exported(lake: Lake, import_run: str, *files: list[dict[str, Any]], account: str = "ana") -> None:
    """An import of files, all of them arrived."""
    for number, plays in enumerate(files):
        unit = f"file{number}"
        lake.read(import_run, EXPORT, plays, unit=unit, read=f"{import_run}-{unit}", account=account)


def test_a_play_that_the_api_served_twice_counts_once(lake: Lake) -> None:
    for hour in (6, 7):
        lake.line(API, "read", raw_key(run(1, hour, "hourly"), API), 1, play(at(1)))
    lake.repeat_every_row()

    assert lake.ask(LISTENS) == [("ana", API, at(1), "x")]


def test_plays_that_differ_in_account_time_or_item_are_different(lake: Lake) -> None:
    key = raw_key(run(1, 6, "hourly"), API)
    lake.line(API, "read", key, 1, play(at(1)))
    lake.line(API, "read", key, 2, play(at(1) + timedelta(milliseconds=1)))
    lake.line(API, "read", key, 3, play(at(1), "y"))
    lake.line(API, "read", raw_key(run(1, 7, "hourly"), API), 1, play(at(1)), account="bo")

    assert len(lake.ask(LISTENS)) == 4


def test_a_replayed_play_has_the_values_of_the_highest_schema_version(lake: Lake) -> None:
    key = raw_key(run(1, 6, "hourly"), API)
    lake.line(API, "read", key, 1, play(at(1), track_name="old"))
    lake.line(API, "read", key, 1, play(at(1), track_name="new"), version=2)
    lake.line(API, "read", key, 2, play(at(2)))
    lake.reject(API, "read", key, 2, "wrong_type", version=2)

    assert lake.ask("SELECT item_uri, track_name FROM listens") == [("x", "new")]


def test_local_time_follows_the_clocks_of_the_zone(lake: Lake) -> None:
    key = raw_key(run(1, 6, "hourly"), API)
    lake.line(API, "read", key, 1, play(at(24, 23), "summer"))
    lake.line(API, "read", key, 2, play(at(25, 23), "winter"))

    assert lake.ask(
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

    assert lake.ask(LISTENS) == [
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

    assert lake.ask("SELECT source, count(*) FROM listens GROUP BY source") == [(EXPORT, 4)]


def test_the_last_second_of_an_export_is_the_exports(lake: Lake) -> None:
    key = raw_key(run(20, 6, "hourly"), API)
    lake.line(API, "read", key, 1, play(at(10) + timedelta(milliseconds=999)))
    lake.line(API, "read", key, 2, play(at(10) + timedelta(seconds=1)))
    exported(lake, run(21, trigger="import"), [play(at(10), ms_played=1)])

    assert lake.ask(LISTENS) == [("ana", EXPORT, at(10), "x"), ("ana", API, at(10) + timedelta(seconds=1), "x")]


def test_an_import_counts_once_all_its_files_are_complete(lake: Lake) -> None:
    key = raw_key(run(20, 6, "hourly"), API)
    lake.line(API, "read", key, 1, play(at(5)))
    importing = run(21, trigger="import")
    exported(lake, importing, [play(at(1), ms_played=1), play(at(9), ms_played=1)])
    missing = raw_key(importing, EXPORT, unit="file1")
    lake.complete(importing, EXPORT, [missing], 1, unit="file1", read="late")

    assert lake.ask(LISTENS) == [("ana", API, at(5), "x")]
    lake.line(EXPORT, "late", missing, 1, play(at(3), ms_played=1))
    assert [row[1:3] for row in lake.ask(LISTENS)] == [(EXPORT, at(1)), (EXPORT, at(3)), (EXPORT, at(9))]


def test_equal_plays_of_one_export_are_all_counted(lake: Lake) -> None:
    exported(lake, run(21, trigger="import"), [play(at(1), ms_played=5)] * 2)
    lake.repeat_every_row()

    assert len(lake.ask(LISTENS)) == 2


def test_over_several_imports_a_play_counts_as_often_as_in_the_one_that_has_it_most_often(lake: Lake) -> None:
    exported(lake, run(21, trigger="import"), [play(at(1), ms_played=5)] * 3, [play(at(2), ms_played=7)])
    exported(lake, run(22, trigger="import"), [play(at(1), ms_played=5), play(at(1), ms_played=6), play(at(3))])

    assert lake.ask("SELECT played_at, ms_played, count(*) FROM listens GROUP BY 1, 2 ORDER BY 1, 2") == [
        (at(1), 5, 3),
        (at(1), 6, 1),
        (at(2), 7, 1),
        (at(3), None, 1),
    ]


def test_a_file_imported_again_counts_once_and_belongs_to_both_imports(lake: Lake) -> None:
    first, second = run(21, trigger="import"), run(22, trigger="import")
    key = lake.read(first, EXPORT, [play(at(1), ms_played=5)], unit="one", read="hash")
    lake.complete(second, EXPORT, [key], 1, unit="one", read="hash", status="unchanged")
    lake.read(second, EXPORT, [play(at(9), ms_played=5)], unit="two")
    lake.line(API, "read", raw_key(run(20, 6, "hourly"), API), 1, play(at(5)))

    assert [row[1:3] for row in lake.ask(LISTENS)] == [(EXPORT, at(1)), (EXPORT, at(9))]


def test_an_import_says_nothing_of_another_account(lake: Lake) -> None:
    exported(lake, run(21, trigger="import"), [play(at(1), ms_played=5), play(at(9), ms_played=5)], account="bo")
    lake.line(API, "read", raw_key(run(20, 6, "hourly"), API), 1, play(at(5)))

    assert [row[:2] for row in lake.ask(LISTENS)] == [("ana", API), ("bo", EXPORT), ("bo", EXPORT)]


def test_a_line_of_another_account_in_an_import_does_not_count(lake: Lake) -> None:
    importing = run(21, trigger="import")
    key = raw_key(importing, EXPORT, unit="one")
    lake.complete(importing, EXPORT, [key], 2, unit="one", read="hash")
    lake.line(EXPORT, "hash", key, 1, play(at(1), ms_played=5))
    lake.line(EXPORT, "hash", key, 2, play(at(9), ms_played=5), account="bo")

    assert [row[:3] for row in lake.ask(LISTENS)] == [("ana", EXPORT, at(1))]
