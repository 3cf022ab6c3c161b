"""The state of the pipeline: runs with their attempts merged, freshness, rejections."""

from __future__ import annotations

import pytest

from handlers import layout
from tests.queries.lake import Lake, moment, raw_key, run


def test_the_last_row_of_a_unit_counts_and_its_costs_are_summed(lake: Lake) -> None:
    lake.manifest(run(1), "saved_tracks", status="partial", reason="continued", requests=40, records=2000, objects=2)
    lake.manifest(
        run(1), "saved_tracks", attempt=1, requests=10, records=500, objects=1, read_complete=True, read_records=2500
    )
    lake.repeat_every_row()

    assert lake.query(
        "SELECT run_id, stream, attempts, status, reason, requests, records, objects, read_complete, read_records,"
        " finished_at FROM run_history"
    ) == [(run(1), "saved_tracks", 2, "complete", None, 50, 2500, 3, True, 2500, moment("2026-11-01 06:02"))]


def test_a_unit_that_a_later_attempt_does_not_name_keeps_its_last_row(lake: Lake) -> None:
    lake.manifest(run(1), "profile")
    lake.manifest(run(1), "playlists", status="partial", reason="continued", run_status="partial")
    lake.manifest(run(1), "playlists", attempt=1, status="complete")

    assert lake.query("SELECT stream, attempts, status, run_status FROM run_history ORDER BY stream") == [
        ("playlists", 2, "complete", "complete"),
        ("profile", 1, "complete", "complete"),
    ]


@pytest.mark.parametrize(
    ("statuses", "of_the_run"),
    [
        (("skipped", "skipped"), "skipped"),
        (("failed", "failed"), "failed"),
        (("failed", "complete"), "partial"),
        (("partial", "unchanged"), "partial"),
        (("failed", "skipped"), "partial"),
        (("complete", "unchanged", "skipped"), "complete"),
        (("unchanged", "unchanged"), "complete"),
    ],
)
def test_the_status_of_a_run_follows_from_its_units(lake: Lake, statuses: tuple[str, ...], of_the_run: str) -> None:
    for line, status in enumerate(statuses, start=1):
        lake.manifest(run(1), "playlist_items", unit=f"p{line}", status=status)

    assert lake.query("SELECT DISTINCT run_status FROM run_history") == [(of_the_run,)]


def test_an_attempt_that_did_not_learn_its_account_belongs_to_its_runs_account(lake: Lake) -> None:
    lake.manifest(run(1), "profile", account=None, status="failed")
    lake.manifest(run(1), "profile", attempt=1)

    assert lake.query("SELECT account_id, status, attempts FROM run_history") == [("ana", "complete", 2)]


def test_a_stream_without_its_units_is_forgotten_once_an_attempt_has_learned_them(lake: Lake) -> None:
    reason = "Spotify failed (503)."
    for stream in ("profile", "playlist_items"):
        lake.manifest(run(1), stream, account=None, status="failed", reason=reason)
    lake.manifest(run(1), "profile", attempt=1)
    for unit in ("p", "q"):
        lake.manifest(run(1), "playlist_items", unit=unit, attempt=1)

    assert lake.query("SELECT stream, unit, status, run_status FROM run_history ORDER BY stream, unit") == [
        ("playlist_items", "p", "complete", "complete"),
        ("playlist_items", "q", "complete", "complete"),
        ("profile", "", "complete", "complete"),
    ]
    assert lake.query("SELECT stream, last_good_run_id, last_status, last_reason FROM freshness ORDER BY stream") == [
        ("playlist_items", run(1), "complete", None),
        ("profile", run(1), "complete", None),
    ]


def test_an_attempt_that_did_not_learn_the_units_hides_none_of_an_earlier_one(lake: Lake) -> None:
    for unit, status in (("p", "complete"), ("q", "partial")):
        lake.manifest(run(1), "playlist_items", unit=unit, status=status)
    lake.manifest(run(1), "playlist_items", attempt=1, status="failed", reason="Spotify failed (503).")

    assert lake.query("SELECT unit, status, run_status FROM run_history ORDER BY unit") == [
        ("", "failed", "partial"),
        ("p", "complete", "partial"),
        ("q", "partial", "partial"),
    ]
    lake.manifest(run(1), "playlist_items", unit="q", attempt=2)
    assert lake.query("SELECT unit, status, run_status FROM run_history ORDER BY unit") == [
        ("p", "complete", "complete"),
        ("q", "complete", "complete"),
    ]


def test_runs_of_two_accounts_are_kept_apart(lake: Lake) -> None:
    lake.manifest(run(1), "profile", attempt=0)
    lake.manifest(run(1), "profile", attempt=1, account="bo", status="failed")

    assert lake.query("SELECT account_id, status FROM run_history ORDER BY 1") == [
        ("ana", "complete"),
        ("bo", "failed"),
    ]


def test_freshness_names_the_last_good_run_and_how_the_last_one_went(lake: Lake) -> None:
    lake.manifest(run(1), "playlists")
    lake.manifest(run(2), "playlists", status="unchanged")
    lake.manifest(run(3), "playlists", status="failed", reason="http_500")
    lake.manifest(run(1), "profile", status="partial", reason="locked")

    assert lake.query(
        "SELECT account_id, stream, last_good_run_id, last_good_at, last_run_id, last_status, last_reason"
        " FROM freshness ORDER BY stream"
    ) == [
        ("ana", "playlists", run(2), moment("2026-11-02 06:01"), run(3), "failed", "http_500"),
        ("ana", "profile", None, None, run(1), "partial", "locked"),
    ]


def test_labels_of_ones_own_do_not_age(lake: Lake) -> None:
    lake.manifest(run(1), "profile")
    lake.manifest(run(2, trigger="import"), "labels")
    lake.manifest(run(3, trigger="import"), "streaming_history")

    assert lake.query("SELECT stream, last_run_id FROM freshness ORDER BY stream") == [
        ("profile", run(1)),
        ("streaming_history", run(3, trigger="import")),
    ]


def test_the_age_is_that_of_the_last_good_run(lake: Lake) -> None:
    lake.manifest(run(1), "playlists")

    ((age, by_the_clock),) = lake.query(
        "SELECT age_hours, CAST(date_diff('millisecond', last_good_at, CAST(current_timestamp AT TIME ZONE 'UTC' AS"
        " timestamp)) AS double) / 3600000e0 FROM freshness"
    )

    assert age == pytest.approx(by_the_clock, abs=0.01)


def test_a_stream_with_units_is_good_only_when_all_of_them_are(lake: Lake) -> None:
    for day, statuses in ((1, ("complete", "unchanged")), (2, ("complete", "failed"))):
        for line, status in enumerate(statuses, start=1):
            reason = "forbidden" if status == "failed" else None
            lake.manifest(run(day), "playlist_items", unit=f"p{line}", status=status, reason=reason)

    assert lake.query("SELECT last_good_run_id, last_status, last_reason FROM freshness") == [
        (run(1), "partial", "forbidden")
    ]


def test_runs_that_did_not_learn_their_account_belong_to_that_of_the_run_before_or_else_after(lake: Lake) -> None:
    lake.manifest(run(1), "profile", account=None, status="skipped", reason="not_logged_in")
    assert lake.query("SELECT account_id, last_status, last_reason FROM freshness") == [
        (None, "skipped", "not_logged_in")
    ]
    lake.manifest(run(2), "profile")
    assert lake.query("SELECT account_id, last_status FROM freshness") == [("ana", "complete")]
    lake.manifest(run(3), "profile", account=None, status="failed", reason="invalid_grant")

    assert lake.query("SELECT account_id, last_good_run_id, last_status, last_reason FROM freshness") == [
        ("ana", run(2), "failed", "invalid_grant")
    ]


def test_freshness_keeps_accounts_apart(lake: Lake) -> None:
    lake.manifest(run(1), "profile")
    lake.manifest(run(2), "profile", account="bo", status="failed")

    assert lake.query("SELECT account_id, last_status FROM freshness ORDER BY 1") == [
        ("ana", "complete"),
        ("bo", "failed"),
    ]


def test_a_rejection_shows_once_and_goes_when_a_replay_reads_the_line(lake: Lake) -> None:
    key = raw_key(run(1), "saved_albums")
    lake.reject("saved_albums", "r", key, 1, "wrong_type")
    lake.reject("saved_albums", "r", key, 2, "not_json")
    lake.reject("saved_albums", "r", key, 0, "truncated")
    lake.repeat_every_row()
    assert [row[0] for row in lake.query("SELECT _line, reason FROM rejections ORDER BY _line")] == [0, 1, 2]
    lake.line("saved_albums", "r", key, 1, {"album_id": "a"}, version=2)
    lake.reject("saved_albums", "r", key, 2, "not_json", version=2)
    lake.reject("saved_albums", "r", key, 0, "truncated", version=2)
    lake.replayed("saved_albums", key)

    assert lake.query("SELECT _line, reason FROM rejections ORDER BY _line") == [(0, "truncated"), (2, "not_json")]


def test_a_rejected_manifest_removes_the_rows_of_its_older_version(lake: Lake) -> None:
    lake.manifest(run(1), "profile")
    lake.insert(
        "rejected_records",
        stream="runs",
        reason="wrong_type",
        _raw_key=str(layout.ManifestKey(run(1), 0)),
        _line=1,
        _schema_version=2,
    )
    lake.replayed("runs", str(layout.ManifestKey(run(1), 0)))

    assert lake.query("SELECT run_id FROM run_history") == []
    assert lake.query("SELECT stream, reason FROM rejections") == [("runs", "wrong_type")]
