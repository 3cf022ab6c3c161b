"""The function's logger, and the silence of libraries that would log secrets."""

from __future__ import annotations

import logging

from aws_lambda_powertools import Logger

logger = Logger()

# spotipy logs bearer tokens and the refresh token at DEBUG, botocore the body of GetSecretValue.
_TALKATIVE = (
    "boto3",
    "botocore",
    "botocore.endpoint",
    "botocore.httpsession",
    "botocore.hooks",
    "botocore.parsers",
    "spotipy",
    "spotipy.cache_handler",
    "spotipy.client",
    "spotipy.oauth2",
    "urllib3",
    "urllib3.connectionpool",
)


def keep_secrets() -> None:
    """Let libraries log warnings only, whatever level anyone has set for them."""
    for name in _TALKATIVE:
        library = logging.getLogger(name)
        if not any(isinstance(one, _WarningsOnly) for one in library.filters):
            library.addFilter(_WarningsOnly())
    # A filter holds for its own logger alone; the level reaches the many others below botocore.
    logging.getLogger("botocore").setLevel(logging.WARNING)


class _WarningsOnly(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING
