"""The HTTP session below spotipy: bounded time-outs and retries, no redirects, no sleep that Spotify dictates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from handlers.extract.spotify import pacing

TIMEOUTS = (3.05, 10.0)
"""Seconds to connect and to wait for the next byte."""
BODY_SECONDS = 10.0
"""How long a body may take: the second of the time-outs is one for each of its bytes."""
BACKOFF_FACTOR = 0.5

_PART_BYTES = 64 * 1024


def new_session() -> requests.Session:
    """A session that tries again after 5xx, lost connections and time-outs, and never sleeps through a 429."""
    retry = _Retry(
        total=3,
        connect=3,
        read=1,
        status=3,
        other=0,
        backoff_factor=BACKOFF_FACTOR,
        status_forcelist=(500, 502, 503, 504),
        # The one POST is for an access token, which may be asked for again.
        allowed_methods=frozenset({"GET", "POST"}),
        # urllib3 would sleep for as long as Spotify says, also after a 429: hours.
        respect_retry_after_header=False,
        raise_on_status=False,
    )
    session = requests.Session()
    # Whatever an answer says, no request leaves the hosts of the configuration.
    session.max_redirects = 0
    session.hooks["response"].append(_bound_body)
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


class _Retry(Retry):
    """Keeps the pace of requests; urllib3 alone sends the first retry at once."""

    def get_backoff_time(self) -> float:
        return max(super().get_backoff_time(), pacing.INTERVAL_SECONDS)


def _bound_body(response: requests.Response, *_: Any, **__: Any) -> None:
    """Have the whole body arrive in time."""
    raw: Any = response.raw

    def stream(*_: Any, **__: Any) -> Iterator[bytes]:
        end = time.monotonic() + BODY_SECONDS
        while part := raw.read1(_PART_BYTES, decode_content=True):
            yield part
            if time.monotonic() > end:
                response.close()
                raise requests.ReadTimeout("The body took too long.")

    # What requests reads a body through, and whose errors it translates.
    raw.stream = stream
