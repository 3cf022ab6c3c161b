"""The catalogue consists of the entries of the setting, each from its newest complete read."""

from __future__ import annotations

from typing import Any

from tests.queries.lake import Lake, ran, raw_key, run

CATALOGUE = "SELECT requested_uri, item_uri, name FROM current_catalogue ORDER BY account_id, 1, 2"


def album(artist: str, name: str) -> dict[str, Any]:
    return {"requested_uri": f"spotify:artist:{artist}", "item_uri": f"spotify:album:{name}", "name": name}


def shown(artist: str, name: str) -> tuple[str, str, str]:
    return (f"spotify:artist:{artist}", f"spotify:album:{name}", name)


def read(lake: Lake, day: int, artist: str, *names: str, **more: Any) -> str:
    records = [album(artist, name) for name in names]
    return lake.read(run(day), "catalogue", records, unit=artist, **more)


def test_an_entry_removed_from_the_setting_is_gone(lake: Lake) -> None:
    read(lake, 1, "a", "x")
    read(lake, 1, "b", "y")
    read(lake, 2, "b", "y", "z")

    assert lake.query(CATALOGUE) == [shown("b", "y"), shown("b", "z")]


def test_an_entry_that_came_back_shows_its_newest_read(lake: Lake) -> None:
    read(lake, 1, "a", "old")
    read(lake, 2, "b", "y")
    read(lake, 3, "a", "new")

    assert lake.query(CATALOGUE) == [shown("a", "new")]


def test_what_is_unchanged_refused_or_incomplete_is_as_last_read(lake: Lake) -> None:
    unchanged = read(lake, 1, "a", "x", read="of-a")
    for artist in ("b", "c", "d"):
        read(lake, 1, artist, "y")
    lake.complete(run(2), "catalogue", [unchanged], 1, unit="a", read="of-a", status="unchanged")
    lake.manifest(run(2), "catalogue", unit="b", status="failed")
    lake.manifest(run(2), "catalogue", unit="c", status="partial")
    lake.complete(run(2), "catalogue", [raw_key(run(2), "catalogue", unit="d")], 1, unit="d")

    assert lake.query(CATALOGUE) == [shown("a", "x"), shown("b", "y"), shown("c", "y"), shown("d", "y")]


def test_a_run_that_never_reached_its_entries_removes_none(lake: Lake) -> None:
    read(lake, 1, "a", "x")
    lake.manifest(run(2), "catalogue", status="failed")
    lake.manifest(run(3), "profile")

    assert lake.query(CATALOGUE) == [shown("a", "x")]


def test_an_emptied_setting_leaves_an_empty_catalogue(lake: Lake) -> None:
    read(lake, 1, "a", "x")
    lake.manifest(run(2), "catalogue", status="skipped", reason="no_catalogue_uris")

    assert lake.query(CATALOGUE) == []


def test_all_attempts_of_the_newest_run_name_its_entries(lake: Lake) -> None:
    read(lake, 1, "a", "x")
    read(lake, 1, "b", "y", attempt=1)
    lake.repeat_every_row()

    assert lake.query(CATALOGUE) == [shown("a", "x"), shown("b", "y")]


def test_the_newest_run_is_the_one_that_began_last(lake: Lake) -> None:
    read(lake, 3, "a", "x")
    read(lake, 2, "b", "y", **ran(3, "09:00", "09:01"))

    assert lake.query(CATALOGUE) == [shown("b", "y")]


def test_the_newest_run_of_one_account_does_not_affect_another(lake: Lake) -> None:
    read(lake, 1, "a", "x", account="app")
    read(lake, 2, "b", "y")

    assert lake.query(CATALOGUE) == [shown("b", "y"), shown("a", "x")]


def test_an_album_of_two_artists_is_listed_under_both(lake: Lake) -> None:
    read(lake, 1, "a", "x")
    read(lake, 1, "b", "x")

    assert lake.query(CATALOGUE) == [shown("a", "x"), shown("b", "x")]
