"""A CSV of labels: what it says, and what is wrong with it in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.errors import CommandError
from cli.label_files import Label, read_labels


def labels(folder: Path, text: str) -> list[Label]:
    path = folder / "labels.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return read_labels(path)


def test_subjects_are_uris_links_and_names(tmp_path: Path) -> None:
    assert labels(
        tmp_path,
        "\ufeffSubject, Label ,EXCLUDED\r\n"
        "spotify:track:1a,sleep,yes\r\n"
        "https://open.spotify.com/intl-de/playlist/2b?si=x,,TRUE\r\n"
        '"Tyler, The Creator",  road  ,no\r\n'
        "\r\n"
        "ÉLODIE,,\r\n",
    ) == [
        Label("spotify:track:1a", "sleep", True),
        Label("spotify:playlist:2b", None, True),
        Label("tyler, the creator", "road", False),
        Label("élodie", None, False),
    ]
    assert labels(tmp_path, "excluded,subject\n1,Abba\n") == [Label("abba", None, True)]
    assert labels(tmp_path, "subject\n") == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The first line of .* must be `subject,label,excluded`"),
        ("artist,label\n", "The first line of .* must be"),
        ("subject,subject\n", "The first line of .* must be"),
        ("subject,label\nAbba,x\nTyler, The Creator,x\n", "Row 3 of .* has 3 cells, not 2: quote the commas"),
        ("subject,label\n,x\n", "Row 2 of .* has no subject"),
        ("subject\n" + "x" * 501, "Row 2 of .* a cell over 500 characters"),
        ("subject\nspotify:user:me\n", "Row 2 of .* is about spotify:user:me: a subject is the URI or link of a track"),
        ("subject\nhttps://example.com/track/1\n", "Row 2 of .* is about https://example.com"),
        ("subject,excluded\nAbba,maybe\n", "Row 2 of .* says excluded = maybe: write yes or no"),
        ("subject\nAbba\n\nABBA\n", "Rows 2 and 4 of .* have the same subject"),
        ("subject\n\udcff\n", "Cannot read .*: pass a CSV file in UTF-8"),
        ("subject\n" + "\n".join(map(str, range(10_001))), "has 10,001 labels: a file may have up to 10,000"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        labels(tmp_path, text)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^Cannot read .*missing\.csv \(No such file or directory\): pass a CSV"):
        read_labels(tmp_path / "missing.csv")
