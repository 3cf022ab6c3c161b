"""Lines that are no good: each is one rejected record with its reason, and all others are rows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.tables import TABLES
from handlers.transform import blocks as blocks_module
from handlers.transform.rejections import MAX_LINE_CHARACTERS
from tests.handlers.transform.stage import ACCOUNT, READ, RUN, FileStage, Stage, encode, raw_line
from tests.handlers.transform.test_golden import fixture_lines
from tests.thoroughness import sampled


def saved(uri: Any = "spotify:track:1", added_at: Any = "2026-07-01T12:00:00Z", **track: Any) -> dict[str, Any]:
    return raw_line("saved_tracks", {"added_at": added_at, "track": {"uri": uri, "type": "track", "id": "1", **track}})


def entry(context: dict[str, Any], record: Any = None) -> dict[str, Any]:
    return raw_line("playlist_items", {"item": None} if record is None else record, context)


GOOD = saved("spotify:track:good")

BAD = [
    pytest.param(b"", "not_json", id="blank"),
    pytest.param(b"no json", "not_json", id="text"),
    pytest.param(encode(GOOD)[:-5], "not_json", id="cut"),
    pytest.param(encode(GOOD) + encode(GOOD), "not_json", id="two objects"),
    pytest.param(encode(GOOD) + b"null", "not_json", id="an object and null"),
    pytest.param(encode(GOOD).replace(b"good", b"g\xffd"), "not_utf8", id="bytes in the grain"),
    pytest.param(encode(saved(name="x")).replace(b'"x"', b'"\xe9"'), "not_utf8", id="bytes outside the grain"),
    pytest.param(encode(GOOD).decode().encode("utf-16"), "not_utf8", id="another encoding"),
    pytest.param(b"null", "wrong_type", id="null"),
    pytest.param(b"7", "wrong_type", id="a number"),
    pytest.param(b"[]", "wrong_type", id="a list"),
    pytest.param(b'{"a":1}', "missing_key", id="another object"),
    pytest.param(raw_line("saved_tracks", None), "null_element", id="null element"),
    pytest.param(raw_line("saved_tracks", "text"), "wrong_type", id="record is text"),
    pytest.param(raw_line("saved_tracks", {}), "missing_key", id="empty record"),
    pytest.param(saved(added_at=None), "missing_key", id="no time"),
    pytest.param(saved(added_at="yesterday"), "wrong_type", id="a time that is none"),
    pytest.param(saved(added_at="2026-02-30T00:00:00Z"), "wrong_type", id="a day that is none"),
    pytest.param(saved(added_at="2026-07-01T12:00:00"), "wrong_type", id="a time without zone"),
    pytest.param(saved(added_at=1751371200), "wrong_type", id="a number for a time"),
    pytest.param(saved(uri=5), "wrong_type", id="a number for a uri"),
    pytest.param(
        raw_line("saved_tracks", {"added_at": "2026-07-01T12:00:00Z", "track": True}), "wrong_type", id="track"
    ),
    pytest.param(b"[" * 200_000, "too_deep", id="nesting"),
]


@pytest.mark.parametrize(("line", "reason"), BAD)
def test_a_bad_line_is_rejected_with_its_reason_and_the_rest_is_kept(
    file_stage: FileStage, line: Any, reason: str
) -> None:
    lines = [saved(f"spotify:track:{number}") for number in range(20)]
    lines[12] = line

    result = file_stage.transform("saved_tracks", lines)

    (rejected,) = file_stage.rows("rejected_records")
    assert (rejected["reason"], rejected["_line"], rejected["stream"]) == (reason, 13, "saved_tracks")
    assert rejected["detail"].endswith(".")
    assert rejected["line"] == encode(line).decode(errors="backslashreplace")[:MAX_LINE_CHARACTERS]
    assert (rejected["account_id"], rejected["_run_id"], rejected["_read_id"]) == (ACCOUNT, RUN, READ)
    rows = file_stage.rows("saved_tracks")
    assert [row["_line"] for row in rows] == [number for number in range(1, 21) if number != 13]
    assert [row["item_uri"] for row in rows] == [f"spotify:track:{n}" for n in range(20) if n != 12]
    assert (result.outputs.lines, result.outputs.rejected) == (20, 1)


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ({"playlist_id": "p", "snapshot_id": "s"}, "missing_key"),
        ({"playlist_id": None, "snapshot_id": "s", "position": 0}, "missing_key"),
        ({"playlist_id": "p", "position": "0"}, "wrong_type"),
        ({"playlist_id": "p", "position": 0.5}, "wrong_type"),
        ({"playlist_id": "p", "position": 2**31}, "wrong_type"),
        ({"playlist_id": "p", "position": 10**30}, "wrong_type"),
        ({"playlist_id": {}, "position": 1}, "wrong_type"),
    ],
)
def test_the_grain_of_a_playlist_entry_is_never_guessed(
    file_stage: FileStage, context: dict[str, Any], reason: str
) -> None:
    file_stage.transform("playlist_items", [entry(context)])
    assert [row["reason"] for row in file_stage.rows("rejected_records")] == [reason]
    assert file_stage.rows("playlist_items") == []


PERSONAL = {
    "ip_addr": "203.0.113.7",
    "ip_addr_decrypted": "203.0.113.7",
    "user_agent_decrypted": "Mozilla/5.0",
    "username": "ana01",
}


@pytest.mark.parametrize(
    "line",
    [
        encode(raw_line("streaming_history", {"ts": "2026-07-01T12:00:00Z", **PERSONAL}))[:-3],
        raw_line("streaming_history", {"ts": None, **PERSONAL}),
        raw_line("streaming_history", {"ts": "2026-07-01T12:00:00Z", "spotify_track_uri": 7, **PERSONAL}),
        raw_line("streaming_history", [PERSONAL]),
        encode(raw_line("streaming_history", PERSONAL)) + b"\xff",
    ],
)
def test_nothing_of_a_bad_line_of_the_export_is_kept(file_stage: FileStage, line: Any) -> None:
    good = raw_line("streaming_history", {"ts": "2026-07-01T12:00:00Z", "platform": "ios", **PERSONAL})

    result = file_stage.transform("streaming_history", [good, line, good])

    (rejected,) = file_stage.rows("rejected_records")
    assert (rejected["line"], rejected["_line"], rejected["stream"]) == (None, 2, "streaming_history")
    assert rejected["detail"].endswith(".")
    assert [row["_line"] for row in file_stage.rows("plays")] == [1, 3]
    stored = repr([file_stage.rows(table) for table in result.outputs.rows]) + repr(result.drift.findings)
    assert not [value for value in PERSONAL.values() if value in stored]
    assert "ios" in stored


MADE_UP: dict[str, Any] = {
    f"{name}_{number}": value
    for number in range(4)
    for name, value in {
        "city": "Madeuptown",
        "latitude": 65.4321,
        "Ana's phone": "Madeuptown",
        "device": {"user": {"name": "Madeuptown"}},
        "friends": ["Madeuptown", {"username": 65.4321}],
    }.items()
}
"""Twenty fields that no export has had yet."""


@pytest.mark.parametrize(
    "documented",
    sampled(["master_metadata_track_name", "shuffle", "platform", "conn_country", "reason_end"], 2),
)
def test_no_value_of_a_field_that_is_not_documented_lands_in_the_bucket(stage: Stage, documented: str) -> None:
    play = {"ts": "2026-07-01T12:00:00Z", "spotify_track_uri": "spotify:track:kept", **MADE_UP}
    lines = [
        raw_line("streaming_history", play),
        raw_line("streaming_history", play | {documented: {"in": "Madeuptown"}}),
        raw_line("streaming_history", play | {documented: ["Madeuptown", 65.4321]}),
        raw_line("streaming_history", play | {"ts": {"at": "Madeuptown"}}),
        raw_line("streaming_history", play | {"ts": "Madeuptown"}),
        raw_line("streaming_history", play | {"ts": None, "endTime": "Madeuptown"}),
        raw_line("streaming_history", MADE_UP),
        raw_line("streaming_history", [MADE_UP]),
        encode(raw_line("streaming_history", play))[:-5],
        b"Madeuptown 65.4321",
    ]

    result = stage.transform("streaming_history", lines)

    assert (result.outputs.lines, result.outputs.rejected) == (10, 7)
    tables = [row for table in result.outputs.rows for row in stage.rows(table)]
    notes = [body for key, body in stage.everything().items() if not key.endswith(".parquet")]
    everything = repr((tables, notes, result.drift.findings))
    assert "spotify:track:kept" in everything
    assert not [text for text in ("Madeup", "65.4321", "Ana", "city", "device", "friends") if text in everything]


def test_nothing_of_a_line_of_the_export_that_is_too_long_is_kept(
    file_stage: FileStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks_module, "MAX_LINE_BYTES", 10_000)
    line = raw_line("streaming_history", {**PERSONAL, "platform": "x" * 20_000})

    file_stage.transform("streaming_history", [line])

    assert [(row["reason"], row["line"]) for row in file_stage.rows("rejected_records")] == [("too_long", None)]


def test_a_field_that_is_new_is_drift_and_the_line_a_row(file_stage: FileStage) -> None:
    result = file_stage.transform("saved_tracks", [GOOD, saved(lyrics="la")])
    assert result.outputs.rows["saved_tracks"] == 2
    finding = result.drift.findings["record.track.lyrics"]
    assert (finding.found, finding.line, finding.count) == ("an unknown field", 2, 1)


TOP = {"time_range": "short_term", "rank": 1}
ASKED = {"requested_uri": "spotify:artist:a"}


@pytest.mark.parametrize(
    ("stream", "record", "context", "reason"),
    [
        ("followed_artists", None, {}, "null_element"),
        ("followed_artists", {"name": "No id"}, {}, "missing_key"),
        ("followed_artists", {"id": 7}, {}, "wrong_type"),
        ("top_tracks", None, TOP, "null_element"),
        ("top_tracks", {"id": "t"}, {"rank": 1}, "missing_key"),
        ("top_tracks", {"id": "t"}, {"time_range": "short_term", "rank": "1"}, "wrong_type"),
        ("top_artists", "text", TOP, "wrong_type"),
        ("top_artists", {"id": "a"}, {"time_range": None, "rank": 1}, "missing_key"),
        ("saved_shows", {"show": None}, {}, "missing_key"),
        ("saved_shows", {"show": []}, {}, "wrong_type"),
        ("saved_episodes", {"added_at": "2026-07-01T12:00:00Z"}, {}, "missing_key"),
        ("saved_episodes", {"episode": {"id": 1}}, {}, "wrong_type"),
        ("catalogue", None, ASKED, "null_element"),
        ("catalogue", {"uri": "spotify:album:x"}, {}, "missing_key"),
        ("catalogue", {"uri": 5}, ASKED, "wrong_type"),
        ("streaming_history", None, {}, "null_element"),
        ("streaming_history", {"ts": None}, {}, "missing_key"),
        ("streaming_history", {"ts": "2026-07-01 12:00"}, {}, "wrong_type"),
        ("streaming_history", {"ts": "2026-07-01T12:00:00Z", "spotify_track_uri": 5}, {}, "wrong_type"),
    ],
)
def test_a_record_without_the_grain_of_its_stream_is_rejected(
    file_stage: FileStage, stream: str, record: Any, context: dict[str, Any], reason: str
) -> None:
    result = file_stage.transform(stream, [raw_line(stream, record, context)])
    (rejected,) = file_stage.rows("rejected_records")
    assert (rejected["reason"], rejected["stream"], rejected["_line"]) == (reason, stream, 1)
    assert (result.outputs.lines, result.outputs.rows) == (1, {"rejected_records": 1})


@pytest.mark.parametrize(
    ("stream", "record", "context", "row"),
    [
        ("followed_artists", {"id": "a", "name": 5}, {}, {"artist_id": "a", "artist_name": None}),
        ("top_tracks", {"name": "Gone", "album": None, "artists": None}, TOP, {"item_uri": "", "track_name": "Gone"}),
        ("top_tracks", {"id": "t", "uri": {}}, TOP, {"item_uri": "", "track_id": None}),
        ("top_tracks", {"type": "chapter", "id": "c"}, TOP, {"track_id": None, "rank": 1}),
        ("top_tracks", {"uri": "spotify:local:x", "id": None, "type": "track"}, TOP, {"item_uri": "spotify:local:x"}),
        ("top_artists", {"id": None}, TOP, {"artist_id": None, "time_range": "short_term"}),
        ("saved_shows", {"show": {"id": "s"}, "added_at": "1970-01-01T00:00:00Z"}, {}, {"added_at": None}),
        ("saved_shows", {"show": {"id": "s", "total_episodes": "7"}}, {}, {"total_episodes": None}),
        ("saved_episodes", {"episode": {"id": "e", "show": None}}, {}, {"episode_id": "e", "show_id": None}),
        ("catalogue", {"name": "?"}, ASKED, {"item_uri": "", "item_type": None, "name": "?"}),
        ("catalogue", {"type": "show", "id": "s"}, ASKED, {"item_type": "show", "album_id": None, "artist_id": None}),
        ("catalogue", {"uri": "spotify:album:x", "id": "x"}, ASKED, {"item_type": None, "album_id": "x"}),
        ("catalogue", {"type": "album", "release_date": "1981-02"}, ASKED, {"release_year": 1981, "released_on": None}),
        ("catalogue", {"type": "track", "album": {"release_date": "1981-02-03"}}, ASKED, {"release_year": 1981}),
    ],
)
def test_what_is_odd_outside_the_grain_of_a_stream_is_null(
    file_stage: FileStage, stream: str, record: Any, context: dict[str, Any], row: dict[str, Any]
) -> None:
    file_stage.transform(stream, [raw_line(stream, record, context)])
    (made,) = file_stage.rows(stream)
    assert {name: made[name] for name in row} == row


@pytest.mark.parametrize(
    ("played", "row"),
    [
        ({"spotify_track_uri": "spotify:track:t"}, ("spotify:track:t", "track", "t")),
        ({"spotify_track_uri": "spotify:local:A:B:C:1"}, ("spotify:local:A:B:C:1", "track", None)),
        ({"spotify_track_uri": "spotify:track:"}, ("spotify:track:", "track", None)),
        ({"spotify_episode_uri": "spotify:episode:e"}, ("spotify:episode:e", "episode", None)),
        ({"audiobook_chapter_uri": "spotify:episode:c"}, ("spotify:episode:c", "chapter", None)),
        ({"spotify_track_uri": None, "audiobook_uri": "spotify:show:b"}, ("", None, None)),
        ({}, ("", None, None)),
    ],
)
def test_a_play_of_the_export_is_of_the_kind_whose_uri_it_has(
    file_stage: FileStage, played: dict[str, Any], row: tuple[Any, ...]
) -> None:
    file_stage.transform("streaming_history", [raw_line("streaming_history", {"ts": "2026-07-01T12:00:00Z", **played})])
    (made,) = file_stage.rows("plays")
    assert (made["item_uri"], made["item_type"], made["track_id"]) == row


@pytest.mark.parametrize(
    ("track", "column", "path", "found"),
    [
        ({"name": 5}, "track_name", "record.track.name", "an integer"),
        ({"duration_ms": "long"}, "duration_ms", "record.track.duration_ms", "a string"),
        ({"duration_ms": 0.5}, "duration_ms", "record.track.duration_ms", "a number"),
        ({"duration_ms": float("nan")}, "duration_ms", "record.track.duration_ms", "a number"),
        ({"duration_ms": "DIGITS"}, "duration_ms", "record.track.duration_ms", "a number"),
        ({"is_local": "no"}, "is_local", "record.track.is_local", "a string"),
        ({"artists": {}}, "artist_name", "record.track.artists", "an object"),
        ({"artists": ["A"]}, "artist_name", "record.track.artists[]", "a string"),
        ({"album": []}, "album_name", "record.track.album", "a list"),
    ],
)
def test_a_wrong_type_outside_the_grain_is_null_and_drift(
    file_stage: FileStage, track: dict[str, Any], column: str, path: str, found: str
) -> None:
    text = json.dumps(saved(**track)).replace('"DIGITS"', "1" + "0" * 5000)

    result = file_stage.transform("saved_tracks", [GOOD, text.encode(), text.encode()])

    rows = file_stage.rows("saved_tracks")
    assert [row["_line"] for row in rows] == [1, 2, 3]
    assert rows[1][column] is None
    finding = result.drift.findings.pop(path)
    assert (finding.found, finding.line, finding.count) == (found, 2, 2)
    assert result.drift.findings == {}
    assert result.outputs.rejected == 0


def test_what_can_be_kept_of_an_odd_value_is_kept_and_reported(file_stage: FileStage) -> None:
    odd = encode(saved(name="x")).replace(b'"name":"x"', rb'"name":"half \ud800 pair","duration_ms":1000.0')
    twice = encode(saved(name="x")).replace(b'"name":"x"', b'"name":"first","name":"second"')

    result = file_stage.transform("saved_tracks", [odd, twice])

    rows = file_stage.rows("saved_tracks")
    assert [row["track_name"] for row in rows] == ["half \ufffd pair", "second"]
    assert rows[0]["duration_ms"] == 1000
    assert {path: finding.found for path, finding in result.drift.findings.items()} == {
        "record.track.name": "half a surrogate pair",
        "record.track.duration_ms": "a whole number written with a fraction",
    }


def test_a_malformed_time_outside_the_grain_is_null_and_drift(file_stage: FileStage) -> None:
    times = {
        "2026-07-01T12:00:00Z": "2026-07-01T12:00:00",
        "2026-07-01T12:00:00.120Z": "2026-07-01T12:00:00.120000",
        "2026-07-01T12:00:00.123456Z": "2026-07-01T12:00:00.123000",
        "2026-07-01T12:00:00+02:00": "2026-07-01T10:00:00",
        "1970-01-01T00:00:00Z": None,
        "0000-01-01T00:00:00Z": None,
        "2026-02-30T12:00:00Z": None,
        "2026-07-01": None,
        "": None,
    }
    lines = [
        entry({"playlist_id": "p", "position": position}, {"added_at": text, "item": None})
        for position, text in enumerate([*times, None])
    ]

    result = file_stage.transform("playlist_items", lines)

    added = [row["added_at"] and row["added_at"].isoformat() for row in file_stage.rows("playlist_items")]
    assert added == [*times.values(), None]
    finding = result.drift.findings["record.added_at"]
    assert (finding.found, finding.count) == ("a value that does not fit timestamp", 4)


@pytest.mark.parametrize("beside", ["2026-07-01T12:00:00Z", "2026-02-30T00:00:00Z"])
@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
def test_a_time_whose_offset_leads_out_of_all_years_is_none_whatever_stands_beside_it(
    file_stage: FileStage, text: str, beside: str
) -> None:
    file_stage.transform("playlist_items", [raw_line("playlist_items", {"added_at": at}) for at in (text, beside)])
    assert file_stage.rows("playlist_items")[0]["added_at"] is None


def test_an_integer_beyond_the_column_is_null_and_drift(file_stage: FileStage) -> None:
    result = file_stage.transform("saved_tracks", [saved(track_number=2**31), saved(track_number=3)])
    assert [row["track_number"] for row in file_stage.rows("tracks")] == [None, 3]
    assert result.drift.findings["record.track.track_number"].found == "a value that does not fit int"


@pytest.mark.parametrize(
    ("text", "year", "day"),
    [
        ("1981", 1981, None),
        ("1981-12", 1981, None),
        ("1981-12-15", 1981, "1981-12-15"),
        ("1981-02-30", 1981, None),
        ("0000", None, None),
        ("0000-01-01", None, None),
        ("", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_release_dates_are_kept_as_sent_and_read_where_they_can_be(
    file_stage: FileStage, text: str | None, year: int | None, day: str | None
) -> None:
    result = file_stage.transform("saved_tracks", [saved(album={"id": "a", "release_date": text})])
    (album,) = file_stage.rows("albums")
    assert (album["release_date"], album["release_year"]) == (text, year)
    assert (album["released_on"] and album["released_on"].isoformat()) == day
    assert result.drift.findings == {}


def test_a_line_longer_than_a_line_may_be_never_reaches_the_parser(
    file_stage: FileStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 20_000)
    monkeypatch.setattr(blocks_module, "MAX_LINE_BYTES", 10_000)
    lines = [GOOD, saved(name="n" * 11_000), GOOD, saved(name="n" * 90_000), GOOD]

    result = file_stage.transform("saved_tracks", lines)

    rejected = file_stage.rows("rejected_records")
    assert [(row["_line"], row["reason"]) for row in rejected] == [(2, "too_long"), (4, "too_long")]
    assert rejected[1]["line"] == encode(lines[3]).decode()[:MAX_LINE_CHARACTERS]
    assert [row["_line"] for row in file_stage.rows("saved_tracks")] == [1, 3, 5]
    assert (result.outputs.lines, result.outputs.rejected) == (5, 2)


def test_carriage_returns_and_a_byte_order_mark_do_no_harm(file_stage: FileStage) -> None:
    lines = [b"\xef\xbb\xbf" + encode(GOOD) + b"\r", encode(GOOD) + b"\r", encode(GOOD)]
    assert file_stage.transform("saved_tracks", lines).outputs.rows["saved_tracks"] == 3


def test_a_line_that_lacks_its_envelope_has_it_from_the_object(file_stage: FileStage) -> None:
    line = {"record": GOOD["record"], "context": {}, "read_id": None, "account_id": 7}
    result = file_stage.transform("saved_tracks", [line])
    (row,) = file_stage.rows("saved_tracks")
    assert (row["account_id"], row["_run_id"], row["_read_id"]) == (ACCOUNT, RUN, READ)
    assert row["_extracted_at"] is None
    assert set(result.drift.findings) == {"account_id"}


def test_a_rejected_record_gives_no_entities(file_stage: FileStage) -> None:
    (line,) = fixture_lines("saved_tracks", "development")
    line["record"]["added_at"] = None
    assert file_stage.transform("saved_tracks", [line]).outputs.rows == {"rejected_records": 1}


def test_the_lengths_at_which_lines_are_cut_are_documented() -> None:
    docs = {column.name: column.doc for column in TABLES["rejected_records"].columns}
    assert f"up to {MAX_LINE_CHARACTERS:,} characters" in docs["line"]
    assert f"`too_long` (over {blocks_module.MAX_LINE_BYTES // 1024 // 1024} MB)" in docs["reason"]
