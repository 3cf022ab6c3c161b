"""The function's logger, and filters for libraries that would log secrets."""

from __future__ import annotations

import logging

from aws_lambda_powertools import Logger

LOG = Logger()

# botocore logs the body of GetSecretValue at DEBUG; the libraries around it may do the same.
_WARNINGS_ONLY = ("boto3", "botocore", "requests", "s3transfer", "urllib3")
# spotipy logs bearer and refresh tokens at DEBUG, and error responses at ERROR, which the units report anyway.
_SILENT = ("spotipy",)


def silence_libraries() -> None:
    """Limit libraries to warnings, whatever level is configured for them or for their child loggers."""
    for name in (*_WARNINGS_ONLY, *_SILENT):
        # A filter applies to its own logger only; the level covers loggers that are created later.
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in list(logging.root.manager.loggerDict):
        library = name.partition(".")[0]
        if library in _SILENT:
            _filter(name, logging.CRITICAL + 1)
        elif library in _WARNINGS_ONLY:
            _filter(name, logging.WARNING)


def _filter(name: str, level: int) -> None:
    library_logger = logging.getLogger(name)
    if not any(isinstance(one, _MinimumLevel) for one in library_logger.filters):
        library_logger.addFilter(_MinimumLevel(level))


class _MinimumLevel(logging.Filter):
    """Drops records below a level."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= self._level
