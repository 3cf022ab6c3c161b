"""Which permissions the roles of a world use."""

from __future__ import annotations

import re

import pytest

from embedded_aws.iam.authorization import Authorization
from embedded_aws.iam.policies import AuthorizationRequest
from embedded_aws.iam.principals import Principal


def record_permissions(monkeypatch: pytest.MonkeyPatch, roles: str = r"etl-[a-z]+") -> set[tuple[str, str]]:
    """Record role and action of each request from now on.

    Args:
        monkeypatch: ends the recording.
        roles: a pattern of the roles' names, without the stack's name and the random end.

    Returns:
        The set that grows.
    """
    used: set[tuple[str, str]] = set()
    check = Authorization._check

    def noting(authorization: Authorization, caller: Principal, request: AuthorizationRequest) -> None:
        check(authorization, caller, request)
        if match := re.search(rf"assumed-role/spotify-({roles})-", caller.arn):
            used.add((match[1], request.action))

    monkeypatch.setattr(Authorization, "_check", noting)
    return used
