"""`spotify-etl import-history` against moto's S3."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import boto3
import pytest
import time_machine
from botocore.exceptions import EndpointConnectionError

from cli.main import main
from handlers.layout import ManifestKey, RawKey, state_key
from handlers.raw import objects
from handlers.raw.bucket import ConflictError, RawBucket
from handlers.raw.manifest import UnitRow
from handlers.streams import STREAMS
from tests.cli.import_stage import ACCOUNT, BUCKET, ImportStage, KilledError, at_put, interrupted, killed
from tests.cli.privacy_exports import (
    PERSONAL,
    USER_NAME,
    account_data_file,
    account_data_play,
    audio_file,
    endsong_file,
    plays,
    sent,
    sent_before_2022,
    written,
    zipped,
)
from tests.thoroughness import sampled

GIVE = "Pass the zip that Spotify sent, or the folder it unpacks to."
NOW = "2026-11-23T06:00:00.250Z"
FUTURE = ("2026-11-23T07:00:00Z", "2026-11-25T00:00:00Z", "2999-01-01T00:00:00Z")
RUN = "20261123T060000Z-import"
STREAM = "streaming_history"
STATE = state_key(ACCOUNT, STREAM)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def unit_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["spotify-etl", "import-history", *arguments])
    try:
        main()
    except SystemExit as end:
        return end.code
    return 0


def test_a_file_becomes_a_raw_object_of_the_kind_that_the_extractor_writes(stage: ImportStage, tmp_path: Path) -> None:
    path = audio_file(tmp_path, "2020", plays(0, 3))
    content_hash = hashlib.sha256(path.read_bytes()).hexdigest()

    stage.run(path)

    key = str(RawKey(STREAM, RUN, 0, unit_of(path)))
    assert stage.keys("raw/") == [key]
    assert stage.lines(key) == [
        {
            "stream": STREAM,
            "run_id": RUN,
            "read_id": content_hash,
            "extracted_at": NOW,
            "account_id": ACCOUNT,
            "request": {"path": "", "params": {}},
            "context": {},
            "record": record,
        }
        for record in plays(0, 3)
    ]
    assert gzip.decompress(stage.body(key)).isascii()
    assert stage.body(key)[4:8] == bytes(4)  # gzip's time
    head = stage.s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
    assert head["ContentType"] == "application/gzip"
    assert head["ChecksumSHA256"]
    metadata = head["Metadata"]
    assert {**metadata, "account-id": unquote(metadata["account-id"])} == {
        "read-id": content_hash,
        "account-id": ACCOUNT,
        "lines": "3",
    }


def test_the_manifest_has_the_fields_of_the_extractors_and_names_each_file(stage: ImportStage, tmp_path: Path) -> None:
    paths = [audio_file(tmp_path, "2020", plays(0, 3)), audio_file(tmp_path, "2021", plays(3, 4))]

    stage.run(*paths)

    (manifest,) = stage.manifests()
    assert stage.keys("runs/") == [str(ManifestKey(RUN, 0))]
    units = manifest.pop("units")
    assert manifest == {
        "run_id": RUN,
        "attempt": 0,
        "trigger": "import",
        "scheduled_at": "2026-11-23T06:00:00.000Z",
        "started_at": NOW,
        "finished_at": NOW,
        "account_id": ACCOUNT,
        "status": "complete",
        "reason": None,
    }
    assert [set(unit) for unit in units] == [set(UnitRow(stream=STREAM).row())] * 2
    assert units == [
        {
            "stream": STREAM,
            "unit": unit_of(path),
            "mode": "full",
            "read_id": hashlib.sha256(path.read_bytes()).hexdigest(),
            "status": "complete",
            "reason": None,
            "requests": 0,
            "records": count,
            "objects": 1,
            "locked_until": None,
            "read_complete": True,
            "read_keys": [str(RawKey(STREAM, RUN, 0, unit_of(path)))],
            "read_records": count,
        }
        for path, count in zip(paths, (3, 4), strict=True)
    ]
    assert STREAMS[STREAM].mode == "import"


def test_nothing_stored_or_printed_holds_personal_data(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    endsong_file(tmp_path, "0", plays(0, 20))
    audio_file(tmp_path, "whole", plays(20, 20))
    odd = [*map(sent_before_2022, plays(40, 2)), PERSONAL[0], list(PERSONAL), {"more": [sent_before_2022({})]}, None]
    (tmp_path / "endsong_1.json").write_bytes(written(odd))
    whole = written(map(sent_before_2022, plays(50, 5)))
    for number, place in enumerate([whole.rindex(text.encode()) + 3 for text in PERSONAL]):
        (tmp_path / f"endsong_cut{number}.json").write_bytes(whole[:place])
    (tmp_path / "Streaming_History_Audio_odd.json").write_bytes(whole[:-20] + b"\xff" + PERSONAL[0].encode())
    none = tmp_path / "none" / "endsong_none.json"
    none.parent.mkdir()

    assert run_command(monkeypatch, str(tmp_path), "--bucket", BUCKET) == 1
    for content in (PERSONAL[0].encode(), written([list(PERSONAL), {"ts": PERSONAL[0], USER_NAME: 1}])):
        none.write_bytes(content)
        assert run_command(monkeypatch, str(none), "--bucket", BUCKET) == 1

    output = capsys.readouterr()
    printed = (output.out + output.err).encode()
    stored = stage.everything()
    assert b"Track 50" in stored
    assert (
        b"4 of 6 elements cannot become plays: not an object (element 3), a list (element 4), neither ts nor endTime "
        b"(element 5), null (element 6)." in printed
    )
    assert [text for text in PERSONAL if text.encode() in stored + printed] == []
    assert not [name for name in (b"ip_addr", b"user_agent", b"username") if name in stored]


def test_a_zip_is_the_same_import_as_its_files_and_given_with_them_each_counts_once(
    stage: ImportStage, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    audio, old = audio_file(folder, "2020", plays(0, 12)), audio_file(folder, "2021", plays(12, 12))
    archive = zipped(tmp_path / "data.zip", [audio, old])

    printed = stage.run(archive, folder, audio)

    assert stage.keys("raw/") == sorted(str(RawKey(STREAM, RUN, 0, unit_of(path))) for path in (audio, old))
    assert stage.listened() == plays(0, 24)
    assert printed.splitlines() == [
        f"Importing for the account {ACCOUNT}.",
        "2 files with 24 plays, 2020-01-01 to 2020-01-01.",
        f"Skipped because passed twice: {audio.name}, {old.name}, {audio.name}.",
        "Left out (PDF): ReadMeFirst_ExtendedStreamingHistory.pdf.",
        "Left out (not recognized as plays): Playlist1.json.",
        "The plays will be in `plays` within minutes; Athena sees those of new months after the next crawl.",
    ]
    assert set(tmp_path.rglob("*.json")) == {audio, old}


def test_two_exports_in_one_folder_are_two_imports_and_what_both_hold_counts_once(
    stage: ImportStage, tmp_path: Path
) -> None:
    """Use two exports that share a file; a second file is longer in the later export, which also has a third."""
    files, given = tmp_path / "files", tmp_path / "given"
    given.mkdir()
    same = [plays(0, 5)]
    exports = {
        "my_spotify_data.zip": [*same, plays(5, 4)],
        "my_spotify_data (1).zip": [*same, plays(5, 6), plays(11, 3)],
    }
    for name, contents in exports.items():
        folder = files / name
        folder.mkdir(parents=True)
        zipped(given / name, [audio_file(folder, str(year), one) for year, one in enumerate(contents, start=2020)])

    printed = stage.run(given)

    assert stage.listened() == plays(0, 14)
    first, second = stage.manifests()
    assert [second["run_id"], first["run_id"]] == ["20261123T060001Z-import", RUN]
    # In the order of the names, "… (1).zip" is before "….zip".
    assert [(unit["status"], unit["records"], unit["read_records"]) for unit in first["units"]] == [
        ("complete", 5, 5),
        ("complete", 6, 6),
        ("complete", 3, 3),
    ]
    assert [(unit["status"], unit["records"], unit["read_records"]) for unit in second["units"]] == [
        ("unchanged", 0, 5),
        ("complete", 4, 4),
    ]
    assert first["units"][0]["read_keys"] == second["units"][0]["read_keys"]
    assert "4 files with 18 plays" in printed
    assert "These are 2 exports, each imported separately; plays that several of them have count once." in printed
    assert "given twice" not in printed


def test_files_of_one_folder_are_one_import_however_it_is_named(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check that they are one import: with two, the API's plays between them would count too."""
    first, second = audio_file(tmp_path, "2020", plays(0, 3)), audio_file(tmp_path, "2021", plays(2, 3))
    monkeypatch.chdir(tmp_path)

    stage.run(Path(first.name), second)

    assert [len(manifest["units"]) for manifest in stage.manifests()] == [2]
    assert stage.listened() == plays(0, 5)


def test_of_two_exports_a_whole_one_counts_beside_a_broken_one(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audio_file(tmp_path, "2020", plays(0, 5))
    (tmp_path / "endsong_0.json").write_bytes(written(plays(5, 5))[:-9])

    assert run_command(monkeypatch, str(tmp_path), "--bucket", BUCKET) == 1

    assert capsys.readouterr().err.startswith(
        "endsong_0.json cannot be read to the end, so its export does not count in `listens` yet: download it again"
    )
    assert [manifest["status"] for manifest in stage.manifests()] == ["complete", "partial"]
    assert stage.listened() == plays(0, 5)


@pytest.mark.slow
def test_a_whole_export_counts_also_where_a_broken_one_holds_all_of_it(stage: ImportStage, tmp_path: Path) -> None:
    """Import what could be unpacked from a damaged zip, next to the zip."""
    parts, unpacked = tmp_path / "files", tmp_path / "given" / "unpacked"
    parts.mkdir()
    unpacked.mkdir(parents=True)
    broken = audio_file(parts, "2021", plays(5, 5))
    broken.write_bytes(broken.read_bytes()[:-9])
    zipped(unpacked.parent / "data.zip", [audio_file(unpacked, "2020", plays(0, 5)), broken])

    assert stage.fail(unpacked.parent).startswith(f"{broken.name} cannot be read to the end")

    assert sorted(manifest["status"] for manifest in stage.manifests()) == ["complete", "partial"]
    assert stage.listened() == plays(0, 5)


@pytest.mark.slow
def test_a_broken_export_that_another_broken_one_holds_is_none_of_its_own(stage: ImportStage, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    for folder in (one, other):
        broken = audio_file(folder, "2020", plays(0, 5))
        broken.write_bytes(broken.read_bytes()[:-9])
    audio_file(other, "2021", plays(5, 5))

    stage.fail(one, other)

    assert [len(manifest["units"]) for manifest in stage.manifests()] == [2]


def test_several_damaged_files_of_a_zip_are_each_reported(stage: ImportStage, tmp_path: Path) -> None:
    """Damage them so that not a single byte can be read, and they cannot be distinguished by content."""
    files = [audio_file(tmp_path, str(2020 + year), plays(year * 5, 5)) for year in range(3)]
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for file in files:
            made.write(file, file.name)
    content = bytearray(archive.read_bytes())
    for file in files[1:]:
        content[content.index(file.read_bytes()) + 1] ^= 1
    archive.write_bytes(content)

    said = stage.fail(archive)

    why = "contains no usable plays: the file stops at element 1, because the zip is damaged"
    assert said == (
        f"{files[1].name} {why}; {files[2].name} {why}. Nothing was imported: download the zip again from Spotify, or "
        "leave them out."
    )
    assert stage.keys("raw/") + stage.keys("runs/") == []


def test_a_large_file_becomes_parts_that_are_one_read(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", 10_000)
    path = audio_file(tmp_path, "2020", plays(0, 60))

    stage.run(path)

    (unit,) = stage.manifests()[0]["units"]
    assert len(unit["read_keys"]) == unit["objects"] > 3
    assert unit["read_keys"] == [str(RawKey(STREAM, RUN, part, unit_of(path))) for part in range(unit["objects"])]
    assert [line["record"] for key in unit["read_keys"] for line in stage.lines(key)] == plays(0, 60)
    assert all(len(gzip.decompress(stage.body(key))) < 11_000 for key in unit["read_keys"])


def test_a_file_that_is_imported_already_is_unchanged_and_repeats_its_keys(
    stage: ImportStage, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    first = audio_file(tmp_path, "2020", plays(0, 12))
    stage.run(first)
    before = stage.keys("raw/")
    clock.shift(timedelta(days=30))
    second = audio_file(tmp_path, "2021", plays(12, 12))

    printed = stage.run(first, second)

    assert len(stage.keys("raw/")) == 2
    old, new = stage.manifests()[1]["units"]
    assert stage.manifests()[1]["status"] == "complete"
    assert (old["status"], old["records"], old["objects"]) == ("unchanged", 0, 0)
    assert (old["read_complete"], old["read_keys"], old["read_records"]) == (True, before, 12)
    assert old["read_id"] == hashlib.sha256(first.read_bytes()).hexdigest()
    assert (new["status"], new["records"]) == ("complete", 12)
    assert "2 files with 24 plays, 2020-01-01 to 2020-01-01." in printed
    assert "Skipped because already imported: 1 file with 12 plays." in printed
    assert stage.listened() == plays(0, 24)


def test_again_imports_what_is_imported_already_and_counts_it_once(
    stage: ImportStage, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    path = audio_file(tmp_path, "2020", plays(0, 12))
    stage.run(path)
    clock.shift(timedelta(hours=1))
    stage.run(path, again=True)
    assert [unit["status"] for manifest in stage.manifests() for unit in manifest["units"]] == ["complete"] * 2
    assert len(stage.keys("raw/")) == 2
    assert stage.listened() == plays(0, 12)


def test_accounts_are_apart(stage: ImportStage, tmp_path: Path, clock: time_machine.Traveller) -> None:
    path = audio_file(tmp_path, "2020", plays(0, 2))
    stage.run(path)
    clock.shift(timedelta(seconds=1))
    stage.run(path, account_id="another")
    assert [manifest["units"][0]["status"] for manifest in stage.manifests()] == ["complete", "complete"]
    assert stage.manifests()[1]["account_id"] == "another"
    assert {line["account_id"] for line in stage.lines(stage.keys("raw/")[1])} == {"another"}
    assert {STATE, state_key("another", STREAM)} <= set(stage.keys("state/"))


@pytest.mark.parametrize(
    "state",
    sampled(
        [
            b"",
            b"{",
            b"[]",
            b'{"files": 7}',
            b'{"files": {"UNIT": 7}}',
            b'{"files": {"UNIT": {"mode": "full", "keys": [1]}}}',
        ],
        [b'{"files": {"UNIT": 7}}'],
    ),
)
def test_state_that_holds_nonsense_is_replaced(stage: ImportStage, tmp_path: Path, state: bytes) -> None:
    path = audio_file(tmp_path, "2020", plays(0, 2))
    stage.s3.put_object(Bucket=BUCKET, Key=STATE, Body=state.replace(b"UNIT", unit_of(path).encode()))
    stage.run(path)
    assert stage.listened() == plays(0, 2)
    assert list(stage.json(STATE)["files"]) == [unit_of(path)]


@pytest.mark.parametrize(
    ("number", "when"),
    sampled(
        ((number, when) for number in range(1, 8) for when in ("before", "after")),
        # The first file's state, a part of the second.
        [(3, "after"), (5, "before")],
    ),
)
def test_killed_at_any_write_and_run_again_everything_counts_once(
    stage: ImportStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: time_machine.Traveller,
    number: int,
    when: str,
) -> None:
    """Interrupt each of seven writes: two parts and the state of each file, and the manifest."""
    monkeypatch.setattr(objects, "PART_BYTES", 6_000)
    paths = audio_file(tmp_path, "2020", plays(0, 12)), audio_file(tmp_path, "2021", plays(12, 12))
    with pytest.raises(KilledError), at_put(number, **{when: killed}):
        stage.run(*paths)
    assert stage.listened() == (plays(0, 24) if (number, when) == (7, "after") else [])
    clock.shift(timedelta(minutes=1))

    stage.run(*paths)

    assert stage.listened() == plays(0, 24)
    done = [number > 3 or (number, when) == (3, "after"), number > 6 or (number, when) == (6, "after")]
    statuses = [unit["status"] for unit in stage.manifests()[-1]["units"]]
    assert statuses == ["unchanged" if one else "complete" for one in done]


@pytest.mark.slow
def test_seven_writes_are_all_there_are(stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", 6_000)
    paths = audio_file(tmp_path, "2020", plays(0, 12)), audio_file(tmp_path, "2021", plays(12, 12))
    with at_put(8, before=killed):
        stage.run(*paths)
    assert len(stage.keys("raw/")) == 4


@pytest.mark.slow
def test_run_again_within_the_same_second_finds_its_own_objects(stage: ImportStage, tmp_path: Path) -> None:
    path = audio_file(tmp_path, "2020", plays(0, 12))
    with pytest.raises(KilledError), at_put(1, after=killed):
        stage.run(path)
    stage.run(path)
    assert len(stage.keys("raw/")) == 1
    assert stage.listened() == plays(0, 12)


@pytest.mark.parametrize(
    ("seconds", "number"),
    sampled([(0, 1), (0, 3), (0, 5), (60, 1), (60, 3), (60, 5)], [(0, 3)]),
)
def test_two_imports_overlap_and_everything_counts_once(
    stage: ImportStage, tmp_path: Path, clock: time_machine.Traveller, number: int, seconds: int
) -> None:
    """Run a second import that shares a file during the first, third or last write of the first one."""
    mine, both, others = (audio_file(tmp_path, str(year), plays(12 * year, 12)) for year in range(3))
    second: list[str] = []

    def import_too() -> None:
        if not second:
            clock.shift(timedelta(seconds=seconds))
            second.append("begun")
            second.append(stage.run(both, others))

    with at_put(number, before=import_too):
        stage.run(mine, both)

    assert len(second) == 2
    assert len({manifest["run_id"] for manifest in stage.manifests()}) == 2
    assert [len(manifest["units"]) for manifest in stage.manifests()] == [2, 2]
    assert stage.listened() == plays(0, 36)
    assert set(stage.json(STATE)["files"]) == {unit_of(path) for path in (mine, both, others)}
    clock.shift(timedelta(hours=1))
    stage.run(mine, both, others)
    assert {unit["status"] for unit in stage.manifests()[-1]["units"]} == {"unchanged"}


def test_two_imports_of_one_second_stay_two(stage: ImportStage, tmp_path: Path) -> None:
    paths = [audio_file(tmp_path, str(year), plays(1000 * year, 12)) for year in range(3)]
    for path in paths:
        stage.run(path)
    assert [manifest["run_id"] for manifest in stage.manifests()] == [
        f"20261123T06000{second}Z-import" for second in range(3)
    ]
    assert [len(manifest["units"]) for manifest in stage.manifests()] == [1, 1, 1]


def test_a_file_that_is_cut_gives_what_it_has_and_keeps_the_import_from_counting(
    stage: ImportStage, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    whole = audio_file(tmp_path, "2020", plays(0, 12))
    cut = audio_file(tmp_path, "2021", plays(12, 12))
    content = cut.read_bytes()
    cut.write_bytes(content[: content.index(b"Track 20")])

    sentence = stage.fail(whole, cut)

    assert sentence == (
        f"{cut.name} cannot be read to the end, so its export does not count in `listens` yet: download it again "
        "from Spotify and import all files again, or import the others without it."
    )
    (manifest,) = stage.manifests()
    reason = "The file stops at element 9, in the middle of its list."
    assert (manifest["status"], manifest["reason"]) == ("partial", reason)
    assert [unit["status"] for unit in manifest["units"]] == ["complete", "partial"]
    unit = manifest["units"][1]
    assert (unit["reason"], unit["records"], unit["objects"]) == (reason, 8, 1)
    assert (unit["read_complete"], unit["read_keys"], unit["read_records"]) == (False, [], 0)
    assert [line["record"] for line in stage.lines(str(RawKey(STREAM, RUN, 0, unit_of(cut))))] == plays(12, 8)
    assert stage.listened() == []
    assert list(stage.json(STATE)["files"]) == [unit_of(whole)]

    clock.shift(timedelta(hours=1))
    cut.write_bytes(content)
    stage.run(whole, cut)
    assert stage.listened() == plays(0, 24)


def test_several_broken_files_are_each_reported(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Streaming_History_Audio_0.json").write_bytes(written(plays(5, 5))[:-9])
    (tmp_path / "Streaming_History_Audio_1.json").write_bytes(written(plays(10, 1))[:-1] + b", nothing]")
    audio_file(tmp_path, "2020", plays(0, 1))

    assert run_command(monkeypatch, str(tmp_path), "--bucket", BUCKET) == 1

    output = capsys.readouterr()
    assert (
        "Streaming_History_Audio_0.json: the file stops at element 5, in the middle of its list; download" in output.out
    )
    assert (
        "Streaming_History_Audio_1.json: the file stops at element 2, where it is not valid JSON; download"
        in output.out
    )
    assert output.err.startswith(
        "Streaming_History_Audio_0.json, Streaming_History_Audio_1.json cannot be read to the end, so their export"
    )
    assert stage.manifests()[0]["reason"] == (
        "2 of 3 units are incomplete, first streaming_history: The file stops at element 5, in the middle of its list."
    )


def test_an_empty_list_beside_plays_is_a_complete_read_without_objects(stage: ImportStage, tmp_path: Path) -> None:
    empty = audio_file(tmp_path, "2019", [])
    audio_file(tmp_path, "2020", plays(0, 2))
    assert "2 files with 2 plays, " in stage.run(tmp_path)
    unit = stage.manifests()[0]["units"][0]
    assert (unit["unit"], unit["status"], unit["read_complete"]) == (unit_of(empty), "complete", True)
    assert (unit["read_keys"], unit["read_records"]) == ([], 0)
    assert len(stage.keys("raw/")) == 1


def test_empty_lists_alone_are_no_success(stage: ImportStage, tmp_path: Path) -> None:
    path = audio_file(tmp_path, "2019", [])
    assert stage.fail(path) == f"Nothing to import: {path.name} is an empty list. {GIVE}"
    assert stage.keys("raw/") + stage.keys("runs/") == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_file_of_which_no_row_can_come_ends_the_import_before_anything_is_uploaded(
    stage: ImportStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    dry_run: bool,
) -> None:
    before = stage.keys("")
    audio_file(tmp_path, "2020", plays(0, 3))
    (tmp_path / "endsong_0.json").write_bytes(
        written([None, {"ts": "2024-05-03 12:00:30"}, {"ts": 7}, {"city": "Madeuptown"}])
    )

    given = ["--dry-run"] if dry_run else ["--bucket", BUCKET]
    assert run_command(monkeypatch, str(tmp_path), *given) == 1

    assert capsys.readouterr().err == (
        "endsong_0.json contains no usable plays: null (element 1), ts is not a time such as 2024-05-03T12:00:30Z "
        "(elements 2, 3), neither ts nor endTime (element 4). Nothing was imported: download it again from Spotify, or "
        "leave it out.\n"
    )
    assert stage.keys("") == before


def test_elements_of_which_no_row_can_come_are_counted_and_said_why(stage: ImportStage, tmp_path: Path) -> None:
    path = tmp_path / "endsong_0.json"
    path.write_bytes(written([*plays(0, 2), None, {"ts": "2024", "city": "Madeuptown"}]))

    printed = stage.run(path)

    assert "1 file with 2 plays, 2020-01-01 to 2020-01-01." in printed
    assert (
        "endsong_0.json: 2 of 4 elements cannot become plays: null (element 3), ts is not a time such as "
        "2024-05-03T12:00:30Z (element 4)." in printed
    )
    (unit,) = stage.manifests()[0]["units"]
    # The transform makes a rejected record of the one that has fields.
    assert (unit["status"], unit["records"], unit["read_records"]) == ("complete", 3, 3)
    assert stage.lines(unit["read_keys"][0])[-1]["record"] == {"ts": "2024"}
    assert "Skipped because already imported: 1 file with 2 plays." in stage.run(path)


def test_the_printed_span_takes_every_time_and_is_utc(stage: ImportStage, tmp_path: Path) -> None:
    path = tmp_path / "endsong_0.json"
    times = ["2020-01-02T00:30:00+02:00", "2020-01-05T23:30:00.500-02:00", "2020-01-03T00:00:00Z"]
    path.write_bytes(written({"ts": ts} for ts in times))
    assert "1 file with 3 plays, 2020-01-01 to 2020-01-06." in stage.run(path)
    assert "1 file with 3 plays, 2020-01-01 to 2020-01-06." in stage.run(path)


@pytest.mark.parametrize(
    ("first", "last", "span"),
    sampled(
        [
            ("2020-01-01T00:00:00Z", "2020-01-01T11:00:00Z", ", 2020-01-01 to 2020-01-01"),
            ("2020-01-01", 7, ""),
            ("", "", ""),
        ],
        2,
    ),
)
def test_state_of_an_earlier_version_is_read(
    stage: ImportStage, tmp_path: Path, first: object, last: object, span: str
) -> None:
    path = audio_file(tmp_path, "2020", plays(0, 12))
    stage.run(path)
    state = stage.json(STATE)
    noted = state["files"][unit_of(path)]
    del noted["plays"]
    noted |= {"first_played_at": first, "last_played_at": last}
    stage.put(STATE, state)
    assert f"1 file with 12 plays{span}.\n" in stage.run(path)


def test_two_kinds_of_export_in_one_folder_are_two_imports(stage: ImportStage, tmp_path: Path) -> None:
    audio_file(tmp_path, "2020", plays(0, 12))
    account_data_file(tmp_path, "_music_0", 0, 9)
    account_data_file(tmp_path, "_podcast_0", 9, 1)

    printed = stage.run(tmp_path)

    assert [[unit["records"] for unit in manifest["units"]] for manifest in stage.manifests()] == [[9, 1], [12]]
    assert {line["stream"] for key in stage.keys("raw/") for line in stage.lines(key)} == {STREAM}
    assert "3 files with 22 plays, 2020-01-01 to 2020-01-01." in printed
    assert "From the small export (account data), exact to the minute: 2 files with 10 plays." in printed
    assert "These are 2 exports" in printed


def test_what_unpacks_to_more_than_an_import_may_hold_ends_before_anything_is_uploaded(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Use gzip, which does not declare its unpacked size."""
    monkeypatch.setattr("cli.import_history.MAX_BYTES", 1_000_000)
    path = tmp_path / "endsong_0.json.gz"
    path.write_bytes(gzip.compress(written(plays(0, 1))[:-1] + b" " * 1_000_000 + b"]"))
    assert path.stat().st_size < 3000
    assert stage.fail(path).startswith("There are more than 0 GB of plays, far more than any export has")
    assert stage.keys("raw/") + stage.keys("runs/") == []


@pytest.mark.parametrize("content", sampled([None, b'{"account_id": 7}', b"", b"[]", b'{"account_id": ""}'], 2))
def test_before_the_first_run_after_login_it_asks_for_one(
    stage: ImportStage, tmp_path: Path, content: bytes | None
) -> None:
    stage.s3.delete_object(Bucket=BUCKET, Key="state/login.json")
    if content is not None:
        stage.s3.put_object(Bucket=BUCKET, Key="state/login.json", Body=content)
    sentence = stage.fail(audio_file(tmp_path, "2020", plays(0, 1)))
    assert sentence == (
        "The stack does not yet know whose plays these are, which the first run finds out: run `spotify-etl extract` "
        "(after `spotify-etl login`) and import again, or pass the account with --account-id."
    )
    assert stage.keys("raw/") + stage.keys("runs/") == []


def test_a_wrong_bucket_is_told_of_before_any_file_is_read(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stage.keys("state/")
    path = audio_file(tmp_path, "2020", plays(0, 1))
    monkeypatch.setattr("cli.import_history.hash_file", killed)
    assert run_command(monkeypatch, str(path), "--bucket", "no-such-bucket", "--account-id", "named", "--again") == 1
    assert capsys.readouterr().err.startswith("There is no bucket 'no-such-bucket' in this account")


def test_a_disk_that_is_full_is_one_sentence(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = audio_file(tmp_path, "2020", plays(0, 1))
    with monkeypatch.context() as patch:
        patch.setattr("handlers.raw.objects._Part.write", full)
        sentence = stage.fail(path)
    assert sentence == (
        f"Cannot write temporary files to {tempfile.gettempdir()} (No space left on device): free some "
        "space there, or set TMPDIR to another folder, and run the command again; it continues with the files that "
        "have not been imported yet."
    )
    assert stage.keys("runs/") == []
    stage.run(path)
    assert stage.listened() == plays(0, 1)


def test_an_account_that_is_named_needs_no_login(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.s3.delete_object(Bucket=BUCKET, Key="state/login.json")
    path = audio_file(tmp_path, "2020", plays(0, 1))
    assert run_command(monkeypatch, str(path), "--bucket", BUCKET, "--account-id", "named", "--again") == 0
    assert stage.manifests()[0]["account_id"] == "named"


def test_a_name_that_several_left_out_files_have_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audio_file(tmp_path, "2020", plays(0, 1))
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Playlist1.json").write_bytes(b"{}")
    (tmp_path / "Playlist2.json").write_bytes(b"{}")

    assert run_command(monkeypatch, str(tmp_path), "--dry-run") == 0

    left_out = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Left out")]
    assert left_out == ["Left out (not recognized as plays): Playlist2.json, Playlist1.json (2 files)."]


def test_dry_run_reports_and_asks_nothing_of_aws(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = stage.keys("")
    audio_file(tmp_path, "2020", plays(0, 30))
    (tmp_path / "Streaming_History_Audio_2021.json").write_bytes(written([None, sent(plays(40, 1)[0])]))
    (tmp_path / "Playlist1.json").write_bytes(b"{}")
    monkeypatch.setattr("cli.raw_bucket.boto3.client", killed)

    assert run_command(monkeypatch, str(tmp_path), "--dry-run") == 0

    output = capsys.readouterr()
    assert output.out.splitlines() == [
        "2 files with 31 plays, 2020-01-01 to 2020-01-02.",
        "Left out (not recognized as plays): Playlist1.json.",
        "Streaming_History_Audio_2021.json: 1 of 2 elements cannot become plays: null (element 1).",
        "Nothing was imported. To import, run the command without --dry-run.",
    ]
    assert output.err == ""
    assert stage.keys("") == before


def test_dry_run_tells_of_a_broken_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "endsong_0.json").write_bytes(written(plays(0, 2))[:-1])
    assert run_command(monkeypatch, str(tmp_path), "--dry-run") == 1
    assert capsys.readouterr().err == (
        "endsong_0.json cannot be read to the end: download it again from Spotify, or leave it out. "
        "Nothing was imported.\n"
    )


def test_nothing_to_import_says_what_was_there_instead_and_what_to_give(stage: ImportStage, tmp_path: Path) -> None:
    empty, odd = tmp_path / "empty", tmp_path / "odd"
    empty.mkdir()
    odd.mkdir()
    assert stage.fail(empty) == f"Nothing to import: {empty} contains no plays. {GIVE}"
    contents = {
        "1.json": b"{}",
        "2.json": b"[1]",
        "plays.7z": b"7z\xbc\xaf\x27\x1c",
        "data.zip": b"PK\3\4 cut",
        "page.zip": b"<html>",
    }
    for name, content in contents.items():
        (odd / name).write_bytes(content)

    assert stage.fail(empty, odd) == (
        f"Nothing to import: {empty}, {odd} contain no plays. Left out (not recognized as plays): 1.json, 2.json. Left "
        "out (7z archive: unpack it and pass its contents): plays.7z. Left out because they cannot be opened: "
        "data.zip (not a complete zip file: download it again from Spotify), page.zip (a web page (HTML): log in to "
        f"Spotify and download the export again). {GIVE}"
    )
    assert stage.keys("raw/") + stage.keys("runs/") == []


def test_what_cannot_be_opened_beside_plays_is_listed_with_its_reason(stage: ImportStage, tmp_path: Path) -> None:
    audio_file(tmp_path, "2020", plays(0, 2))
    (tmp_path / "data.zip").write_bytes(b"PK\3\4 cut")
    assert (
        "Left out because it cannot be opened: data.zip (not a complete zip file: download it again from Spotify).\n"
    ) in stage.run(tmp_path)


def test_a_file_that_may_not_be_read_is_told_in_a_sentence_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = audio_file(tmp_path, "2020", plays(0, 1))
    opened = Path.open

    def refuse(one: Path, mode: str = "r") -> object:
        if one == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(one))
        return opened(one, mode)

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(Path, "open", refuse)
    assert run_command(monkeypatch, str(path), "--dry-run") == 1
    assert capsys.readouterr().err == f"{path} cannot be read (Permission denied): check its permissions.\n"


def test_plays_of_the_future_are_imported_and_reported(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Allow an hour, by which clocks may differ."""
    near, far, farther = (play | {"ts": ts} for play, ts in zip(plays(5, 3), FUTURE, strict=True))
    one, two = tmp_path / "endsong_0.json", tmp_path / "endsong_1.json"
    one.write_bytes(written([*plays(0, 3), near, far]))
    two.write_bytes(written([far, farther]))

    assert run_command(monkeypatch, str(tmp_path), "--dry-run") == 0
    printed = stage.run(tmp_path)

    rest = "dated in the future; such plays stay in `plays` but do not count as listens."
    said = [f"endsong_0.json: 1 of 5 plays is {rest}", f"endsong_1.json: 2 of 2 plays are {rest}"]
    doubled = "1 of these equals another play in every field and counts once in `listens`."
    assert printed.splitlines()[2:5] == [doubled, *said]
    assert capsys.readouterr().out.splitlines()[1:4] == [doubled, *said]
    assert [unit["read_records"] for unit in stage.manifests()[0]["units"]] == [5, 2]


def test_plays_that_stand_twice_are_counted_once_over_all_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = plays(0, 2)
    audio_file(tmp_path, "2020", [one, one, other])
    audio_file(tmp_path, "2021", [other, other | {"ms_played": 31_000}])
    assert run_command(monkeypatch, str(tmp_path), "--dry-run") == 0
    said = "2 of these equal another play in every field and count once in `listens`."
    assert capsys.readouterr().out.splitlines()[1] == said


def test_plays_from_before_spotify_began_are_imported_and_reported(stage: ImportStage, tmp_path: Path) -> None:
    path = tmp_path / "endsong_0.json"
    path.write_bytes(written([*plays(0, 2), plays(2, 1)[0] | {"ts": "1970-01-01T00:00:00Z"}]))
    assert (
        "endsong_0.json: 1 of 3 plays is dated before 2008, when Spotify was launched; such plays stay in `plays` but "
        "do not count as listens.\n"
    ) in stage.run(path)
    assert stage.manifests()[0]["units"][0]["read_records"] == 3


def test_a_file_that_mixes_both_exports_says_so(stage: ImportStage, tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_bytes(written([account_data_play(7), *plays(0, 3), account_data_play(8)]))
    printed = stage.run(path)
    assert (
        "history.json: mixes both exports, with 3 plays in the extended form and 2 in the small one; each play is "
        "treated according to its form.\n"
    ) in printed
    assert "small export" not in printed
    assert len(stage.listened()) == 5


def test_text_in_an_older_encoding_says_which_and_what_to_do(stage: ImportStage, tmp_path: Path) -> None:
    path = tmp_path / "endsong_0.json"
    umlaut = plays(0, 1)[0] | {"master_metadata_track_name": "Für Elise"}
    path.write_bytes(json.dumps([umlaut], ensure_ascii=False).encode("cp1252"))
    why = "the file stops at element 1, because its text looks like Windows-1252/Latin-1, not UTF-8"
    assert stage.fail(path) == (
        f"endsong_0.json contains no usable plays: {why}. Nothing was imported: save it as UTF-8, or leave it out."
    )
    plain = plays(1, 1)[0] | {"master_metadata_track_name": "Plain"}
    path.write_bytes(json.dumps([plain, umlaut], ensure_ascii=False).encode("cp1252"))
    assert stage.fail(path) == (
        "endsong_0.json cannot be read to the end, so its export does not count in `listens` yet: save it as UTF-8 and "
        "import it again."
    )
    (tmp_path / "endsong_1.json").write_bytes(written(plays(5, 5))[:-9])
    assert stage.fail(tmp_path).startswith(
        "endsong_0.json, endsong_1.json cannot be read to the end, so their export does not count in `listens` yet: "
        "fix each of them and import them again"
    )


@pytest.mark.slow
def test_of_many_files_without_plays_the_first_ten_are_named(stage: ImportStage, tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"endsong_{number:02}.json").write_bytes(written([None] * (number + 1)))
    said = stage.fail(tmp_path)
    assert said.count("contains no usable plays") == 10
    assert "; 2 more files contain none either. Nothing was imported: download them again from Spotify" in said
    (tmp_path / "endsong_11.json").unlink()
    assert "; 1 more file contains none either. Nothing" in stage.fail(tmp_path)


def test_files_that_were_all_imported_before_promise_nothing_new(stage: ImportStage, tmp_path: Path) -> None:
    path = audio_file(tmp_path, "2020", plays(0, 2))
    assert "The plays will be in `plays` within minutes" in stage.run(path)
    assert stage.run(path).splitlines()[-1] == "All files have already been imported; nothing new was stored."


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (
            ["OTHER", "--bucket", BUCKET],
            1,
            f"other contains no plays. Left out (not recognized as plays): Playlist1.json. {GIVE}\n",
        ),
        (["HTML", "--bucket", BUCKET], 1, "is a web page (HTML), which is what a download link gives"),
        (["MISSING", "--bucket", BUCKET], 1, "There is no file or folder"),
        (["AUDIO", "--bucket", "no-such-bucket"], 1, "There is no bucket 'no-such-bucket' in this account: `pulumi"),
        (
            ["AUDIO", "--bucket", "Not a name"],
            1,
            "There is no bucket 'Not a name' in this account: `pulumi",
        ),
        (["AUDIO", "--stack", "dev"], 1, "Stacks need the pulumi command, which is not installed"),
        (["AUDIO", "--bucket", BUCKET, "--local"], 2, "Pass either --bucket or a stack: the plays go to one bucket"),
        (["AUDIO", "--bucket", BUCKET, "--account-id", " "], 2, "--account-id must be an account_id from the tables"),
        (
            ["AUDIO", "--bucket", BUCKET, "--account-id", "\udcff"],
            2,
            "--account-id must be an account_id from the tables",
        ),
        (["--bucket", BUCKET], 2, "Missing argument 'PATH'"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    stage: ImportStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    sentence: str,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # Pulumi is not installed.
    before = stage.keys("")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "Playlist1.json").write_bytes(b"{}")
    (tmp_path / "my_spotify_data.zip").write_bytes(b"<!doctype html><title>Gone</title>")
    places = {
        "OTHER": tmp_path / "other",
        "HTML": tmp_path / "my_spotify_data.zip",
        "MISSING": tmp_path / "missing",
        "AUDIO": audio_file(tmp_path, "2020", plays(0, 1)),
    }

    assert run_command(monkeypatch, *(str(places.get(argument, argument)) for argument in arguments)) == status

    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert stage.keys("") == before


def test_an_interrupt_is_one_sentence_and_leaves_no_manifest(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with at_put(1, after=interrupted):
        assert run_command(monkeypatch, str(audio_file(tmp_path, "2020", plays(0, 1))), "--bucket", BUCKET) == 130
    assert capsys.readouterr().err == "Stopped. Everything that this command had started has been shut down.\n"
    assert stage.keys("runs/") == []


@pytest.mark.parametrize("number", [1, 2, 3])
def test_aws_that_does_not_answer_is_one_sentence_and_the_command_goes_on_when_run_again(
    stage: ImportStage, tmp_path: Path, clock: time_machine.Traveller, number: int
) -> None:
    def unreachable() -> None:
        raise EndpointConnectionError(endpoint_url="https://s3")

    path = audio_file(tmp_path, "2020", plays(0, 12))
    with at_put(number, before=unreachable):
        sentence = stage.fail(path)
    assert "check your credentials and region, and run the command again; it continues with the files" in sentence
    clock.shift(timedelta(minutes=1))
    stage.run(path)
    assert stage.listened() == plays(0, 12)


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("put_new", "Another writes. Run the command again."),
        (
            "replace",
            "Other imports keep updating the list of imported files: run the command again when they have finished.",
        ),
    ],
)
def test_others_that_are_always_first_are_one_sentence(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, sentence: str
) -> None:
    def conflict(*_: object, **__: object) -> None:
        raise ConflictError("Another writes.")

    path = audio_file(tmp_path, "2020", plays(0, 1))
    with monkeypatch.context() as patch:
        patch.setattr(RawBucket, method, conflict)
        assert stage.fail(path) == sentence
    assert stage.keys("runs/") == []
    stage.run(path)
    assert stage.listened() == plays(0, 1)


def test_no_credentials_is_one_sentence(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stage.keys("state/")
    path = audio_file(tmp_path, "2020", plays(0, 1))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this")
    assert run_command(monkeypatch, str(path), "--bucket", BUCKET) == 1
    error = capsys.readouterr().err
    assert error.startswith("Cannot create an AWS client (The config profile (nobody-has-this) could not be found)")
    assert error.count("\n") == 1


_MEASURED = """
import io, resource, sys
from pathlib import Path
import boto3
from moto import mock_aws
from rich.console import Console
from cli.import_history import import_history

with mock_aws():
    region = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3").create_bucket(Bucket="raw-bucket", CreateBucketConfiguration=region)
    console = Console(file=io.StringIO())
    import_history([Path(sys.argv[1])], "raw-bucket", account_id="ana", again=False, console=console)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(stage: ImportStage, tmp_path: Path) -> None:
    assert stage.keys("state/")  # its environment is the subprocess's
    some = json.dumps([sent(record) for record in plays(0, 1000)], indent=2).encode()[1:-2]
    peaks = []
    for size in (10_000_000, 100_000_000):
        path = tmp_path / f"endsong_{size}.json"
        with path.open("wb") as file:
            file.write(b"[")
            for number in range(size // len(some)):
                file.write(b"," * bool(number) + some)
            file.write(b"]")
        done = subprocess.run([sys.executable, "-c", _MEASURED, path], check=True, capture_output=True, text=True)
        peaks.append(int(done.stdout))
    small, large = peaks
    # moto keeps the objects, some 10 MB of them.
    assert large - small < 40
