"""Callers by access key: the account's owner, role sessions and users, as moto's STS and IAM hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from embedded_aws.iam.conditions import Values
from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.iam.policies import CallerIdentity, Document

PARTITION = "aws"


class UnknownAccessKeyError(Exception):
    """An access key that belongs to nobody."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A caller with everything that decides about its requests."""

    arn: str
    """ARN as AWS names it in messages; for a role session the session's ARN."""
    identity: CallerIdentity
    is_owner: bool = False
    """Whether it is the account's owner, to whom everything is allowed."""
    policies: Sequence[Document] = ()
    """Inline and attached policies."""
    ceilings: Sequence[Document] = ()
    """Permissions boundary and session policy; each of them must allow a request as well."""
    context: dict[str, Values] = field(default_factory=dict)
    """Condition keys that the caller determines."""
    secret: str | None = field(default=None, repr=False)
    """Secret access key; None for an anonymous caller."""
    token: str = field(default="", repr=False)
    """Session token; empty for a long-term key."""


def principal(access_key_id: str | None, account_id: str, owner: AwsCredentials) -> Principal:
    """Return the caller that an access key belongs to; without a key it is anonymous.

    Raises:
        UnknownAccessKeyError: the key belongs to nobody, or is inactive.
    """
    if access_key_id is None:
        return Principal(arn="anonymous", identity=CallerIdentity(), context={"aws:principaltype": "Anonymous"})
    if access_key_id == owner.access_key_id:
        root = f"arn:aws:iam::{account_id}:root"
        return Principal(
            arn=root,
            identity=CallerIdentity(frozenset({root}), account_id),
            is_owner=True,
            context=_context("Account", root, account_id),
            secret=owner.secret_access_key,
        )
    session = sts_backends[account_id][PARTITION].get_assumed_role_from_access_key(access_key_id)
    if session is not None:
        return _role_session(session, account_id)
    user = iam_backends[account_id][PARTITION].get_user_from_access_key_id(access_key_id)
    keys = user.access_keys if user is not None else ()
    key = next((key for key in keys if key.access_key_id == access_key_id and key.status == "Active"), None)
    if key is None:
        raise UnknownAccessKeyError(f"No user or role session of account {account_id} has access key {access_key_id}.")
    return _user(user, key.secret_access_key, account_id)


def _role_session(session: Any, account_id: str) -> Principal:
    iam = iam_backends[account_id][PARTITION]
    # The sessions of a role that was deleted have no permissions.
    role = next((role for role in list(iam.roles.values()) if role.arn == session.role_arn), None)
    return Principal(
        arn=session.arn,
        identity=CallerIdentity(frozenset({session.role_arn, session.arn}), account_id),
        policies=_policies(role),
        ceilings=[*_boundary(role, account_id), *([session.policy] if session.policy else [])],
        context=_context("AssumedRole", session.role_arn, session.user_id),
        secret=session.secret_access_key,
        token=session.session_token,
    )


def _user(user: Any, secret: str, account_id: str) -> Principal:
    iam = iam_backends[account_id][PARTITION]
    groups = [group for group in iam.groups.values() if user in group.users]
    return Principal(
        arn=user.arn,
        identity=CallerIdentity(frozenset({user.arn}), account_id),
        policies=[document for holder in (user, *groups) for document in _policies(holder)],
        ceilings=_boundary(user, account_id),
        context={**_context("User", user.arn, user.id), "aws:username": user.name},
        secret=secret,
    )


def _policies(holder: Any) -> list[Document]:
    """Return the inline and attached policies of a role, user or group of moto."""
    if holder is None:
        return []
    inline = holder.policies.values() if isinstance(holder.policies, dict) else holder.policies
    attached = [_attached(policy) for policy in holder.managed_policies.values()]
    return [*inline, *attached]


def _attached(policy: Any) -> Document:
    return next(str(version.document) for version in policy.versions if version.is_default)


def _boundary(holder: Any, account_id: str) -> list[Document]:
    arn = getattr(holder, "permissions_boundary_arn", None) or getattr(holder, "permissions_boundary", None)
    if not isinstance(arn, str):
        return []
    return [_attached(iam_backends[account_id][PARTITION].managed_policies[arn])]


def _context(kind: str, arn: str, user_id: str) -> dict[str, Values]:
    return {
        "aws:principaltype": kind,
        "aws:principalarn": arn,
        "aws:principalaccount": arn.split(":")[4],
        "aws:principalisawsservice": "false",
        "aws:userid": user_id,
    }
