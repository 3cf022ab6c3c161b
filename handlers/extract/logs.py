"""The function's logger, and filters for libraries that would log secrets."""

from __future__ import annotations

import logging

from aws_lambda_powertools import Logger

LOG = Logger()


def _warnings(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def _nothing(_: logging.LogRecord) -> bool:
    return False


_FILTERS = {
    # botocore logs the body of GetSecretValue at DEBUG; the libraries around it may do the same.
    **dict.fromkeys(("boto3", "botocore", "requests", "s3transfer", "urllib3"), _warnings),
    # spotipy logs bearer and refresh tokens at DEBUG, and error responses at ERROR, which the units report anyway.
    "spotipy": _nothing,
}


def silence_libraries() -> None:
    """Limit libraries to warnings, whatever level is configured for them or for their child loggers."""
    for name in _FILTERS:
        # A filter applies to its own logger only; the level covers loggers that are created later.
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in list(logging.root.manager.loggerDict):
        if library_filter := _FILTERS.get(name.partition(".")[0]):
            logging.getLogger(name).addFilter(library_filter)
