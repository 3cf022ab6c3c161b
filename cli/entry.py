"""The entry point: handles Ctrl-C even while the command's modules are being imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `spotify-etl`."""
    try:
        from cli.main import main as run  # noqa: PLC0415 - the import may be interrupted
    except KeyboardInterrupt:
        sys.stderr.write("Stopped before anything was started.\n")
        sys.exit(130)
    run()
