from __future__ import annotations

from datetime import timedelta

import pytest

from handlers.extract.reads.record_keys import canonical_json
from handlers.layout import state_key
from tests.handlers.extract.fake_spotify import Json, Reply
from tests.handlers.extract.stage import START, Stage
from tests.thoroughness import sampled

DAY = timedelta(days=1)


def albums(count: int) -> list[Json]:
    return [{"added_at": "2026-11-20T10:00:00Z", "album": {"id": f"A{number}"}} for number in range(count)]


def test_every_page_is_read_in_order_with_where_it_was_served(stage: Stage) -> None:
    stage.spotify.lists["me/albums"] = albums(120)
    unit = stage.read("saved_albums")
    lines = stage.lines(unit["read_keys"])
    assert [line["record"] for line in lines] == albums(120)
    assert stage.spotify.paths() == ["me", *["me/albums"] * 3]
    assert [lines[index]["request"] for index in (0, 50, 119)] == [
        {"path": "me/albums", "params": {"limit": "50"}},
        {"path": "me/albums", "params": {"limit": "50", "offset": "50"}},
        {"path": "me/albums", "params": {"limit": "50", "offset": "100"}},
    ]
    assert {name: lines[0][name] for name in ("stream", "run_id", "read_id", "account_id", "context")} == {
        "stream": "saved_albums",
        "run_id": "20261123T060000Z-manual",
        "read_id": unit["read_id"],
        "account_id": "aB3dE5fG7h",
        "context": {},
    }
    assert lines[0]["extracted_at"].startswith("2026-11-23T06:00:0")


def test_list_that_shrinks_while_it_is_read_is_read_once_more(stage: Stage) -> None:
    served = stage.spotify.lists["me/albums"] = albums(51)

    def remove(path: str) -> None:
        if path == "me/albums" and stage.spotify.paths().count(path) == 2:
            served.pop(0)

    stage.spotify.on_request = remove
    unit = stage.read("saved_albums")
    assert (unit["status"], unit["objects"], unit["requests"]) == ("complete", 1, 4)  # one page the second time
    assert stage.records(unit["read_keys"]) == served == stage.written("saved_albums")
    assert {line["read_id"] for line in stage.lines(unit["read_keys"])} == {unit["read_id"]}
    assert stage.read("saved_albums", START + DAY)["status"] == "unchanged"


def test_totals_that_are_no_numbers_mean_nothing(stage: Stage) -> None:
    stage.spotify.lists["me/albums"] = albums(60)
    stage.spotify.fault("me/albums", lambda page: {**page, "total": None}, lambda page: {**page, "total": "60"})
    assert stage.read("saved_albums")["requests"] == 3


def test_object_carries_what_a_broken_line_would_lack(stage: Stage) -> None:
    stage.spotify.lists["me/albums"] = albums(3)
    unit = stage.read("saved_albums")
    stored = stage.s3.head_object(Bucket="raw-bucket", Key=unit["read_keys"][0])
    assert stored["Metadata"] == {"read-id": unit["read_id"], "account-id": "aB3dE5fG7h", "lines": "3"}


def test_null_elements_and_unusual_text_are_kept_unchanged(stage: Stage) -> None:
    odd = [None, {"name": "\ud800 half\n ☾"}, 7, {"id": None}]
    stage.spotify.lists["me/albums"] = [*odd]
    assert stage.records(stage.read("saved_albums")["read_keys"]) == odd


def test_empty_list_is_a_complete_read_of_nothing(stage: Stage) -> None:
    unit = stage.read("saved_albums")
    assert (unit["status"], unit["read_complete"], unit["read_keys"], unit["read_records"]) == ("complete", True, [], 0)
    again = stage.read("saved_albums", START + DAY)
    assert (again["status"], again["read_id"], again["read_complete"]) == ("unchanged", unit["read_id"], True)
    assert stage.keys("raw/") == []


def test_emptied_list_is_a_new_read(stage: Stage) -> None:
    stage.spotify.lists["me/albums"] = albums(3)
    first = stage.read("saved_albums")
    stage.spotify.lists["me/albums"] = []
    second = stage.read("saved_albums", START + DAY)
    assert (second["status"], second["read_complete"], second["read_records"]) == ("complete", True, 0)
    assert second["read_id"] != first["read_id"]


def test_changed_list_is_written_whole(stage: Stage) -> None:
    stage.spotify.lists["me/albums"] = albums(3)
    stage.read("saved_albums")
    stage.spotify.lists["me/albums"] = albums(4)
    unit = stage.read("saved_albums", START + DAY)
    assert (unit["status"], unit["records"]) == ("complete", 4)


def test_order_of_keys_is_no_change_and_order_of_records_is(stage: Stage) -> None:
    first, second = {"id": "A1", "name": "x"}, {"id": "A2"}
    stage.spotify.lists["me/albums"] = [first, second]
    stage.read("saved_albums")
    stage.spotify.lists["me/albums"] = [{"name": "x", "id": "A1"}, second]
    assert stage.read("saved_albums", START + DAY)["status"] == "unchanged"
    stage.spotify.lists["me/albums"] = [second, first]
    assert stage.read("saved_albums", START + 2 * DAY)["status"] == "complete"


def test_full_run_writes_what_is_unchanged(stage: Stage) -> None:
    stage.spotify.lists["me/albums"] = albums(3)
    stage.read("saved_albums")
    assert stage.read("saved_albums", START + DAY, full=True)["status"] == "complete"


def test_unchanged_is_written_again_before_retention_takes_it(stage: Stage) -> None:
    stage.spotify.lists["me/albums"] = albums(3)
    stage.read("saved_albums")
    statuses = [stage.read("saved_albums", START + days * DAY)["status"] for days in (1, 15, 16, 17)]
    assert statuses == ["unchanged", "unchanged", "complete", "unchanged"]


def test_state_holds_the_last_complete_read(stage: Stage) -> None:
    stage.spotify.lists["me/albums"] = albums(3)
    unit = stage.read("saved_albums")
    state = stage.json(state_key("aB3dE5fG7h", "saved_albums"))
    for name in ("begun_at", "extracted_at"):
        assert state["complete"].pop(name).startswith("2026-11-23T06:00:0")
    assert len(state.pop("digest")) == 64
    assert state == {"complete": {"read_id": unit["read_id"], "mode": "full", "keys": unit["read_keys"], "records": 3}}


@pytest.mark.parametrize(
    "content",
    sampled(
        [b"not json", b"[]", b'{"complete": 7}', b'{"complete": {"read_id": 1}}', b'{"digest": {}}'],
        [b"not json", b'{"complete": {"read_id": 1}}'],
    ),
)
def test_unreadable_state_is_no_state(stage: Stage, content: bytes) -> None:
    stage.spotify.lists["me/albums"] = albums(3)
    key = state_key("aB3dE5fG7h", "saved_albums")
    stage.s3.put_object(Bucket="raw-bucket", Key=key, Body=content)
    assert stage.read("saved_albums")["status"] == "complete"
    assert stage.read("saved_albums", START + DAY)["status"] == "unchanged"


def test_read_that_breaks_off_keeps_what_was_served_and_is_not_complete(stage: Stage) -> None:
    stage.spotify.lists["me/albums"] = albums(120)
    stage.spotify.fault("me/albums", None, Reply(404, {"error": {"status": 404, "message": "?"}}))
    unit = stage.read("saved_albums")
    assert (unit["status"], unit["records"], unit["objects"]) == ("failed", 50, 1)
    assert (unit["read_complete"], unit["read_keys"], unit["read_records"]) == (False, [], 0)
    assert {line["read_id"] for line in stage.lines(stage.keys("raw/saved_albums/"))} == {unit["read_id"]}
    again = stage.read("saved_albums")
    assert (again["status"], again["read_records"]) == ("complete", 120)
    assert again["read_keys"] == ["raw/saved_albums/dt=2026-11-23/20261123T060000Z-manual-00001.jsonl.gz"]


def test_profile_is_one_record_of_one_request(stage: Stage) -> None:
    unit = stage.read("profile")
    assert stage.lines(unit["read_keys"])[0]["request"] == {"path": "me", "params": {}}
    assert stage.records(unit["read_keys"]) == [stage.spotify.profile]
    assert (unit["requests"], stage.spotify.paths()) == (1, ["me"])


def test_canonical_form_ignores_the_order_of_keys_alone() -> None:
    assert canonical_json({"a": [1, {"b": 2, "c": None}]}) == canonical_json({"a": [1, {"c": None, "b": 2}]})
    assert canonical_json([1, 2]) != canonical_json([2, 1])
    assert canonical_json("a") + canonical_json("b") != canonical_json("ab")
