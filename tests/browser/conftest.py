"""The browser of these tests."""

from __future__ import annotations

import shutil

import pytest

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The command that starts Chromium."""
    found = next(filter(None, map(shutil.which, COMMANDS)), None)
    if found is None:
        pytest.fail(
            "Chromium is not installed: install it (on Debian: apt install chromium) and run again.", pytrace=False
        )
    return found
