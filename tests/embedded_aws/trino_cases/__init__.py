"""What Trino answers to single statements over the tables of `test_athena_dialect`'s lab, as JSON lines.

- `answers.jsonl`: a query, the types of its columns and its rows, in Athena's format.
- `errors.jsonl`: a statement that Trino refuses, and the code of its error.
- `not_modelled.jsonl`: a query that Trino answers and the embedded Athena refuses, and its sentence.

`make test-trino` asks Trino all of them again.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def _lines(name: str) -> list[dict[str, Any]]:
    text = files(__name__).joinpath(f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


ANSWERS: list[tuple[str, list[str], list[tuple[str | None, ...]]]] = [
    (line["sql"], line["types"], [tuple(row) for row in line["rows"]]) for line in _lines("answers")
]
ERRORS: list[tuple[str, str]] = [(line["sql"], line["error"]) for line in _lines("errors")]
NOT_MODELLED: list[tuple[str, str]] = [(line["sql"], line["error"]) for line in _lines("not_modelled")]
