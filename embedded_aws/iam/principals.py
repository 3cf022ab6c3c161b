"""Who calls: access key → owner, role session or user, as moto's STS and IAM hold them."""

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
    """No owner, user or role session has this access key."""


@dataclass(frozen=True)
class Principal:
    """A caller with everything that decides about it.

    Attributes:
        arn: as AWS names it in messages (of a role session the session's ARN).
        who: how resource policies may name it.
        is_owner: may do everything.
        policies: inline and attached policies.
        ceilings: permissions boundary and session policy; each has to allow as well.
        context: the condition keys that follow from the caller.
        secret: the secret access key; None of an anonymous caller.
        token: the session token; empty of a lasting key.
    """

    arn: str
    who: CallerIdentity
    is_owner: bool = False
    policies: Sequence[Document] = ()
    ceilings: Sequence[Document] = ()
    context: dict[str, Values] = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)
    token: str = field(default="", repr=False)


def principal(access_key_id: str | None, account_id: str, owner: AwsCredentials) -> Principal:
    """Find the caller that an access key belongs to; no key is an anonymous caller.

    Raises:
        UnknownAccessKeyError: nobody has this key, or it is inactive.
    """
    if access_key_id is None:
        return Principal(arn="anonymous", who=CallerIdentity(), context={"aws:principaltype": "Anonymous"})
    if access_key_id == owner.access_key_id:
        root = f"arn:aws:iam::{account_id}:root"
        return Principal(
            root,
            CallerIdentity(frozenset({root}), account_id),
            is_owner=True,
            context=_context("Account", root, root),
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
    # A role deleted since leaves its sessions without any permission.
    role = next((role for role in list(iam.roles.values()) if role.arn == session.role_arn), None)
    return Principal(
        arn=session.arn,
        who=CallerIdentity(frozenset({session.role_arn, session.arn}), account_id),
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
        who=CallerIdentity(frozenset({user.arn}), account_id),
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
