from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.compact.event import CompactionEvent, CompactionEventError


@pytest.mark.parametrize(
    ("event", "parsed"),
    [
        ({"trigger": "schedule"}, CompactionEvent()),
        ({}, CompactionEvent()),
        ({"trigger": "manual", "table": "plays", "month": "2026-11"}, CompactionEvent(table="plays", month="2026-11")),
        (
            {"trigger": "manual", "purge_before": "2026-11-01T01:00:00.000+01:00"},
            CompactionEvent(purge_before=datetime(2026, 11, 1, tzinfo=UTC)),
        ),
        ({"table": None, "month": None, "purge_before": None}, CompactionEvent()),
        ({"trigger": "schedule", "delete_only": True}, CompactionEvent(delete_only=True)),
    ],
)
def test_what_an_event_says(event: Any, parsed: CompactionEvent) -> None:
    assert CompactionEvent.parse(event) == parsed


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ([], "The event is of type list instead of an object with a trigger."),
        ({"tabel": "plays"}, "The event has an unknown key 'tabel': the known keys are trigger, table, month, purge"),
        ({"trigger": "daily"}, "The event's trigger is 'daily' instead of one of schedule, manual."),
        ({"trigger": []}, r"The event's trigger is \[\] instead of one of schedule, manual."),
        ({"table": "play"}, "The event's table is 'play' instead of one of profile, .*, rejected_records."),
        ({"table": ["plays"]}, r"The event's table is \['plays'\] instead of one of "),
        ({"month": "2026-13"}, "The event's month is '2026-13' instead of a month such as 2026-11."),
        ({"month": "2026-1"}, "The event's month is '2026-1' instead of a month such as 2026-11."),
        ({"month": 202611}, "The event's month is 202611 instead of a month such as 2026-11."),
        ({"purge_before": "yesterday"}, "The event's purge_before is 'yesterday' instead of a time with its zone"),
        ({"purge_before": "2026-11-01T00:00:00"}, "The event's purge_before is '2026-11-01T00:00:00' instead of a"),
        ({"purge_before": "0001-01-01T00:00:00+14:00"}, "The event's purge_before is '0001-01-01T"),
        ({"delete_only": "yes"}, "The event's delete_only is 'yes' instead of true or false."),
        (
            {"delete_only": True, "purge_before": "2026-11-01T00:00:00Z"},
            "The event has both purge_before and delete_only: leave one of them out.",
        ),
        ({"purge_before": 0}, "The event's purge_before is 0 instead of a time with its zone"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_event(event: Any, message: str) -> None:
    with pytest.raises(CompactionEventError, match=message):
        CompactionEvent.parse(event)
