"""The function's logger, and the silence of libraries that would log secrets."""

from __future__ import annotations

import logging

from aws_lambda_powertools import Logger

logger = Logger()

# botocore logs the body of GetSecretValue at DEBUG, and so may whatever lies around it.
_WARNINGS_ONLY = ("boto3", "botocore", "requests", "s3transfer", "urllib3")
# spotipy logs bearer tokens and the refresh token at DEBUG, and at ERROR what an answer says: units tell of that.
_SILENT = ("spotipy",)


def keep_secrets() -> None:
    """Let libraries log warnings at most, whatever level anyone has set for them or for a logger below them."""
    for name in (*_WARNINGS_ONLY, *_SILENT):
        # A filter holds for its own logger alone; the level is for those that are made later.
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in list(logging.root.manager.loggerDict):
        library = name.partition(".")[0]
        if library in _SILENT:
            _filter(name, logging.CRITICAL + 1)
        elif library in _WARNINGS_ONLY:
            _filter(name, logging.WARNING)


def _filter(name: str, level: int) -> None:
    found = logging.getLogger(name)
    if not any(isinstance(one, _AtLeast) for one in found.filters):
        found.addFilter(_AtLeast(level))


class _AtLeast(logging.Filter):
    """Lets pass what is severe enough."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= self._level
