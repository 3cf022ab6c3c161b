"""Event patterns: TestEventPattern, which moto accepts without an answer, and match types that do not exist.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html,
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.events.exceptions import InvalidEventPatternException
from moto.events.models import EventPattern, EventPatternParser
from moto.events.responses import EventsHandler

from embedded_aws.server.parameters import parameter

_MATCH_TYPES = frozenset(
    {
        "anything-but",
        "cidr",
        "equals-ignore-case",
        "exists",
        "numeric",
        "prefix",
        "suffix",
        "wildcard",
    }
)
_REQUIRED = ("id", "account", "source", "time", "region", "resources", "detail-type")
"""Fields of an event without which it cannot be tested."""


def _test_event_pattern(response: EventsHandler) -> Any:
    pattern = EventPattern.load(parameter(response, "EventPattern") or "")
    if not pattern.get_pattern():
        raise InvalidEventPatternException(reason="Empty pattern")
    try:
        event = json.loads(parameter(response, "Event") or "")
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise JsonRESTError("ValidationException", "Parameter Event is not valid. Reason: it is not a JSON object")
    if missing := [name for name in _REQUIRED if name not in event]:
        raise JsonRESTError("ValidationException", f"Parameter Event is not valid. Reason: it has no {missing[0]}")
    return json.dumps({"Result": pattern.matches_event(event)}), response.response_headers  # type: ignore[arg-type] # any event


def _validate(parser: EventPatternParser, pattern: Any) -> None:
    if not isinstance(pattern, dict):
        raise InvalidEventPatternException(reason="Filter is not an object")
    for name, value in pattern.items():
        if name == "$or" and isinstance(value, list):
            for alternative in value:
                _validate(parser, alternative)
        elif isinstance(value, dict):
            _validate(parser, value)
        elif isinstance(value, list) and value:
            for each in value:
                _check_match(name, each)
        elif isinstance(value, list):
            raise InvalidEventPatternException(reason="Empty arrays are not allowed")
        else:
            raise InvalidEventPatternException(reason=f"'{name}' must be an object or an array")


def _check_match(name: str, value: Any) -> None:
    if isinstance(value, list):
        raise InvalidEventPatternException(
            reason=f"Match value of '{name}' must be a string, number, true, false or null"
        )
    if isinstance(value, dict):
        if len(value) != 1:
            raise InvalidEventPatternException(reason=f"A match expression of '{name}' must have exactly one key")
        [kind] = value
        if kind not in _MATCH_TYPES:
            raise InvalidEventPatternException(reason=f"Unrecognized match type {kind}")


REPLACEMENTS: dict[tuple[type, str], Any] = {
    (EventsHandler, "test_event_pattern"): _test_event_pattern,
    (EventPatternParser, "_validate_event_pattern"): _validate,
}
"""Class of moto and name of its method → what replaces it."""
