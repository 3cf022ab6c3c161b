"""Evaluation of an IAM policy document.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from embedded_aws.iam.conditions import Values, holds, matches, substitute

Document = str
"""A policy as JSON text, as moto stores it."""


@dataclass(frozen=True)
class CallerIdentity:
    """The caller as resource policies and trust policies may name it."""

    arns: frozenset[str] = frozenset()
    """ARNs that name exactly this caller; for a role session the ARNs of the role and the session."""
    account_id: str | None = None
    """None for an anonymous caller or a service."""
    service: str | None = None
    """Service principal, such as "s3.amazonaws.com"."""


@dataclass(frozen=True)
class AuthorizationRequest:
    """One action on one resource that needs permission."""

    action: str
    """Action as in policies, such as "s3:PutObject"."""
    resource: str
    """ARN, or "*" for an action without resources."""
    context: Mapping[str, Values] = field(default_factory=dict)
    """Condition key in lower case → value or values."""


@dataclass(frozen=True)
class Verdict:
    """The result of evaluating policies."""

    denied: bool = False
    """Whether a Deny statement applies."""
    allowed: bool = False
    """Whether an Allow statement applies; in a resource policy, one that names the caller itself."""
    delegated: bool = False
    """Whether an Allow statement of a resource policy names the caller's account, which delegates the decision to the
    caller's own policies."""


def identity_verdict(documents: Iterable[Document], request: AuthorizationRequest) -> Verdict:
    """Evaluate the policies of a role or user.

    Raises:
        UnknownConditionError: a statement that would apply has an unsupported condition.
    """
    effects = {
        statement["Effect"]
        for document in documents
        for statement in statements(document)
        if _applies(statement, request)
    }
    return Verdict(denied="Deny" in effects, allowed="Allow" in effects)


def resource_verdict(document: Document, request: AuthorizationRequest, caller: CallerIdentity) -> Verdict:
    """Evaluate the policy of a resource, or the trust policy of a role.

    Raises:
        UnknownConditionError: a statement that would apply has an unsupported condition.
    """
    denied = allowed = delegated = False
    for statement in statements(document):
        named = _named(statement, caller)
        if named is None or not _applies(statement, request):
            continue
        if statement["Effect"] == "Deny":
            denied = True
        elif named == "itself":
            allowed = True
        else:
            delegated = True
    return Verdict(denied, allowed, delegated)


@functools.lru_cache(maxsize=1024)
def statements(document: Document) -> tuple[Mapping[str, Any], ...]:
    """Return the statements of a policy."""
    found = json.loads(document)["Statement"]
    return (found,) if isinstance(found, dict) else tuple(found)


def _applies(statement: Mapping[str, Any], request: AuthorizationRequest) -> bool:
    return (
        _action_matches(statement, request.action)
        and _resource_matches(statement, request)
        and holds(statement.get("Condition") or {}, request.context)
    )


def _action_matches(statement: Mapping[str, Any], action: str) -> bool:
    wanted = action.lower()
    if "NotAction" in statement:
        return not any(matches(pattern.lower(), wanted) for pattern in _list(statement["NotAction"]))
    return any(matches(pattern.lower(), wanted) for pattern in _list(statement.get("Action", ())))


def _resource_matches(statement: Mapping[str, Any], request: AuthorizationRequest) -> bool:
    def any_of(patterns: Sequence[str]) -> bool:
        return any(matches(substitute(pattern, request.context), request.resource) for pattern in patterns)

    if "NotResource" in statement:
        return not any_of(_list(statement["NotResource"]))
    # A trust policy names no resource: it belongs to the role.
    return "Resource" not in statement or any_of(_list(statement["Resource"]))


def _named(statement: Mapping[str, Any], caller: CallerIdentity) -> str | None:
    """Return how a statement names the caller: "itself", "account" or None."""
    if "NotPrincipal" in statement:
        return None if _principal(statement["NotPrincipal"], caller) else "itself"
    return _principal(statement.get("Principal"), caller)


def _principal(principal: Any, caller: CallerIdentity) -> str | None:
    if principal is None:
        return None
    if principal == "*":
        return "itself"
    names = {kind: _list(value) for kind, value in principal.items()}
    aws = names.get("AWS", ())
    if caller.service is not None:
        return "itself" if caller.service in names.get("Service", ()) or "*" in aws else None
    if "*" in aws or caller.arns.intersection(aws):
        return "itself"
    account = {caller.account_id, f"arn:aws:iam::{caller.account_id}:root"}
    return "account" if caller.account_id and account.intersection(aws) else None


def _list(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value
