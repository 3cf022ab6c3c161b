"""Authorization of every request to the server, and of what services do themselves.

moto's own check ignores conditions and knows the ARNs of few services. It is replaced by this one, which evaluates the
policies that moto's IAM, S3, SQS and other services hold.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from embedded_aws.iam.conditions import UnknownConditionError, Values
from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.iam.operation import Operation, UnsupportedOperationError
from embedded_aws.iam.permissions import operation_of
from embedded_aws.iam.policies import AuthorizationRequest, CallerIdentity, Verdict, identity_verdict, resource_verdict
from embedded_aws.iam.principals import PARTITION, Principal, principal
from embedded_aws.iam.recorder import PolicyRecorder
from embedded_aws.iam.resource_policies import resource_policy
from embedded_aws.server.requests import AwsRequest
from embedded_aws.server.signatures import MissingSignatureError, verify


class AccessDeniedError(Exception):
    """The caller is not allowed to do this; the message is AWS's."""


@dataclass(frozen=True, kw_only=True)
class Denial:
    """One denied action."""

    at: datetime
    """Simulated time, UTC."""
    principal: str
    """ARN or service name of the caller."""
    action: str
    """Action as in policies; for an unsupported operation its name."""
    resource: str
    """ARN, or "*"."""
    message: str
    """One sentence."""


class Authorization:
    """Enforces the policies of one account."""

    def __init__(self, *, account_id: str, region: str, owner: AwsCredentials) -> None:
        self.denials: list[Denial] = []
        """Every denial so far, oldest first."""
        self.recorders: list[PolicyRecorder] = []
        """Record what is allowed from now on."""
        self._account_id = account_id
        self._region = region
        self._owner = owner
        self._denied_here = threading.local()

    def adopt(self, owner: AwsCredentials) -> None:
        """Replace the owner's credentials."""
        self._owner = owner

    def check(
        self, access_key_id: str, action: str, resource: str, context: Mapping[str, Values] | None = None
    ) -> None:
        """Check that the caller with this access key may take an action.

        Args:
            access_key_id: access key of the owner, a user or a role session.
            action: e.g. "glue:GetTable".
            resource: ARN, or "*".
            context: condition keys beyond those that the caller determines, e.g. "s3:prefix".

        Raises:
            AccessDeniedError: it is not allowed, or depends on an unsupported condition.
            UnknownAccessKeyError: the access key belongs to nobody.
        """
        caller = principal(access_key_id, self._account_id, self._owner)
        self._check(caller, AuthorizationRequest(action, resource, context or {}))

    def check_service(
        self, service: str, action: str, resource: str, context: Mapping[str, Values] | None = None
    ) -> None:
        """Check that an AWS service may take an action, which only the resource's policy can allow.

        Args:
            service: e.g. "s3.amazonaws.com".
            action: e.g. "sqs:SendMessage".
            resource: ARN of the resource whose policy decides.
            context: e.g. "aws:SourceArn" and "aws:SourceAccount".

        Raises:
            AccessDeniedError: it is not allowed, or depends on an unsupported condition.
        """
        request = self._complete(
            AuthorizationRequest(action, resource, context or {}), {"aws:principalisawsservice": "true"}
        )
        document = resource_policy(resource, self._account_id)
        self._decide_for_service(service, request, document, "resource-based policy")

    def check_assume(self, role_arn: str, service: str, context: Mapping[str, Values] | None = None) -> None:
        """Check that a service may assume a role, which the role's trust policy decides.

        Raises:
            AccessDeniedError: the role does not exist or does not trust the service.
        """
        given = {"aws:SourceAccount": self._account_id, **(context or {})}
        request = self._complete(
            AuthorizationRequest("sts:AssumeRole", role_arn, given), {"aws:principalisawsservice": "true"}
        )
        role = next((role for role in list(self._roles().values()) if role.arn == role_arn), None)
        document = role.assume_role_policy_document if role is not None else None
        self._decide_for_service(service, request, document, "role trust policy")

    def user_id(self, access_key_id: str) -> str:
        """Return the unique ID of a caller: of a role session the role's and its name; "Anonymous" without a key.

        Raises:
            UnknownAccessKeyError: the access key belongs to nobody.
        """
        caller = principal(access_key_id or None, self._account_id, self._owner)
        return str(caller.context.get("aws:userid", "Anonymous"))

    def authenticate(self, request: AwsRequest) -> Principal:
        """Return who sent a request.

        Raises:
            UnknownAccessKeyError: the access key belongs to nobody.
            RejectedRequestError: the request cannot be parsed, or its signature is wrong.
        """
        if request.problem is not None:
            raise request.problem
        caller = principal(request.access_key_id, self._account_id, self._owner)
        if request.signature is not None and caller.secret is not None:
            verify(request, request.signature, caller.secret, caller.token)
        elif request.protocol != "rest-xml":
            raise MissingSignatureError
        return caller

    def enforce(self, request: AwsRequest, caller: Principal) -> None:
        """Check that the caller may do everything that a request does.

        Raises:
            AccessDeniedError: some of it is not allowed, or the operation is unsupported.
            RejectedRequestError: a part of the request that determines this cannot be parsed.
        """
        self._denied_here.resources = frozenset()
        if caller.is_owner:
            return
        try:
            operation = operation_of(request, self._account_id)
        except UnsupportedOperationError as unsupported:
            message = (
                f"User: {caller.arn} is not authorized: the operation {unsupported} is not supported by the embedded"
                " AWS, which allows it only to the account's owner"
            )
            raise self._denied(caller.arn, str(unsupported), "*", message) from unsupported
        if any(bucket not in s3_backends.bucket_accounts for bucket in operation.buckets):
            return  # S3 tells everyone if a bucket does not exist.
        if operation.partial:
            self._denied_here.resources = self._denied_resources(caller, operation)
            return
        for check in operation.checks:
            self._check(caller, check)
        for bucket, key, version in operation.reads:
            if not _object_exists(bucket, key, version):
                # As in S3, there is no prefix in the context, so a condition on it cannot allow this.
                self._check(caller, AuthorizationRequest("s3:ListBucket", f"arn:aws:s3:::{bucket}"))

    def is_denied(self, resource: str) -> bool:
        """Return whether a resource is denied to the request that this thread handles."""
        return resource in getattr(self._denied_here, "resources", ())

    def _denied_resources(self, caller: Principal, operation: Operation) -> frozenset[str]:
        denied = set()
        for check in operation.checks:
            try:
                self._check(caller, check)
            except AccessDeniedError:
                denied.add(check.resource)
        return frozenset(denied)

    def _check(self, caller: Principal, request: AuthorizationRequest) -> None:
        if caller.is_owner:
            return
        request = self._complete(request, caller.context)
        about = f"User: {caller.arn} is not authorized to perform: {request.action} on resource: {request.resource}"
        try:
            reason = self._reason_against(caller, request)
        except UnknownConditionError as unknown:
            reason = f"because a policy cannot be evaluated. {unknown}"
        if reason:
            raise self._denied(caller.arn, request.action, request.resource, f"{about} {reason}")
        if isinstance(arn := caller.context.get("aws:principalarn"), str):
            for recorder in tuple(self.recorders):
                recorder.add(arn, request.action, request.resource)

    def _reason_against(self, caller: Principal, request: AuthorizationRequest) -> str | None:
        """Return why a request is denied; None if it is allowed."""
        identity = identity_verdict(caller.policies, request)
        document = resource_policy(request.resource, self._account_id)
        resource = resource_verdict(document, request, caller.identity) if document else Verdict()
        ceilings = [identity_verdict([ceiling], request) for ceiling in caller.ceilings]
        if identity.denied or any(ceiling.denied for ceiling in ceilings):
            return "with an explicit deny in an identity-based policy"
        if resource.denied:
            return "with an explicit deny in a resource-based policy"
        missing = None
        if not identity.allowed and not resource.allowed:
            missing = "identity-based policy"
        elif identity.allowed and not all(ceiling.allowed for ceiling in ceilings):
            missing = "permissions boundary or session policy"
        elif document and request.action.startswith("kms:") and not (resource.allowed or resource.delegated):
            # A key policy must always allow the request, or delegate to the account.
            missing = "resource-based policy"
        elif request.action == "sts:AssumeRole" and not self._trusted(caller, request):
            missing = "role trust policy"
        return f"because no {missing} allows the {request.action} action" if missing else None

    def _trusted(self, caller: Principal, request: AuthorizationRequest) -> bool:
        role = next((role for role in list(self._roles().values()) if role.arn == request.resource), None)
        if role is None:
            return False
        verdict = resource_verdict(role.assume_role_policy_document, request, caller.identity)
        return (verdict.allowed or verdict.delegated) and not verdict.denied

    def _decide_for_service(self, service: str, request: AuthorizationRequest, document: str | None, kind: str) -> None:
        about = f"{service} is not authorized to perform: {request.action} on resource: {request.resource}"
        try:
            verdict = resource_verdict(document, request, CallerIdentity(service=service)) if document else Verdict()
        except UnknownConditionError as unknown:
            raise self._denied(
                service, request.action, request.resource, f"{about} because a policy cannot be evaluated. {unknown}"
            ) from unknown
        if verdict.denied:
            message = f"{about} with an explicit deny in a {kind}"
        elif not verdict.allowed:
            message = f"{about} because no {kind} allows the {request.action} action"
        else:
            return
        raise self._denied(service, request.action, request.resource, message)

    def _complete(self, request: AuthorizationRequest, of_caller: Mapping[str, Values]) -> AuthorizationRequest:
        """Add the condition keys that every request has."""
        now = datetime.now(UTC)
        context: dict[str, Values] = {
            "aws:currenttime": now.isoformat(),
            "aws:epochtime": str(int(now.timestamp())),
            "aws:requestedregion": self._region,
            "aws:resourceaccount": self._account_id,
            # Requests do not leave this machine, so the loopback interface counts as TLS.
            "aws:securetransport": "true",
            "aws:sourceip": "127.0.0.1",
            "aws:useragent": "",
            "aws:viaawsservice": "false",
            "s3:resourceaccount": self._account_id,
            "s3:authtype": "REST-HEADER",
            "s3:signatureversion": "AWS4-HMAC-SHA256",
            "s3:tlsversion": "1.3",
            **of_caller,
        }
        context |= {key.lower(): value for key, value in request.context.items()}
        return AuthorizationRequest(request.action, request.resource, context)

    def _roles(self) -> dict[str, Any]:
        roles: dict[str, Any] = iam_backends[self._account_id][PARTITION].roles
        return roles

    def _denied(self, caller: str, action: str, resource: str, message: str) -> AccessDeniedError:
        self.denials.append(
            Denial(at=datetime.now(UTC), principal=caller, action=action, resource=resource, message=message)
        )
        return AccessDeniedError(message)


def _object_exists(bucket_name: str, key: str, version: str | None) -> bool:
    _, account_id = s3_backends.bucket_accounts[bucket_name]
    bucket = s3_backends[account_id][PARTITION].buckets[bucket_name]
    versions = bucket.keys.getlist(key, [])
    if version is not None:
        return any(str(found.version_id) == version for found in versions)
    # The newest version may be a delete marker, which has no content.
    return bool(versions) and hasattr(versions[-1], "etag")
