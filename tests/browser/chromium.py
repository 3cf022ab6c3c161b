"""Headless Chromium, opened for one page."""

from __future__ import annotations

import subprocess
from pathlib import Path


def open_page(chromium: str, address: str, profile: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a page, let its scripts run to their end, and return what Chromium printed: the page's DOM.

    Args:
        chromium: the command.
        address: of the page.
        profile: folder of its own.
        options: further options of the command.
    """
    command = [
        chromium,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
        *options,
        "--virtual-time-budget=30000",
        "--dump-dom",
        address,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
