"""What time windows count back from: the moment up to which plays are known, or for the library the newest run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.queries.lake import NAMED, Lake, moment, raw_key, run


def test_the_newest_run_is_the_last_one_that_learned_its_account(lake: Lake) -> None:
    lake.manifest(run(1), "profile")
    lake.manifest(run(2, 23), "profile")
    lake.manifest(run(3), "profile", account=None, status="failed")

    assert lake.query("SELECT account_id, run_id, scheduled_at_local FROM newest_run") == [
        ("ana", run(2, 23), moment("2026-11-03 00:00"))
    ]


def test_an_import_is_not_the_newest_run(lake: Lake) -> None:
    lake.manifest(run(1), "profile")
    lake.read(run(20, trigger="import"), "streaming_history", [{"played_at": moment("2026-10-05 12:00")}])

    assert lake.query("SELECT run_id, scheduled_at FROM newest_run") == [(run(1), moment("2026-11-01 06:00"))]


def polled(lake: Lake, day: int, played_at: str | None = None, **more: Any) -> None:
    """Insert a run of the extractor that read the recently played tracks: one play or none."""
    plays = [{"played_at": moment(played_at), "item_uri": "of the api"}] if played_at else []
    lake.read(run(day, trigger="hourly"), "recently_played", plays, **more)


def imported(lake: Lake, day: int, *played_at: str, **fields: Any) -> None:
    plays = [{"played_at": moment(when), "ms_played": 5, "item_uri": "x", **fields} for when in played_at]
    lake.read(run(day, trigger="import"), "streaming_history", plays)


def of_api_alone(lake: Lake) -> None:
    polled(lake, 1, "2026-10-31 12:00")
    polled(lake, 2)


def of_reads_that_failed_since(lake: Lake) -> None:
    polled(lake, 1, "2026-10-31 12:00")
    lake.manifest(run(3), "profile")
    lake.manifest(run(4, trigger="hourly"), "recently_played", status="failed")


def of_an_unchanged_read(lake: Lake) -> None:
    polled(lake, 1, "2026-10-31 12:00")
    lake.manifest(run(2, trigger="hourly"), "recently_played", status="unchanged")


def of_old_import_alone(lake: Lake) -> None:
    imported(lake, 20, "2019-01-01 12:00", "2019-10-05 12:00")


def of_import_beside_runs_that_read_no_plays(lake: Lake) -> None:
    lake.manifest(run(19), "profile")
    imported(lake, 20, "2019-10-05 12:00")


def of_import_of_old_years_beside_api(lake: Lake) -> None:
    polled(lake, 19, "2026-11-18 12:00")
    imported(lake, 20, "2019-10-05 12:00")


def of_import_of_everything_beside_api(lake: Lake) -> None:
    polled(lake, 19, "2026-11-18 12:00")
    imported(lake, 20, "2019-10-05 12:00", "2026-11-10 12:00")


def of_import_beside_api_that_stopped(lake: Lake) -> None:
    polled(lake, 1, "2026-10-31 12:00")
    imported(lake, 20, "2019-10-05 12:00", "2026-11-10 12:00")


def of_plays_with_impossible_times(lake: Lake) -> None:
    polled(lake, 1, "2026-10-31 12:00")
    imported(lake, 20, "2026-11-10 12:00", "2026-11-21 12:00", "2099-01-01 12:00")


def of_import_that_has_not_arrived(lake: Lake) -> None:
    polled(lake, 1, "2026-10-31 12:00")
    imported(lake, 20, "2026-11-10 12:00")
    importing = run(20, trigger="import")
    lake.complete(importing, "streaming_history", [raw_key(importing, "streaming_history", unit="b")], 1, unit="b")


def of_plays_replayed_into_rejections(lake: Lake) -> None:
    polled(lake, 1, "2026-10-31 12:00")
    imported(lake, 20, "2026-11-10 12:00", "2026-11-11 12:00")
    key = raw_key(run(20, trigger="import"), "streaming_history")
    play = {"played_at": moment("2026-11-10 12:00"), "ms_played": 5, "item_uri": "x"}
    lake.line("streaming_history", "read", key, 1, play, version=2)
    lake.reject("streaming_history", "read", key, 2, "wrong_type", version=2)
    lake.replayed("streaming_history", key)


def of_small_export_alone(lake: Lake) -> None:
    imported(lake, 20, "2026-11-10 12:00", source="account_data")


def of_small_export_beside_api_that_stopped(lake: Lake) -> None:
    polled(lake, 1, "2026-10-31 12:00")
    imported(lake, 20, "2026-09-10 12:00", "2026-11-10 12:00", source="account_data")


@pytest.mark.parametrize(
    ("history", "as_of"),
    [
        (of_api_alone, "2026-11-02 06:00"),
        pytest.param(of_reads_that_failed_since, "2026-11-01 06:00", marks=pytest.mark.slow),
        pytest.param(of_an_unchanged_read, "2026-11-02 06:00", marks=pytest.mark.slow),
        (of_old_import_alone, "2019-10-05 12:00"),
        (of_import_beside_runs_that_read_no_plays, "2019-10-05 12:00"),
        pytest.param(of_import_of_old_years_beside_api, "2026-11-19 06:00", marks=pytest.mark.slow),
        (of_import_of_everything_beside_api, "2026-11-19 06:00"),
        (of_import_beside_api_that_stopped, "2026-11-10 12:00"),
        (of_plays_with_impossible_times, "2026-11-10 12:00"),
        pytest.param(of_import_that_has_not_arrived, "2026-11-01 06:00", marks=pytest.mark.slow),
        pytest.param(of_plays_replayed_into_rejections, "2026-11-10 12:00", marks=pytest.mark.slow),
        (of_small_export_alone, "2026-11-10 12:00"),
        pytest.param(of_small_export_beside_api_that_stopped, "2026-11-01 06:00", marks=pytest.mark.slow),
    ],
)
def test_windows_count_back_from_the_moment_up_to_which_plays_are_known(
    lake: Lake, history: Callable[[Lake], None], as_of: str
) -> None:
    history(lake)
    lake.repeat_every_row()

    ((account, found),) = lake.query("SELECT account_id, as_of FROM newest_run")
    assert (account, found) == ("ana", moment(as_of))
    ((newest,),) = lake.query("SELECT max(played_at) FROM listens")
    ((read_at,),) = lake.query(
        "SELECT max(scheduled_at) FROM run_attempts"
        " WHERE stream = 'recently_played' AND status IN ('complete', 'unchanged')"
    )
    assert found == max(one for one in (newest, read_at) if one)


def test_windows_on_the_library_count_back_from_the_newest_run(lake: Lake) -> None:
    lake.read(run(2), "saved_tracks", [{"item_uri": "x", "track_name": "X", "added_at": moment("2026-11-01 12:00")}])
    imported(lake, 20, "2026-10-01 12:00")
    assert [row[3] for row in lake.query(NAMED["new_this_month"])] == ["X"]

    imported(lake, 30, "2026-12-01 05:00")
    assert lake.query("SELECT as_of FROM newest_run") == [(moment("2026-12-01 05:00"),)]
    assert [row[3] for row in lake.query(NAMED["new_this_month"])] == ["X"]


def test_an_account_of_imports_alone_counts_back_from_its_newest_play(lake: Lake) -> None:
    lake.read(run(20, trigger="import"), "streaming_history", [{"played_at": moment("2026-10-05 12:00")}])
    lake.manifest(run(21, trigger="import"), "streaming_history", account="bo", status="failed")
    lake.repeat_every_row()

    assert lake.query("SELECT account_id, run_id, as_of, as_of_local FROM newest_run ORDER BY account_id") == [
        ("ana", None, moment("2026-10-05 12:00"), moment("2026-10-05 14:00")),
        ("bo", None, moment("2026-11-21 06:00"), moment("2026-11-21 07:00")),
    ]
