from __future__ import annotations

import json
from datetime import timedelta

import pytest

from handlers.layout import state_key
from tests.handlers.extract.fake_spotify import Json, Reply, entry, playlist
from tests.handlers.extract.stage import START, Stage, unit
from tests.thoroughness import sampled

DAY = timedelta(days=1)
STREAMS = ["playlists", "playlist_items"]
REFUSED = Reply(403, {"error": {"status": 403, "message": "Forbidden"}})
PREMIUM = Reply(403, b"Active premium subscription required for the owner of the app.")
SCOPE = Reply(403, {"error": {"status": 403, "message": "Insufficient client scope"}})
GONE = Reply(404, {"error": {"status": 404, "message": "Not found"}})


def serve(stage: Stage, *playlists: Json | None, size: int = 2) -> None:
    stage.spotify.lists["me/playlists"] = [one and {**one, "items": {"total": size}} for one in playlists]
    for one in playlists:
        if one:
            stage.spotify.lists[f"playlists/{one['id']}/items"] = [entry(number) for number in range(size)]
    stage.spotify.requests.clear()


def read(stage: Stage, at: object = START, **event: object) -> Json:
    manifest: Json = stage.run("manual", at, streams=STREAMS, **event)  # type: ignore[arg-type] # a moment
    return manifest


def items(manifest: Json) -> dict[str, str]:
    return {one["unit"]: one["status"] for one in manifest["units"] if one["stream"] == "playlist_items"}


def item_requests(stage: Stage) -> list[str]:
    return [path.split("/")[1] for path in stage.spotify.paths() if path.endswith("/items")]


def test_entries_carry_playlist_version_and_position(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"), size=120)
    row = unit(read(stage), "playlist_items", "P1")
    lines = stage.lines(row["read_keys"])
    assert [line["record"] for line in lines] == [entry(number) for number in range(120)]
    assert [line["context"] for line in lines] == [
        {"playlist_id": "P1", "snapshot_id": "s1", "position": number} for number in range(120)
    ]
    assert stage.spotify.requests[1] == ("me/playlists", {"limit": "50"})
    assert stage.spotify.requests[3] == (
        "playlists/P1/items",
        {"limit": "50", "additional_types": "track,episode", "offset": "50"},
    )


def test_position_follows_the_offset_that_spotify_names(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"))
    stage.spotify.fault("playlists/P1/items", lambda page: {**page, "offset": 40})
    lines = stage.lines(unit(read(stage), "playlist_items", "P1")["read_keys"])
    assert [line["context"]["position"] for line in lines] == [40, 41]


def test_null_entry_keeps_its_position(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"))
    stage.spotify.lists["playlists/P1/items"] = [entry(0), None, {"item": None}]
    lines = stage.lines(unit(read(stage), "playlist_items", "P1")["read_keys"])
    assert [(line["context"]["position"], line["record"]) for line in lines] == [
        (0, entry(0)),
        (1, None),
        (2, {"item": None}),
    ]


def test_only_playlists_whose_version_moved_are_read(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"), playlist("P2", "s1"))
    first = read(stage)
    serve(stage, playlist("P1", "s1"), playlist("P2", "s2"))
    second = read(stage, START + DAY)
    assert items(second) == {"P1": "unchanged", "P2": "complete"}
    assert item_requests(stage) == ["P2"]
    old, new = (unit(manifest, "playlist_items", "P1") for manifest in (first, second))
    for name in ("read_id", "read_complete", "read_keys", "read_records", "mode"):
        assert new[name] == old[name]
    assert new["requests"] == 0


def test_nothing_moved_is_not_listed_twice(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"))
    read(stage)
    stage.spotify.requests.clear()
    read(stage, START + DAY)
    assert stage.spotify.paths() == ["me/playlists"]


def test_foreign_playlists_are_neither_requested_nor_listed(stage: Stage) -> None:
    serve(stage, playlist("Own", "s1"), playlist("Foreign", "s1", "bob"), playlist("NoOwner", "s1", ""), None)
    assert items(read(stage)) == {"Own": "complete"}
    assert item_requests(stage) == ["Own"]


def test_collaborative_playlist_of_another_is_tried_once_a_version(stage: Stage) -> None:
    shared = playlist("Shared", "s1", "bob", collaborative=True)
    serve(stage, shared, playlist("Own", "s1"))
    stage.spotify.fault("playlists/Shared/items", REFUSED)
    manifest = read(stage)
    assert items(manifest) == {"Shared": "skipped", "Own": "complete"}
    assert unit(manifest, "playlist_items", "Shared")["reason"] == "not_owned"
    assert manifest["status"] == "complete"
    stage.spotify.requests.clear()
    assert items(read(stage, START + DAY)) == {"Shared": "skipped", "Own": "unchanged"}
    assert item_requests(stage) == []
    serve(stage, {**shared, "snapshot_id": "s2"}, playlist("Own", "s1"))
    assert items(read(stage, START + 2 * DAY)) == {"Shared": "complete", "Own": "unchanged"}


def test_refused_playlist_is_requested_again_each_week_and_in_a_full_run(stage: Stage) -> None:
    serve(stage, playlist("Shared", "s1", "bob", collaborative=True))
    stage.spotify.always["playlists/Shared/items"] = REFUSED
    asked = []
    for day in range(9):
        read(stage, START + day * DAY)
        asked.append(len(item_requests(stage)))
    assert asked == [1] * 7 + [2] * 2
    stage.spotify.always.clear()
    assert items(read(stage, START + 9 * DAY)) == {"Shared": "skipped"}
    assert items(read(stage, START + 9 * DAY, full=True)) == {"Shared": "complete"}


def test_refusal_takes_nothing_from_an_earlier_read(stage: Stage) -> None:
    shared = playlist("Shared", "s1", "bob", collaborative=True)
    serve(stage, shared)
    read(stage)
    key = state_key("aB3dE5fG7h", "playlist_items")
    before = stage.json(key)
    serve(stage, {**shared, "snapshot_id": "s2"})
    stage.spotify.fault("playlists/Shared/items", REFUSED)
    manifest = read(stage, START + DAY)
    assert items(manifest) == {"Shared": "failed"}
    assert "403" in unit(manifest, "playlist_items", "Shared")["reason"]
    after = stage.json(key)["playlists"]["Shared"]
    assert after["refused_at"].startswith("2026-11-24T06:00:0")
    assert {name: after[name] for name in ("snapshot_id", "read")} == before["playlists"]["Shared"]
    assert items(read(stage, START + 2 * DAY)) == {"Shared": "complete"}
    assert "refused_at" not in stage.json(key)["playlists"]["Shared"]


@pytest.mark.slow
def test_playlist_that_was_read_and_stays_refused_counts_as_anothers_after_a_week(stage: Stage) -> None:
    shared = playlist("Shared", "s1", "bob", collaborative=True)
    serve(stage, shared)
    read(stage)
    serve(stage, {**shared, "snapshot_id": "s2"})
    stage.spotify.always["playlists/Shared/items"] = REFUSED
    statuses = [items(read(stage, START + day * DAY))["Shared"] for day in range(1, 10)]
    assert statuses == ["failed"] * 7 + ["skipped"] * 2


def test_refusal_does_not_replace_what_another_run_has_read_meanwhile(stage: Stage) -> None:
    serve(stage, playlist("Shared", "s1", "bob", collaborative=True))
    key = state_key("aB3dE5fG7h", "playlist_items")
    read(stage)
    other = stage.bytes(key)
    stage.s3.delete_object(Bucket="raw-bucket", Key=key)
    stage.spotify.fault("playlists/Shared/items", REFUSED)

    def other_run(path: str) -> None:
        if path.endswith("/items"):
            stage.s3.put_object(Bucket="raw-bucket", Key=key, Body=other)

    stage.spotify.on_request = other_run
    read(stage, START + DAY)
    kept = stage.json(key)["playlists"]["Shared"]
    assert {name: kept[name] for name in ("snapshot_id", "read")} == json.loads(other)["playlists"]["Shared"]


@pytest.mark.parametrize("reply", sampled([pytest.param(PREMIUM, id="premium"), pytest.param(SCOPE, id="scope")]))
def test_refusal_of_the_app_says_nothing_of_the_playlist(stage: Stage, reply: Reply) -> None:
    serve(stage, playlist("Shared", "s1", "bob", collaborative=True))
    stage.spotify.fault("playlists/Shared/items", reply)
    assert items(read(stage)) == {"Shared": "failed"}
    assert items(read(stage, START + DAY)) == {"Shared": "complete"}


@pytest.mark.parametrize(("reply", "word"), sampled([(REFUSED, "403"), (GONE, "404"), (Reply(500, b"<html>"), "500")]))
def test_one_playlist_that_fails_does_not_stop_the_others(stage: Stage, reply: Reply, word: str) -> None:
    serve(stage, playlist("P1", "s1"), playlist("P2", "s1"))
    stage.spotify.always["playlists/P1/items"] = reply
    manifest = read(stage)
    assert items(manifest) == {"P1": "failed", "P2": "complete"}
    assert word in unit(manifest, "playlist_items", "P1")["reason"]
    assert manifest["status"] == "partial"
    stage.spotify.always.clear()
    assert items(read(stage, START + DAY)) == {"P1": "complete", "P2": "unchanged"}


def test_playlist_that_moves_while_it_is_read_is_read_once_more(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"), playlist("P2", "s1"), size=60)

    def edit(path: str) -> None:
        if path == "playlists/P1/items" and item_requests(stage).count("P1") == 2:
            stage.spotify.lists["me/playlists"][0] = playlist("P1", "s2")
            stage.spotify.lists["playlists/P1/items"].insert(0, entry(99))

    stage.spotify.on_request = edit
    manifest = read(stage)
    assert item_requests(stage) == ["P1", "P1", "P2", "P2", "P1", "P1"]
    row = unit(manifest, "playlist_items", "P1")
    assert (row["status"], row["read_records"], row["requests"], row["records"], row["objects"]) == (
        "complete", 61, 4, 122, 2,
    )  # fmt: skip
    lines = stage.lines(row["read_keys"])
    assert [line["record"] for line in lines] == [entry(99), *[entry(number) for number in range(60)]]
    assert {(line["read_id"], line["context"]["snapshot_id"]) for line in lines} == {(row["read_id"], "s2")}
    assert items(read(stage, START + DAY)) == {"P1": "unchanged", "P2": "unchanged"}


@pytest.mark.slow
def test_playlist_that_moves_twice_is_read_by_the_next_run(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"))

    def edit(path: str) -> None:
        if path == "playlists/P1/items":
            stage.spotify.lists["me/playlists"][0] = playlist("P1", f"s{len(stage.spotify.requests)}")

    stage.spotify.on_request = edit
    assert items(read(stage)) == {"P1": "complete"}
    assert item_requests(stage) == ["P1", "P1"]
    stage.spotify.on_request = lambda _: None
    assert items(read(stage, START + DAY)) == {"P1": "complete"}


def test_failed_second_listing_costs_nothing(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"))
    stage.spotify.fault("me/playlists", None, GONE)
    manifest = read(stage)
    assert manifest["status"] == "complete"
    assert sum(one["requests"] for one in manifest["units"]) == len(stage.spotify.requests)


def test_playlist_is_read_again_before_retention_takes_it(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"))
    read(stage)
    statuses = [items(read(stage, START + days * DAY))["P1"] for days in (15, 16, 17)]
    assert statuses == ["unchanged", "complete", "unchanged"]


def test_full_run_reads_every_playlist(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"))
    read(stage)
    assert items(read(stage, START + DAY, full=True)) == {"P1": "complete"}


def test_playlist_without_a_version_is_always_read(stage: Stage) -> None:
    serve(stage, {**playlist("P1", "s1"), "snapshot_id": None})
    read(stage)
    assert items(read(stage, START + DAY)) == {"P1": "complete"}


def test_empty_playlist_is_a_complete_read_of_nothing(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"), size=0)
    row = unit(read(stage), "playlist_items", "P1")
    assert (row["status"], row["read_complete"], row["read_keys"], row["read_records"]) == ("complete", True, [], 0)


def test_library_without_own_playlists_has_its_row(stage: Stage) -> None:
    serve(stage, playlist("Foreign", "s1", "bob"))
    manifest = read(stage)
    row = unit(manifest, "playlist_items")
    assert (row["status"], row["reason"]) == ("skipped", "no_own_playlists")
    assert manifest["status"] == "complete"


def test_playlists_that_cannot_be_listed_fail_their_items(stage: Stage) -> None:
    stage.spotify.fault("me/playlists", GONE)
    manifest = read(stage)
    assert [one["status"] for one in manifest["units"]] == ["failed", "failed"]
    assert unit(manifest, "playlist_items")["reason"].startswith("The playlists could not be listed: ")
    assert stage.spotify.paths() == ["me", "me/playlists"]


def test_items_alone_list_the_playlists_without_writing_them(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"))
    manifest = stage.run("manual", streams=["playlist_items"])
    assert [one["stream"] for one in manifest["units"]] == ["playlist_items"]
    assert items(manifest) == {"P1": "complete"}
    assert stage.keys("raw/playlists/") == []
    assert sum(one["requests"] for one in manifest["units"]) == len(stage.spotify.requests)


def test_playlist_id_that_is_no_id_never_becomes_a_key(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"))
    stage.spotify.lists["me/playlists"].append(playlist("../../me", "s1"))
    assert items(read(stage)) == {"P1": "complete"}
    assert item_requests(stage) == ["P1"]


def test_state_forgets_playlists_that_are_gone(stage: Stage) -> None:
    serve(stage, playlist("P1", "s1"), playlist("P2", "s1"))
    read(stage)
    serve(stage, playlist("P2", "s2"))
    read(stage, START + DAY)
    state = stage.json(state_key("aB3dE5fG7h", "playlist_items"))
    assert list(state["playlists"]) == ["P2"]
    assert state["playlists"]["P2"]["snapshot_id"] == "s2"
    assert set(state["playlists"]["P2"]["read"]) == {
        "read_id", "mode", "keys", "records", "begun_at", "extracted_at",
    }  # fmt: skip
