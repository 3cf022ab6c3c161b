"""Where the command begins: nothing is imported before an interrupt has its one sentence."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `spotify-etl`."""
    try:
        from cli.main import main as run  # noqa: PLC0415 - the import is what may be interrupted
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Nothing had begun.\n")
        sys.exit(130)
    run()
