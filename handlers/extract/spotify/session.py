"""The HTTP session under spotipy: bounded time-outs and retries, no redirects, no sleep for a `Retry-After`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from handlers.extract.spotify import pacing

TIMEOUTS = (3.05, 10.0)
"""Seconds to connect, and to wait for the next byte."""
BODY_SECONDS = 10.0
"""Limit for a whole body, since the read time-out applies to each byte."""
BACKOFF_FACTOR = 0.5

_PART_BYTES = 64 * 1024


def new_session() -> requests.Session:
    """Create a session that retries 5xx, lost connections and time-outs, and never sleeps through a 429."""
    retry = _Retry(
        total=3,
        connect=3,
        read=1,
        status=3,
        other=0,
        backoff_factor=BACKOFF_FACTOR,
        status_forcelist=(500, 502, 503, 504),
        # The only POST requests an access token, which is safe to repeat.
        allowed_methods=frozenset({"GET", "POST"}),
        # urllib3 would sleep as long as Spotify says, after a 429 for hours.
        respect_retry_after_header=False,
        raise_on_status=False,
    )
    session = requests.Session()
    # Whatever a response says, no request leaves the configured hosts.
    session.max_redirects = 0
    session.hooks["response"].append(_bound_body)
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


class _Retry(Retry):
    """Keeps the pace of requests: urllib3 itself sends the first retry at once."""

    def get_backoff_time(self) -> float:
        return max(super().get_backoff_time(), pacing.INTERVAL_SECONDS)


def _bound_body(response: requests.Response, *_: Any, **__: Any) -> None:
    """Limit the time for the whole body."""
    raw: Any = response.raw

    def stream(*_: Any, **__: Any) -> Iterator[bytes]:
        end = time.monotonic() + BODY_SECONDS
        while part := raw.read1(_PART_BYTES, decode_content=True):
            yield part
            if time.monotonic() > end:
                response.close()
                raise requests.ReadTimeout("The body took too long.")

    # requests reads the body through this and translates its errors.
    raw.stream = stream
