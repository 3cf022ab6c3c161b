"""The natural reading of an answer as bars."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.errors import CommandError
from cli.query.answers import ResultColumn
from cli.query.charts import Bars, read_bars, save_chart

TEXT, NUMBER, DAY = ("varchar", "VARCHAR"), ("bigint", "BIGINT"), ("date", "DATE")
HOSTILE = "</script><b>bold</b>"


def columns(**kinds: tuple[str, str]) -> list[ResultColumn]:
    return [ResultColumn(name, *kind) for name, kind in kinds.items()]


def test_artist_is_drawn_against_listens_and_not_against_the_place() -> None:
    bars = read_bars(
        columns(account_id=TEXT, place=NUMBER, artist_name=TEXT, listens=NUMBER, tracks=NUMBER),
        [("me", "1", "A", "9", "2"), ("me", "2", "B", "4", "3")],
    )
    assert bars == Bars("listens", (("A", 9.0), ("B", 4.0)))


def test_year_is_a_label_although_it_is_a_number() -> None:
    bars = read_bars(columns(account_id=TEXT, year=NUMBER, hours=NUMBER), [("me", "2025", "9"), ("me", "2026", None)])
    assert bars == Bars("hours", (("2025", 9.0), ("2026", 0.0)))


def test_labels_are_as_many_columns_as_tell_the_rows_apart() -> None:
    bars = read_bars(
        columns(weekday=NUMBER, hour=NUMBER, n=NUMBER), [("1", "0", "5"), ("1", "1", "6"), ("2", "0", "7")]
    )
    assert bars == Bars("n", (("1 · 0", 5.0), ("1 · 1", 6.0), ("2 · 0", 7.0)))


def test_one_row_is_a_bar_too() -> None:
    assert read_bars(columns(day=DAY, n=NUMBER), [("2026-11-02", "5")]) == Bars("n", (("2026-11-02", 5.0),))


@pytest.mark.parametrize("rows", [[("A", "B"), ("C", "D")], []])
def test_without_a_number_or_rows_there_is_no_chart(rows: list[tuple[str, str]]) -> None:
    with pytest.raises(CommandError, match=r"^(The answer cannot be drawn|There are no rows to draw): .*\.$"):
        read_bars(columns(a=TEXT, b=TEXT), rows)


@pytest.mark.slow
def test_titles_in_files_are_text_and_nothing_else(tmp_path: Path) -> None:
    bars = Bars("listens", ((HOSTILE, 3.0), ("x" * 60, 2.0), ("x" * 61, 1.0)))
    for name in ("c.svg", "c.html"):
        save_chart(tmp_path / name, HOSTILE, bars)
    svg, page = ((tmp_path / name).read_text("utf-8") for name in ("c.svg", "c.html"))
    for written in (svg, page):
        assert "<b>" not in written
        assert "<script" not in written
        assert "</script" not in written
        # Labels that are equal once they are clipped are still two bars.
        assert f"{'x' * 39}… (2)" in written
    assert page.startswith("<!doctype html>")


def test_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^Cannot write .*c\.svg \(No such file or directory\): choose another"):
        save_chart(tmp_path / "gone" / "c.svg", "t", Bars("n", (("a", 1.0),)))
