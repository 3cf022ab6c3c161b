"""The entry point: handles Ctrl-C even while the command's modules are being imported."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run `spotify-etl`."""
    # A cloud in this process makes many objects that stay; by default, Python looks through them too often.
    gc.set_threshold(100_000)
    try:
        from cli.main import main as run  # noqa: PLC0415 - the import may be interrupted
    except KeyboardInterrupt:
        sys.stderr.write("Stopped before anything was started.\n")
        sys.exit(130)
    run()
