"""Retention of log groups: what is older is not stored, is not read any more, and is deleted at midnight.

In AWS it may still be read until it is deleted, which takes up to three days.
Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html,
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from moto.logs import logs_query
from moto.logs.models import LogsBackend, LogStream

from embedded_aws.clock import SimulatedClock, midnight_after
from embedded_aws.server.server import AwsServer

_DAY = timedelta(days=1)
_OLDEST_STORED = 14 * _DAY
_NEWEST_STORED = timedelta(hours=2)
"""From now on."""


class LogRetention:
    """Applies the retention of all log groups."""

    def __init__(self, server: AwsServer, clock: SimulatedClock) -> None:
        self._server = server
        self._clock = clock
        self._applied_at: datetime | None = None
        self._installed = ExitStack()

    def install(self) -> None:
        """Let reads begin with the oldest event that is kept."""
        # moto's annotation calls times text.
        get: Any = LogStream.get_log_events
        filtered, parsed = (
            LogStream.filter_log_events,
            logs_query._create_parsed_events,  # noqa: SLF001 - all queries read through it
        )

        def get_log_events(stream: LogStream, start_time: Any, *arguments: Any, **options: Any) -> Any:
            return get(stream, self._begin(stream.log_group, start_time), *arguments, **options)

        def filter_log_events(stream: LogStream, start_time: Any, *arguments: Any) -> Any:
            return filtered(stream, self._begin(stream.log_group, start_time), *arguments)

        def create_parsed_events(groups: list[Any], query: Any, start_time: int, end_time: int) -> list[Any]:
            # In seconds.
            begins: list[Any] = [self._begin(group, start_time * 1000) / 1000 for group in groups]
            found = (parsed([group], query, begin, end_time) for group, begin in zip(groups, begins, strict=True))
            return [event for events in found for event in events]

        put = LogsBackend.put_log_events

        def put_log_events(
            backend: LogsBackend, group_name: str, stream_name: str, events: list[dict[str, Any]]
        ) -> tuple[str, dict[str, Any]]:
            times = [int(event["timestamp"]) for event in events]
            group = backend.groups.get(group_name)
            if group is None or times != sorted(times):
                return put(backend, group_name, stream_name, events)
            rejected = self._rejected(group, times)
            begin = max(rejected["expiredLogEventEndIndex"], rejected["tooOldLogEventEndIndex"])
            end = rejected["tooNewLogEventStartIndex"]
            token, _ = put(backend, group_name, stream_name, events[begin:end])
            nothing = {
                "expiredLogEventEndIndex": 0,
                "tooOldLogEventEndIndex": 0,
                "tooNewLogEventStartIndex": len(times),
            }
            return token, {name: index for name, index in rejected.items() if index != nothing[name]}

        for owner, name, replacement in (
            (LogsBackend, "put_log_events", put_log_events),
            (LogStream, "get_log_events", get_log_events),
            (LogStream, "filter_log_events", filter_log_events),
            (logs_query, "_create_parsed_events", create_parsed_events),
        ):
            self._installed.enter_context(patch.object(owner, name, replacement))

    def close(self) -> None:
        """Restore moto."""
        self._installed.close()

    def next_due(self) -> datetime | None:
        """Return the midnight after events were last deleted; None while all are kept."""
        if self._applied_at is None or not any(group.retention_in_days for group in self._groups()):
            self._applied_at = self._clock.now
            return None
        return midnight_after(self._applied_at)

    def run_due(self) -> bool:
        """Delete what has expired if midnight has passed since the last time; return whether it has."""
        due, now = self.next_due(), self._clock.now
        if due is None or due > now:
            return False
        self._applied_at = now
        for group in self._groups():
            for stream in list(group.streams.values()):
                _expire(stream, self._oldest(group))
        return True

    def _rejected(self, group: Any, times: list[int]) -> dict[str, int]:
        """Return where the events that are not stored end and begin, by AWS's names of these indexes."""
        now = self._clock.now
        oldest, newest = (int(one.timestamp() * 1000) for one in (now - _OLDEST_STORED, now + _NEWEST_STORED))
        return {
            "expiredLogEventEndIndex": bisect_left(times, self._oldest(group)),
            "tooOldLogEventEndIndex": bisect_left(times, oldest),
            "tooNewLogEventStartIndex": bisect_right(times, newest),
        }

    def _groups(self) -> list[Any]:
        return list(self._server.backend("logs").groups.values())

    def _begin(self, group: Any, asked: int | None) -> int:
        """Return when a read begins: as asked, or with the oldest event that is kept."""
        return max(asked or 0, self._oldest(group))

    def _oldest(self, group: Any) -> int:
        """Return the time of the oldest event that may be kept, in milliseconds; 0 if all are."""
        if not group.retention_in_days:
            return 0
        return int((self._clock.now - int(group.retention_in_days) * _DAY).timestamp() * 1000)


def _expire(stream: Any, oldest: int) -> None:
    for event in [event for event in stream.events if event.timestamp < oldest]:
        # One by one: others may be added meanwhile.
        stream.events.remove(event)
        stream.stored_bytes -= len(event.message)
