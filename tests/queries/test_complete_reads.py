"""A read is shown once it is complete and all its lines have arrived; until then the previous one is."""

from __future__ import annotations

from tests.queries.lake import Lake, raw_key, run

ALBUMS = "SELECT account_id, album_id FROM current_saved_albums ORDER BY account_id, album_id"


def albums(*ids: str) -> list[dict[str, str]]:
    return [{"album_id": album} for album in ids]


def test_an_incomplete_read_never_shows(lake: Lake) -> None:
    lake.read(run(1), "saved_albums", albums("a", "b"))
    half = raw_key(run(2), "saved_albums")
    lake.line("saved_albums", "second", half, 1, {"album_id": "c"})
    lake.manifest(run(2), "saved_albums", status="partial", read_id="second")

    assert lake.query(ALBUMS) == [("ana", "a"), ("ana", "b")]


def test_rows_that_came_before_their_manifest_wait_for_it(lake: Lake) -> None:
    key = raw_key(run(1), "saved_albums")
    lake.line("saved_albums", "first", key, 1, {"album_id": "a"})

    assert lake.query(ALBUMS) == []
    lake.complete(run(1), "saved_albums", [key], 1, read="first")
    assert lake.query(ALBUMS) == [("ana", "a")]


def test_a_manifest_that_came_before_its_parts_waits_for_them(lake: Lake) -> None:
    lake.read(run(1), "saved_albums", albums("a"))
    keys = [raw_key(run(2), "saved_albums", part=part) for part in (0, 1)]
    lake.complete(run(2), "saved_albums", keys, 3, read="second")

    assert lake.query(ALBUMS) == [("ana", "a")]
    lake.line("saved_albums", "second", keys[0], 1, {"album_id": "b"})
    lake.line("saved_albums", "second", keys[0], 2, {"album_id": "c"})
    assert lake.query(ALBUMS) == [("ana", "a")]
    lake.line("saved_albums", "second", keys[1], 1, {"album_id": "d"})
    assert lake.query(ALBUMS) == [("ana", "b"), ("ana", "c"), ("ana", "d")]


def test_lines_of_other_objects_do_not_make_up_for_a_missing_one(lake: Lake) -> None:
    lake.read(run(1), "saved_albums", albums("a"))
    keys = [raw_key(run(2), "saved_albums", part=part) for part in (0, 1)]
    lake.complete(run(2), "saved_albums", keys, 2, read="second")
    lake.line("saved_albums", "second", keys[0], 1, {"album_id": "b"})
    lake.line("saved_albums", "second", raw_key(run(2), "saved_albums", part=2), 1, {"album_id": "c"})

    assert lake.query(ALBUMS) == [("ana", "a")]


def test_a_line_delivered_twice_does_not_make_up_for_a_missing_one(lake: Lake) -> None:
    lake.read(run(1), "saved_albums", albums("a"))
    key = raw_key(run(2), "saved_albums")
    lake.complete(run(2), "saved_albums", [key], 2, read="second")
    lake.line("saved_albums", "second", key, 1, {"album_id": "b"})
    lake.line("saved_albums", "second", key, 1, {"album_id": "b"})

    assert lake.query(ALBUMS) == [("ana", "a")]


def test_rows_of_an_object_that_the_read_does_not_name_never_show(lake: Lake) -> None:
    lake.read(run(1), "saved_albums", albums("a"), read="first")
    lake.line("saved_albums", "first", raw_key(run(1), "saved_albums", part=1), 1, {"album_id": "stray"})

    assert lake.query(ALBUMS) == [("ana", "a")]


def test_a_rejected_line_counts_as_arrived(lake: Lake) -> None:
    key = raw_key(run(1), "saved_albums")
    lake.line("saved_albums", "first", key, 1, {"album_id": "a"})
    lake.complete(run(1), "saved_albums", [key], 2, read="first")

    assert lake.query(ALBUMS) == []
    lake.reject("saved_albums", "first", key, 2, "null_element")
    assert lake.query(ALBUMS) == [("ana", "a")]


def test_the_rejection_of_an_object_is_not_one_of_its_lines(lake: Lake) -> None:
    key = raw_key(run(1), "saved_albums")
    lake.line("saved_albums", "first", key, 1, {"album_id": "a"})
    lake.reject("saved_albums", "first", key, 0, "truncated")
    lake.complete(run(1), "saved_albums", [key], 2, read="first")

    assert lake.query(ALBUMS) == []


def test_an_emptied_list_is_empty(lake: Lake) -> None:
    lake.read(run(1), "saved_albums", albums("a"))
    lake.read(run(2), "saved_albums", [])

    assert lake.query(ALBUMS) == []


def test_an_unchanged_unit_repeats_the_read_that_it_equals(lake: Lake) -> None:
    key = lake.read(run(1), "saved_albums", albums("a"), read="first")
    lake.complete(run(2), "saved_albums", [key], 1, read="first", status="unchanged", objects=0)

    assert lake.query(ALBUMS) == [("ana", "a")]
    assert lake.query("SELECT run_id, read_id FROM complete_reads WHERE recency = 1") == [(run(2), "first")]


def test_the_newest_read_is_the_one_of_the_newest_run_not_of_the_newest_key(lake: Lake) -> None:
    old = lake.read(run(1), "saved_albums", albums("a"), read="first")
    lake.read(run(2), "saved_albums", albums("b"), read="second")
    lake.complete(run(3), "saved_albums", [old], 1, read="first", status="unchanged")

    assert lake.query(ALBUMS) == [("ana", "a")]


def test_the_later_attempt_of_a_run_is_the_newer(lake: Lake) -> None:
    lake.read(run(1), "saved_albums", albums("b"), read="second", part=1, attempt=1)
    lake.read(run(1), "saved_albums", albums("a"), read="first", part=0, attempt=0)

    assert lake.query(ALBUMS) == [("ana", "b")]


def test_a_read_over_several_runs_is_complete_with_the_last(lake: Lake) -> None:
    keys = [raw_key(run(1), "saved_albums"), raw_key(run(2), "saved_albums")]
    for key, album in zip(keys, "ab", strict=True):
        lake.line("saved_albums", "long", key, 1, {"album_id": album})
    lake.manifest(run(1), "saved_albums", status="partial", read_id="long")
    assert lake.query(ALBUMS) == []
    lake.complete(run(2), "saved_albums", keys, 2, read="long")

    assert lake.query(ALBUMS) == [("ana", "a"), ("ana", "b")]


def test_every_row_twice_shows_once(lake: Lake) -> None:
    lake.read(run(1), "saved_albums", albums("a", "b"))
    lake.repeat_every_row()

    assert lake.query(ALBUMS) == [("ana", "a"), ("ana", "b")]


def test_an_entry_that_paging_served_twice_shows_once(lake: Lake) -> None:
    lake.read(run(1), "saved_albums", albums("a", "b", "a"))

    assert lake.query(ALBUMS) == [("ana", "a"), ("ana", "b")]


def test_a_replay_with_a_higher_schema_version_replaces_the_old_rows(lake: Lake) -> None:
    key = lake.read(run(1), "saved_albums", [{"album_id": "a", "album_name": "old"}], read="first")
    lake.line("saved_albums", "first", key, 1, {"album_id": "a", "album_name": "new"}, version=2)

    assert lake.query("SELECT album_id, album_name FROM current_saved_albums") == [("a", "new")]


def test_a_replay_that_rejects_a_line_removes_its_row(lake: Lake) -> None:
    key = lake.read(run(1), "saved_albums", albums("a", "b"), read="first")
    lake.line("saved_albums", "first", key, 1, {"album_id": "a"}, version=2)
    lake.reject("saved_albums", "first", key, 2, "wrong_type", version=2)
    lake.replayed("saved_albums", key)

    assert lake.query(ALBUMS) == [("ana", "a")]


def test_a_replayed_manifest_counts_with_its_highest_schema_version(lake: Lake) -> None:
    key = lake.read(run(1), "saved_albums", albums("a"), read="first")
    lake.manifest(run(1), "saved_albums", status="partial", version=2)

    assert lake.query(ALBUMS) == []
    assert lake.query("SELECT status FROM run_attempts") == [("partial",)]
    lake.complete(run(1), "saved_albums", [key], 1, read="first", version=3)
    assert lake.query(ALBUMS) == [("ana", "a")]


def test_a_key_that_a_manifest_names_twice_counts_once(lake: Lake) -> None:
    key = raw_key(run(1), "saved_albums")
    lake.complete(run(1), "saved_albums", [key, key], 2, read="first")
    lake.line("saved_albums", "first", key, 1, {"album_id": "a"})

    assert lake.query(ALBUMS) == []
    lake.line("saved_albums", "first", key, 2, {"album_id": "b"})
    assert lake.query(ALBUMS) == [("ana", "a"), ("ana", "b")]


def test_a_line_of_another_account_shows_for_neither(lake: Lake) -> None:
    key = raw_key(run(1), "saved_albums")
    lake.complete(run(1), "saved_albums", [key], 2, read="first")
    lake.line("saved_albums", "first", key, 1, {"album_id": "a"})
    lake.line("saved_albums", "first", key, 2, {"album_id": "b"}, account="bo")

    assert lake.query(ALBUMS) == [("ana", "a")]


def test_accounts_are_kept_apart(lake: Lake) -> None:
    lake.read(run(1), "saved_albums", albums("a", "b"))
    lake.read(run(2), "saved_albums", albums("b"), account="bo")
    lake.read(run(3), "saved_albums", [], account="bo")
    lake.read(run(2, 7), "saved_albums", albums("c"), account="cy")

    assert lake.query(ALBUMS) == [("ana", "a"), ("ana", "b"), ("cy", "c")]
