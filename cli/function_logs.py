"""The functions' log lines, as CloudWatch Logs holds them.

Powertools writes one JSON object a line; Lambda itself adds lines about the invocation, whose form is described at
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_PLUMBING = frozenset(
    {
        "_aws",
        "cold_start",
        "exception",
        "function_arn",
        "function_memory_size",
        "function_name",
        "function_request_id",
        "level",
        "location",
        "message",
        "sampling_rate",
        "service",
        "stack_trace",
        "timestamp",
        "xray_trace_id",
    }
)
"""What a line has for tools, not for readers."""
_ERROR = re.compile(r"\[ERROR\]\s+(?:\S+Z\s+\S+\s+)?(?P<error>.+)")
_TIMED_OUT = re.compile(r"Task timed out after [\d.]+ seconds")
_LAMBDA_LINE = re.compile(r"(START|END|REPORT|XRAY|INIT_START|EXTENSION|LOGS) ?|\s|Traceback")
"""How lines begin that Lambda writes about an invocation, and those of a stack trace."""


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """A line that someone may want to read."""

    at: datetime
    function: str
    level: str
    message: str
    fields: Mapping[str, Any]
    """What the line adds to the message, such as `run_id`, `stream` or `reason`."""
    request_id: str
    """The invocation; '' if the line does not say."""
    id: str
    """CloudWatch's id of the line."""

    @classmethod
    def parse(cls, function: str, event: Mapping[str, Any]) -> LogLine | None:
        """Return a line; None if it is a metric, or one that Lambda writes about every invocation.

        Args:
            function: which of the functions wrote it.
            event: an event of FilterLogEvents.
        """
        text = str(event["message"]).rstrip("\n")
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        found = _of_json(content) if isinstance(content, dict) else _of_text(text)
        if found is None:
            return None
        level, message, fields, request_id, at = found
        return cls(
            at=at or datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
            function=function,
            level=level,
            message=message,
            fields=fields,
            request_id=request_id,
            id=str(event["eventId"]),
        )

    @property
    def is_crash(self) -> bool:
        """Whether it says that an invocation ended with an error."""
        return bool(self.fields.get("crash"))


def read_lines(
    logs: CloudWatchLogsClient, function: str, group: str, *, since: datetime, containing: str = ""
) -> Iterator[LogLine]:
    """Yield the lines of a log group, in CloudWatch's order; none if the group does not exist.

    Args:
        logs: a client.
        function: which of the functions writes to the group.
        group: name of the group.
        since: moment of the first line.
        containing: text that the lines contain; '' for every line.
    """
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        startTime=int(since.timestamp() * 1000),
        filterPattern=f'"{containing}"' if containing else "",
    )
    try:
        for page in pages:
            for event in page["events"]:
                if line := LogLine.parse(function, event):
                    yield line
    except logs.exceptions.ResourceNotFoundException:
        return


_Parsed = tuple[str, str, dict[str, Any], str, datetime | None]


def _of_json(content: dict[str, Any]) -> _Parsed | None:
    if str(content.get("type", "")).startswith("platform."):
        return _of_platform(content)
    request_id = str(content.get("function_request_id") or content.get("requestId") or "")
    at = _time(content.get("timestamp"))
    if "errorType" in content:
        return (
            "ERROR",
            f"{content['errorType']}: {content.get('errorMessage', '')}".rstrip(": "),
            {"crash": True},
            request_id,
            at,
        )
    if "message" not in content:
        return None
    fields = {name: value for name, value in content.items() if name not in _PLUMBING and value is not None}
    summary = fields.pop("summary", None)
    if isinstance(summary, dict):
        fields |= {name: value for name, value in summary.items() if value is not None}
    exception = content.get("exception")
    if isinstance(exception, str) and exception.strip():
        fields["error"] = exception.strip().splitlines()[-1]
    return str(content.get("level", "INFO")), str(content["message"]), fields, request_id, at


def _of_platform(content: dict[str, Any]) -> _Parsed | None:
    record = content.get("record", {})
    if content["type"] != "platform.report" or record.get("status", "success") == "success":
        return None
    message = f"The invocation ended with {record['status']}."
    reason = {"reason": record["errorType"]} if record.get("errorType") else {}
    return "ERROR", message, {"crash": True, **reason}, str(record.get("requestId", "")), _time(content.get("time"))


def _of_text(text: str) -> _Parsed | None:
    if found := _ERROR.match(text):
        return "ERROR", found["error"], {"crash": True}, "", None
    if found := _TIMED_OUT.search(text):
        return "ERROR", f"{found[0]}.", {"crash": True}, "", None
    if not text or _LAMBDA_LINE.match(text):
        return None
    return "", text, {}, "", None


def _time(text: object) -> datetime | None:
    # Powertools writes "2026-11-02 04:30:06,176+0000", Lambda "2026-11-02T04:30:06.176Z" or without milliseconds.
    try:
        moment = datetime.fromisoformat(str(text).replace(",", "."))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
