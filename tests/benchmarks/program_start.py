"""Measures how much CPU the Pulumi program takes under mocks, from its start to the finished graph.

`make bench-program` prints it beside the import of the AWS provider's modules alone, which the program cannot avoid.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import dataclass

from tests.pipeline.program import ROOT, run

ROUNDS = 5

_CPU = "import resource; used = resource.getrusage(resource.RUSAGE_SELF); print(used.ru_utime + used.ru_stime)"
_PROGRAM = f"from tests.pipeline.program import run; run(); {_CPU}"


@dataclass(frozen=True)
class ProgramStart:
    """CPU seconds of two processes, each with the start of Python."""

    program: float
    """From the start of the program to the finished graph."""
    imports: float
    """The import of `pulumi` and of the provider's modules that the program uses."""


def measure(rounds: int = ROUNDS) -> ProgramStart:
    """Return the medians of some rounds, in which the two take turns."""
    tokens = {each.token.split(":")[1].split("/")[0] for each in run().resources if each.token.startswith("aws:")}
    # The question loads the module: the provider's are loaded when they are first used.
    modules = "; ".join(
        f"hasattr(pulumi_aws.{'lambda_' if name == 'lambda' else name}, 'any')" for name in sorted(tokens)
    )
    pairs = [(_cpu(_PROGRAM), _cpu(f"import pulumi, pulumi_aws; {modules}; {_CPU}")) for _ in range(rounds)]
    return ProgramStart(*(statistics.median(column) for column in zip(*pairs, strict=True)))


def _cpu(code: str) -> float:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    """Measure and print."""
    found = measure()
    sys.stdout.write(
        "| program, start to finished graph | the provider's modules alone | program ÷ modules |\n"
        "| ---: | ---: | ---: |\n"
        f"| {found.program:.2f} s | {found.imports:.2f} s | {found.program / found.imports:.2f} |\n"
    )


if __name__ == "__main__":
    main()
