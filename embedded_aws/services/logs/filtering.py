"""FilterLogEvents, whose patterns moto ignores unless they are plain terms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from moto.logs import models
from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogsBackend
from moto.logs.responses import LogsResponse

from embedded_aws.server.parameters import parameter
from embedded_aws.services.logs.filter_pattern import FilterPatternError, Matches, parse

_ARN = ":log-group:"


@contextmanager
def filtered_log_events() -> Iterator[None]:
    """Filter log events by AWS's patterns while the context lasts."""
    with (
        patch.object(LogsResponse, "filter_log_events", _filter_log_events),
        patch.object(models, "EventMessageFilter", _Filter),
    ):
        yield


class _Filter:
    """What moto asks about each event."""

    def __init__(self, pattern: str | None) -> None:
        self.matches: Matches = parse(pattern or "")


def _filter_log_events(response: LogsResponse) -> str:
    given = partial(parameter, response)
    pattern, prefix, streams = given("filterPattern"), given("logStreamNamePrefix"), given("logStreamNames") or []
    if prefix and streams:
        raise InvalidParameterException(msg="logStreamNames and logStreamNamePrefix exclude each other.")
    try:
        parse(pattern or "")
    except FilterPatternError as error:
        raise InvalidParameterException(msg=str(error)) from error
    backend: LogsBackend = response.logs_backend
    group = given("logGroupName") or (given("logGroupIdentifier") or "").rpartition(_ARN)[2].removesuffix(":*")
    if prefix and group in backend.groups:
        streams = [name for name in backend.groups[group].streams if name.startswith(prefix)]
    nothing = bool(prefix and not streams and group in backend.groups)
    # An empty list of streams means all of them.
    events, token, _ = (
        ([], None, [])
        if nothing
        else backend.filter_log_events(
            group,
            streams,
            given("startTime"),
            given("endTime"),
            given("limit"),
            given("nextToken"),
            pattern,
            interleaved=True,
        )
    )
    # AWS no longer lists the streams that it has searched.
    return json.dumps({"events": events, "searchedLogStreams": [], **({"nextToken": token} if token else {})})
