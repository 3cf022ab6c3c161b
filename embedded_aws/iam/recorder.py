"""What roles and users were allowed to do, as the least policy that allows it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

_OBJECT = re.compile(r"(arn:aws:s3:::[^/]+/(?:[^/]+/)?).+")
_LOG_STREAM = re.compile(r"(arn:aws:logs:.+:log-stream:).+")
"""Names that differ from run to run; what comes before them does not."""


class PolicyRecorder:
    """Records every action that was allowed, by role or user.

    The account's owner is not recorded, nor are actions that only a resource's policy could allow, such as those of S3
    on a queue.
    """

    def __init__(self) -> None:
        self._used: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def add(self, principal: str, action: str, resource: str) -> None:
        """Record one action.

        Args:
            principal: ARN of the role or user.
            action: e.g. "s3:PutObject".
            resource: ARN, or "*".
        """
        self._used[principal][action].add(resource)

    @property
    def principals(self) -> list[str]:
        """The ARNs of all roles and users that did something, in order."""
        return sorted(self._used)

    def used(self, principal: str) -> Mapping[str, frozenset[str]]:
        """Return the actions of a role or user, each with its exact resources; none if it did nothing."""
        return {action: frozenset(found) for action, found in sorted(self._used.get(principal, {}).items())}

    def policy(self, principal: str) -> dict[str, Any]:
        """Return the policy document that allows what the role or user did, and nothing else.

        Objects count by their first folder or bucket (`arn:aws:s3:::bucket/folder/*`, `arn:aws:s3:::bucket/*`) and log
        streams by their group, since their names differ from run to run. Actions on the same resources share a
        statement.
        """
        actions: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for action, resources in self.used(principal).items():
            actions[tuple(sorted(set(map(_pattern, resources))))].append(action)
        return {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": names, "Resource": list(resources)}
                for resources, names in sorted(actions.items(), key=lambda item: item[1])
            ],
        }


def _pattern(resource: str) -> str:
    found = _OBJECT.fullmatch(resource) or _LOG_STREAM.fullmatch(resource)
    return f"{found[1]}*" if found else resource
