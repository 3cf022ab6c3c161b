"""What errors of AWS and Pulumi mean for whoever runs the acceptance suite."""

from __future__ import annotations

import re

from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from pulumi import automation

_SHOWN = 400
"""The longest part of an error that is shown, in characters."""
_REFUSED_KEYS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Codes of errors: AWS does not know the credentials, or not any more."""
_LAKE_FORMATION = "Insufficient Lake Formation permission"


def explain(error: BaseException) -> str:
    """Return what an error means, in a sentence with the next step."""
    return _of_this_machine(error) or _of_the_account(error) or _of_pulumi(error) or _cut(_one_line(error))


def _of_this_machine(error: BaseException) -> str:
    if isinstance(error, NoRegionError):
        return "No region is set: run `export AWS_REGION=eu-central-1`, or with your own, and try again."
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return "There are no AWS credentials: run `aws configure` or `aws sso login`, and try again."
    if isinstance(error, (EndpointConnectionError, InvalidRegionError)):
        return (
            f"The region does not answer ({_one_line(error).rstrip('.')}): set AWS_REGION to a region of AWS that your "
            "account has enabled, for instance eu-central-1, and check your network."
        )
    return ""


def _of_the_account(error: BaseException) -> str:
    text = _one_line(error)
    if _LAKE_FORMATION in text:
        return (
            "Lake Formation decides in this account who may use new databases: set its default permission "
            f"IAM_ALLOWED_PRINCIPALS, or take another account. AWS said: {_around(text, _LAKE_FORMATION)}"
        )
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code in _REFUSED_KEYS:
        return f"AWS does not accept the credentials here ({code}): log in again, for instance with `aws sso login`."
    if "Denied" in code:
        return f"A permission is refused: {text} docs/permissions.md has what is needed."
    if isinstance(error, automation.CommandError) and "AccessDenied" in text:
        return f"A permission is refused: {_around(text, 'AccessDenied')} docs/permissions.md has what is needed."
    return ""


def _of_pulumi(error: BaseException) -> str:
    reasons = re.findall(r"^\s*error: (.+)", str(error), re.MULTILINE)
    return f"Pulumi failed: {_cut(reasons[0])}" if isinstance(error, automation.CommandError) and reasons else ""


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _around(text: str, word: str) -> str:
    start = max(text.find(word) - 100, 0)
    return f"…{text[start : start + _SHOWN]}…"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
