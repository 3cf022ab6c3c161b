"""Several imports together have the fewest plays that all of them can be copies of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations_with_replacement, product
from random import Random
from typing import Any

import pytest

from tests.queries.lake import Lake, moment, run

TITLE_OF = {"a": "One song", "b": "One song", "c": "Another"}
"""URI → title."""
NAMELESS = ""
"""The title of a play about which nothing is known."""

Elements = Counter[tuple[str, str]]
"""The elements of an import with one time and length: (URI, title) → how often."""


def moments(most: Sequence[int], triples: int) -> list[tuple[Elements, ...]]:
    """Generate what several imports may have at one moment.

    Args:
        most: how often one import may have each kind of element: those of `TITLE_OF`, one song without a URI, another
            without a URI, one of which nothing is known.
        triples: how many sets of three imports to take; pairs are taken all.
    """
    kinds = [*TITLE_OF.items(), ("", "One song"), ("", "Another"), ("", NAMELESS)]
    imports = [
        Counter({kind: times for kind, times in zip(kinds, numbers, strict=True) if times})
        for numbers in product(*(range(number + 1) for number in most))
    ]
    chosen = Random(7)  # noqa: S311 - a sample, the same in every run
    return [
        *combinations_with_replacement(imports, 2),
        *(tuple(chosen.choices(imports, k=3)) for _ in range(triples)),
    ]


def is_copy(elements: Elements, plays: Elements) -> bool:
    """Return whether an import can be a copy of some of these plays, each element of a different one."""
    if any(times > plays[kind] for kind, times in elements.items() if kind[0]):
        return False
    for title in set(TITLE_OF.values()):
        of_title = sum(times for (_, its_title), times in elements.items() if its_title == title)
        if of_title > sum(times for (_, its_title), times in plays.items() if its_title == title):
            return False
    return elements.total() <= plays.total()


def fewest(imports: Sequence[Elements]) -> Elements:
    """Return the fewest plays that each import can be a copy of."""
    named: Elements = Counter()
    for one in imports:
        named |= Counter({kind: times for kind, times in one.items() if kind[0]})
    return min(
        (plays for plays in with_nameless(named) if all(is_copy(one, plays) for one in imports)), key=Counter.total
    )


def with_nameless(named: Elements) -> Iterator[Elements]:
    for numbers in product(range(3), repeat=3):
        yield named + Counter(dict(zip((("", "One song"), ("", "Another"), ("", NAMELESS)), numbers, strict=True)))


def rows(when: datetime, elements: Elements) -> Iterator[dict[str, Any]]:
    for (uri, title), times in elements.items():
        for number in range(times):
            yield {
                "played_at": when,
                "item_uri": uri,
                "item_type": "track",
                "track_name": title or None,
                "artist_name": "Abba" if title else None,
                "ms_played": 60_000,
                "reason_end": f"end {number}",
            }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("most", "triples"),
    [
        pytest.param((1, 1, 0, 2, 0, 1), 200, id="one title"),
        pytest.param((1, 0, 1, 1, 1, 2), 200, id="two titles", marks=pytest.mark.slow),
        pytest.param((1, 1, 1, 2, 1, 2), 2_000, id="all", marks=pytest.mark.slow),
    ],
)
def test_imports_together_have_the_fewest_plays_that_all_can_be_copies_of(
    lake: Lake, most: tuple[int, ...], triples: int
) -> None:
    starts_at = moment("2020-01-01")
    every = dict(enumerate(moments(most, triples)))
    for number in range(3):
        plays = [
            row
            for minute, imports in every.items()
            for row in rows(starts_at + timedelta(minutes=minute), (*imports, Counter())[number])
        ]
        lake.import_plays(run(20 + number, trigger="import"), plays)

    found: dict[int, Elements] = {minute: Counter() for minute in every}
    for played_at, uri, title, times in lake.query(
        "SELECT played_at, item_uri, coalesce(track_name, ''), count(*) FROM listens GROUP BY 1, 2, 3"
    ):
        found[(played_at - starts_at) // timedelta(minutes=1)][uri, title] += times
    wrong = {
        minute: (imports, found[minute])
        for minute, imports in every.items()
        if found[minute].total() != fewest(imports).total() or not all(is_copy(one, found[minute]) for one in imports)
    }
    assert wrong == {}
