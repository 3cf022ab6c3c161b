"""`counted_plays` counts by itself which imports are complete: exactly those that `read_arrivals` calls complete."""

from __future__ import annotations

from collections import Counter
from random import Random

from tests.queries.lake import Lake, moment, raw_key, run
from tests.thoroughness import examples

STREAM = "streaming_history"
FOUND = "SELECT account_id, import_id, _raw_key, _line, item_uri FROM counted_plays WHERE source = 'streaming_history'"
EXPECTED = """
WITH files AS (
    SELECT account_id, run_id, read_keys, min(CASE WHEN is_complete THEN 1 ELSE 0 END) OVER (
        PARTITION BY account_id, run_id
    ) AS all_complete
    FROM (
        SELECT account_id, run_id, read_keys, is_complete, row_number() OVER (
            PARTITION BY account_id, run_id, unit ORDER BY CASE WHEN is_complete THEN 0 ELSE 1 END, attempt DESC
        ) AS place
        FROM read_arrivals
        WHERE stream = 'streaming_history'
    ) AS attempts
    WHERE place = 1
),
imports AS (
    SELECT DISTINCT f.account_id, f.run_id, k._raw_key
    FROM files AS f
    CROSS JOIN UNNEST(f.read_keys) AS k (_raw_key)
    WHERE f.all_complete = 1
),
lines AS (
    SELECT p.account_id, p._raw_key, p._line, p.item_uri, rank() OVER (
        PARTITION BY p._raw_key, p._line ORDER BY p._schema_version DESC
    ) AS age
    FROM plays AS p
    LEFT JOIN object_versions AS v ON v.stream = 'streaming_history' AND v._raw_key = p._raw_key
    WHERE p.source = 'streaming_history' AND p._schema_version >= coalesce(v._schema_version, 0)
)
SELECT i.account_id, i.run_id AS import_id, l._raw_key, l._line, l.item_uri
FROM lines AS l
JOIN imports AS i ON i._raw_key = l._raw_key AND i.account_id = l.account_id
WHERE l.age = 1
"""
"""The imports that are complete, and their plays, by `read_arrivals`, which reads `plays` once more."""


def fill(lake: Lake, seed: int) -> None:
    """Insert imports of a few files that arrive in part or whole, once or twice, rejected or transformed again."""
    chance = Random(seed)  # noqa: S311 - the same in every run
    stored: dict[str, int] = {}
    for day in range(1, chance.randint(2, 4)):
        for unit in ("a", "b", "c")[: chance.randint(1, 3)]:
            _import_file(lake, chance, run(day, trigger="import"), unit, stored)
    for key, lines in stored.items():
        for line in range(1, lines + 1):
            _arrive(lake, chance, key, line)
        if chance.random() < 0.2:
            lake.replayed(STREAM, key)
    if chance.random() < 0.3:
        lake.repeat_every_row()
    lake.read(run(5), "recently_played", [{"played_at": moment("2026-11-05 05:00"), "item_uri": "played"}])


def _import_file(lake: Lake, chance: Random, run_id: str, unit: str, stored: dict[str, int]) -> None:
    keys: list[str] = []
    for attempt in range(chance.choice((1, 1, 1, 2))):
        earlier = [key for key in stored if f"-{unit}-" in key]
        if earlier and chance.random() < 0.3:
            # The file of another import again.
            keys += [chance.choice(earlier)]
        elif chance.random() < 0.9:
            key = raw_key(run_id, STREAM, unit=unit, part=attempt)
            stored[key] = chance.randint(1, 3)
            keys += [key]
        records = sum(stored[key] for key in {*keys}) + (chance.random() < 0.1)
        account = chance.choice(("ana", "ana", "ana", "ben", None)) if chance.random() < 0.2 else "ana"
        is_complete = chance.random() < 0.9
        lake.complete(
            run_id, STREAM, keys, records, unit=unit, attempt=attempt, read_complete=is_complete, account=account
        )


def _arrive(lake: Lake, chance: Random, key: str, line: int) -> None:
    how = chance.choice(("play",) * 12 + ("none", "rejected", "both", "again"))
    account = "ben" if chance.random() < 0.05 else "ana"
    play = {"played_at": moment(f"2026-10-{line:02d} 05:00"), "item_uri": f"item {line}"}
    if how in ("play", "both", "again"):
        lake.line(STREAM, "read", key, line, play, account=account)
    if how == "again":
        lake.line(STREAM, "read", key, line, {**play, "item_uri": "newer"}, account=account, version=2)
    if how in ("rejected", "both"):
        lake.reject(STREAM, "read", key, line, "wrong_type", account=account, version=chance.choice((1, 2)))


def test_the_plays_of_complete_imports_count(tables_and_views: Lake) -> None:
    some_count = Counter[bool]()
    for seed in range(examples(150, 12)):
        with tables_and_views.scenario() as lake:
            fill(lake, seed)
            found = sorted(lake.query(FOUND), key=repr)
            assert found == sorted(lake.query(EXPECTED), key=repr), seed
            some_count[bool(found)] += 1
    assert min(some_count[True], some_count[False]) > 1
