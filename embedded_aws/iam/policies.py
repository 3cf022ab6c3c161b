"""What an IAM policy document decides about one request.

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
"""A policy as JSON text, as moto keeps it."""


@dataclass(frozen=True)
class CallerIdentity:
    """The caller as resource policies and trust policies may name it.

    Attributes:
        arns: the ARNs that name exactly this caller (a role session: the role's and the session's own).
        account_id: the caller's account; None for an anonymous caller or a service.
        service: a service principal such as "s3.amazonaws.com".
    """

    arns: frozenset[str] = frozenset()
    account_id: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class AuthorizationRequest:
    """One thing that a caller wants to do.

    Attributes:
        action: as in policies, e.g. "s3:PutObject".
        resource: ARN, or "*" for an action that knows no resource.
        context: condition key in lower case → value or values.
    """

    action: str
    resource: str
    context: Mapping[str, Values] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What a set of policies says.

    Attributes:
        denied: a Deny statement applies.
        allowed: an Allow statement applies; in a resource policy one that names the caller itself.
        delegated: an Allow statement of a resource policy names the caller's whole account, which leaves the
            decision to the caller's own policies.
    """

    denied: bool = False
    allowed: bool = False
    delegated: bool = False


def identity_verdict(documents: Iterable[Document], request: AuthorizationRequest) -> Verdict:
    """Evaluate policies of a role or user.

    Raises:
        UnknownConditionError: a statement that would apply has a condition that is not modelled.
    """
    effects = {
        statement["Effect"]
        for document in documents
        for statement in statements(document)
        if _applies(statement, request)
    }
    return Verdict(denied="Deny" in effects, allowed="Allow" in effects)


def resource_verdict(document: Document, request: AuthorizationRequest, who: CallerIdentity) -> Verdict:
    """Evaluate the policy of a resource, or a role's trust policy.

    Raises:
        UnknownConditionError: a statement that would apply has a condition that is not modelled.
    """
    denied = allowed = delegated = False
    for statement in statements(document):
        named = _named(statement, who)
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
    # A trust policy names no resource: it is the role's own.
    return "Resource" not in statement or any_of(_list(statement["Resource"]))


def _named(statement: Mapping[str, Any], who: CallerIdentity) -> str | None:
    """Tell how a statement names the caller: "itself", "account", or not at all."""
    if "NotPrincipal" in statement:
        return None if _principal(statement["NotPrincipal"], who) else "itself"
    return _principal(statement.get("Principal"), who)


def _principal(principal: Any, who: CallerIdentity) -> str | None:
    if principal is None:
        return None
    if principal == "*":
        return "itself"
    names = {kind: _list(value) for kind, value in principal.items()}
    aws = names.get("AWS", ())
    if who.service is not None:
        return "itself" if who.service in names.get("Service", ()) or "*" in aws else None
    if "*" in aws or who.arns.intersection(aws):
        return "itself"
    account = {who.account_id, f"arn:aws:iam::{who.account_id}:root"}
    return "account" if who.account_id and account.intersection(aws) else None


def _list(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value
