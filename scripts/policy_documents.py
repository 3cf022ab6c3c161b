# ruff: noqa: INP001 - part of scripts, no package
"""IAM policies for people, with placeholders for account and region, and as few as fit into AWS's limit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

ACCOUNT, REGION = "<account>", "<region>"
"""Placeholders, for the reader to replace."""
MAX_CHARACTERS = 6144
"""Of a managed policy without white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""
NAMES = "spotify-etl-*"
"""The names of a stack's resources."""

Condition = tuple[str, str, str]
"""Operator, key and value."""


@dataclass(frozen=True)
class Grant:
    """Actions of one service on resources of one form."""

    service: str
    actions: str
    """Names of the actions, separated by spaces."""
    resource: str
    """The ARN after the account; a name in it is the stack's own."""
    global_arn: str = ""
    """The whole ARN where it names no region or account."""
    condition: Condition | None = None

    @property
    def arn(self) -> str:
        """The ARN with placeholders."""
        region = "" if self.service in ("iam", "budgets") else REGION
        return self.global_arn or f"arn:aws:{self.service}:{region}:{ACCOUNT}:{self.resource}"


def statements(grants: Iterable[Grant]) -> list[dict[str, Any]]:
    """Return one statement for all resources with the same actions and condition."""
    granted: dict[tuple[str, Condition | None], set[str]] = {}
    for grant in grants:
        actions = {f"{grant.service}:{action}" for action in grant.actions.split()}
        granted.setdefault((grant.arn, grant.condition), set()).update(actions)
    shared: dict[tuple[tuple[str, ...], Condition | None], list[str]] = {}
    for (arn, condition), allowed in granted.items():
        shared.setdefault((tuple(sorted(allowed)), condition), []).append(arn)
    return [statement(actions, arns, condition) for (actions, condition), arns in shared.items()]


def statement(actions: tuple[str, ...], arns: list[str], condition: Condition | None = None) -> dict[str, Any]:
    """Return a statement of a policy."""
    allowed: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": arns}
    if condition:
        operator, key, value = condition
        allowed["Condition"] = {operator: {key: value}}
    return allowed


def documents(parts: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield policies with all statements in their order."""
    document: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    for part in parts:
        longer = document | {"Statement": [*document["Statement"], part]}
        if size(longer) > MAX_CHARACTERS:
            yield document
            longer = document | {"Statement": [part]}
        document = longer
    yield document


def size(document: dict[str, Any]) -> int:
    """Return how many characters AWS counts of a policy."""
    return len("".join(json.dumps(document).split()))
