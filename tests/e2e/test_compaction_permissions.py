"""Compaction needs each of its permissions and its schedule, and uses no other permission."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from spotify_simulator import LibraryPlan
from tests.e2e.permissions import record_permissions
from tests.e2e.test_mutations import with_cold_starts, without_permission, without_schedule
from tests.e2e.world import FIRST_COMPACTION, TIMEZONE, World, world

pytestmark = pytest.mark.slow

PLAN = LibraryPlan(saved_tracks=20, playlists=2, saved_albums=2, plays_per_day=40, timezone=TIMEZONE)
STREAMS = json.dumps(["profile", "recently_played", "saved_tracks"])
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
DAY = timedelta(days=1)
FUNCTION, SCHEDULES = "etl-compact", {"etl-compaction": 2 * DAY, "etl-deletion": 2 * DAY + 70 * MINUTE}
"""Name of the function's role, and of the schedules' roles → when they start it, counted from the first compaction."""
NEEDED = {
    # The second compaction is the first with a closed day.
    DAY - MINUTE: ("s3:ListBucket", "s3:GetObject", "s3:PutObject"),
    # An hour later there are originals to delete, shortly before the schedule does it.
    DAY + 65 * MINUTE: ("s3:DeleteObject", "logs:CreateLogStream", "logs:PutLogEvents"),
}
"""Time since the first compaction → permissions without which the function then fails."""
ALL = {
    *((schedule, "lambda:InvokeFunction") for schedule in SCHEDULES),
    *((FUNCTION, action) for actions in NEEDED.values() for action in actions),
}


@contextmanager
def denied(one: World, role: str, action: str) -> Iterator[None]:
    """Take a permission from a role for a while."""
    iam = one.cloud.client("iam")
    [name] = [each["RoleName"] for each in iam.list_roles()["Roles"] if f"spotify-{role}-" in each["RoleName"]]
    [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    with_cold_starts(one)
    without_permission(role, action)(one)
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))


def compact(one: World) -> dict[str, Any]:
    """Invoke the function, and return its answer."""
    answer = one.cloud.client("lambda").invoke(
        FunctionName=one.outputs["compact_function_name"], Payload='{"trigger": "manual"}'
    )
    content: dict[str, Any] = json.load(answer["Payload"])
    return content


def test_each_permission_and_the_schedule_are_needed_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = record_permissions(monkeypatch, r"etl-(?:compact(?:ion)?|deletion)")
    with world(tmp_path, PLAN, config={"streams": STREAMS}) as one:
        for after, actions in NEEDED.items():
            one.cloud.run_until(FIRST_COMPACTION + after)
            for action in actions:
                seen = len(one.errors())
                with denied(one, FUNCTION, action):
                    answer = compact(one)
                    one.cloud.run_until(one.cloud.now + SECOND)
                said = rf"^denied .*{FUNCTION}-.* is not authorized to perform: {action} on resource: "
                assert [error for error in one.errors()[seen:] if re.search(said, error)], action
                assert (answer.get("errorType") == "CompactError") == action.startswith("s3:"), answer
        assert compact(one)["partitions"] == 0
        for schedule, after in SCHEDULES.items():
            seen = len(one.errors())
            with denied(one, schedule, "lambda:InvokeFunction"):
                one.cloud.run_until(FIRST_COMPACTION + after + MINUTE)
            assert re.search(rf"denied .*{schedule}-.*lambda:InvokeFunction", "".join(one.errors()[seen:]))

    assert used == ALL


def test_without_its_schedule_nothing_is_compacted(tmp_path: Path) -> None:
    with world(tmp_path, PLAN, config={"streams": STREAMS}) as one:
        without_schedule("etl-compaction-")(one)
        one.cloud.run_until(FIRST_COMPACTION + DAY + MINUTE)
        assert one.errors() == []
        assert not list(one.objects("transformed_bucket_name", "compactions/"))
