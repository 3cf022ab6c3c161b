"""What the status is gathered from, where the whole cloud is not needed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.errors import CommandError
from cli.status.gathering import active_locks, gather_status
from cli.targets import Target
from handlers import layout
from tests.cli.operated_stack import OUTPUTS, OperatedStack


class Refusing:
    """A client whose every operation is refused."""

    def __getattr__(self, operation: str) -> Any:
        def refuse(**_: object) -> None:
            raise ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "expired"}}, operation)

        return refuse


def test_expired_credentials_are_one_sentence() -> None:
    with pytest.raises(
        CommandError,
        match=r"your credentials have expired, so log in to AWS again, for example with `aws sso login`\.$",
    ):
        gather_status(Target("the stack dev in eu-central-1", OUTPUTS, lambda _: Refusing()))


def test_stack_of_an_older_version_says_what_to_do() -> None:
    older = {name: value for name, value in OUTPUTS.items() if name != "log_group_names"}
    with pytest.raises(CommandError, match=r"^An older version deployed this stack: run `pulumi up`, then the command"):
        gather_status(Target("the stack dev in eu-central-1", older, lambda _: Refusing()))


@pytest.mark.parametrize(
    ("content", "groups"),
    [
        ({"groups": {"player": "2026-11-02T07:00:00.000Z", "library": "2026-11-02T06:00:00.000Z"}}, ["player"]),
        ({"groups": {}}, []),
        ({"groups": {"player": "soon"}}, []),
        ("nonsense", []),
    ],
)
def test_locks_are_those_that_have_not_ended(operated_stack: OperatedStack, content: object, groups: list[str]) -> None:
    operated_stack.put("raw_bucket_name", layout.LOCKS_STATE_KEY, content)
    now = operated_stack.now
    assert [lock.group for lock in active_locks(operated_stack.target, now)] == groups


def test_without_a_state_nothing_is_locked(operated_stack: OperatedStack) -> None:
    assert active_locks(operated_stack.target, operated_stack.now) == []
