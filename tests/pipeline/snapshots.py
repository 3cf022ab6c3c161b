"""Snapshots of the resource graph, for review: which resources exist, each below its parent.

`make snapshots` writes them. What the resources have as inputs is in the other tests.
"""

from __future__ import annotations

import runpy
from pathlib import Path

from tests.pipeline.program import ROOT, Mode, Program, run

FOLDER = Path(__file__).parent / "snapshots"
STALE = "The snapshot is stale: run `make snapshots`, and review what has changed."
EXAMPLES = ROOT / "examples"
COMPREHENSIVE = {
    "spotify-comprehensive:region": "eu-west-1",
    "spotify-comprehensive:accountId": "123456789012",
    "spotify-comprehensive:alertEmail": "ana@example.com",
}
"""The configuration of the comprehensive example."""


def tree(program: Program) -> str:
    """Return every resource below its parent but the named queries, of which there is one a file in queries/named."""
    return "".join(line for line in program.tree().splitlines(keepends=True) if "NamedQuery" not in line)


def example(name: str, *, mode: Mode = "up") -> Program:
    """Run an example in Python, by the name of its folder."""
    kind = name.partition("-")[2]

    def entry() -> None:
        runpy.run_path(str(EXAMPLES / name / "__main__.py"))

    return run(
        COMPREHENSIVE if kind == "comprehensive" else {},
        mode=mode,
        project=f"spotify-{kind}",
        entry=entry,
    )


def snapshots() -> dict[str, str]:
    """Return the text of each snapshot by its file's name."""
    return {"minimal.txt": tree(run()), "comprehensive.txt": tree(example("python-comprehensive"))}


def write() -> None:
    """Write every snapshot."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in snapshots().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    write()
