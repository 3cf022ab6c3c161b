"""The `Condition` block of an IAM policy.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

Values = str | Sequence[str]
"""What a request has for a condition key: one value, or several for a multivalued key."""

OPTIONAL_KEYS = frozenset(
    {
        "aws:calledvia",
        "aws:multifactorauthage",
        "aws:multifactorauthpresent",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:referer",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:tagkeys",
        "aws:tokenissuetime",
        "aws:username",
        "aws:vpcsourceip",
        "cloudwatch:namespace",
        "ec2:sourceinstancearn",
        "iam:passedtoservice",
        "iam:policyarn",
        "kms:encryptioncontextkeys",
        "kms:grantisforawsresource",
        "kms:viaservice",
        "lambda:functionarn",
        "lambda:functionurlauthtype",
        "lambda:invokedviafunctionurl",
        "lambda:sourcefunctionarn",
        "s3:delimiter",
        "s3:existingobjecttag",
        "s3:if-match",
        "s3:if-none-match",
        "s3:max-keys",
        "s3:prefix",
        "s3:signatureage",
        "s3:versionid",
        "s3:x-amz-acl",
        "s3:x-amz-copy-source",
        "s3:x-amz-metadata-directive",
        "s3:x-amz-server-side-encryption",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "s3:x-amz-storage-class",
        "secretsmanager:secretid",
        "secretsmanager:versionid",
        "secretsmanager:versionstage",
        "sns:endpoint",
        "sns:protocol",
        "sts:externalid",
        "sts:rolesessionname",
    }
)
"""Keys, in lower case, that are set only where they apply, as in AWS."""

TAG_KEYS = (
    "aws:principaltag/",
    "aws:requesttag/",
    "aws:resourcetag/",
    "kms:encryptioncontext:",
    "s3:requestobjecttag/",
)
"""Prefixes of keys that end in a tag; tags are not supported in conditions and count as absent."""


class UnknownConditionError(Exception):
    """A policy uses an unsupported operator, key or variable, so its decision is unknown."""


def holds(conditions: Mapping[str, Mapping[str, Values]], context: Mapping[str, Values]) -> bool:
    """Return whether every condition of a statement holds.

    Args:
        conditions: operator → key → allowed values, as in the policy.
        context: condition key in lower case → value or values of the request.

    Raises:
        UnknownConditionError: an operator or key is unsupported.
    """
    return all(
        _holds(name, key.lower(), _values(expected), context)
        for name, keys in conditions.items()
        for key, expected in keys.items()
    )


def substitute(pattern: str, context: Mapping[str, Values]) -> str:
    """Replace policy variables such as `${aws:username}` with the request's values.

    Raises:
        UnknownConditionError: a variable has no value in this request.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in {"*", "?", "$"}:
            return name
        values = _values(context.get(name.lower(), ()))
        if len(values) != 1:
            raise UnknownConditionError(f"The policy variable ${{{name}}} has no value in this request.")
        return values[0]

    return re.sub(r"\$\{([^}]+)\}", value, pattern) if "${" in pattern else pattern


def matches(pattern: str, text: str) -> bool:
    """Return whether a text matches an IAM pattern: `*` is any text and `?` any one character."""
    return _compiled(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _holds(name: str, key: str, expected: Sequence[str], context: Mapping[str, Values]) -> bool:
    quantifier, _, operator_name = name.rpartition(":")
    if_exists = operator_name.endswith("IfExists")
    operator_name = operator_name.removesuffix("IfExists")
    if quantifier not in {"", "ForAllValues", "ForAnyValue"}:
        raise UnknownConditionError(f"The condition operator {name} is not supported.")
    if key not in context and key not in OPTIONAL_KEYS and not key.startswith(TAG_KEYS):
        raise UnknownConditionError(f"The condition key {key} is not supported.")
    actual = _values(context.get(key, ()))
    if operator_name == "Null":
        return all((value.lower() == "true") == (not actual) for value in expected)
    test, negated = _operator(operator_name, name)
    if not actual:
        # A negated operator holds for an absent key: nothing is "not equal to x".
        return if_exists or negated or quantifier == "ForAllValues"
    wanted = [substitute(value, context) for value in expected]

    def one(value: str) -> bool:
        return any(test(value, want) for want in wanted) != negated

    return any(map(one, actual)) if quantifier == "ForAnyValue" else all(map(one, actual))


def _operator(operator_name: str, shown: str) -> tuple[Callable[[str, str], bool], bool]:
    """Return the comparison of the request's value with the policy's, and whether it is negated."""
    for plain, negation in (("StringNot", "String"), ("ArnNot", "Arn"), ("NumericNot", "Numeric"), ("DateNot", "Date")):
        if operator_name.startswith(plain):
            # "StringNotEquals" is "StringEquals" negated.
            positive = negation + operator_name.removeprefix(plain)
            if positive in OPERATORS:
                return OPERATORS[positive], True
    if operator_name not in OPERATORS:
        raise UnknownConditionError(f"The condition operator {shown} is not supported.")
    return OPERATORS[operator_name], False


def _values(values: Values | bool | float) -> Sequence[str]:
    if isinstance(values, str):
        return (values,)
    if isinstance(values, bool):
        return (str(values).lower(),)
    if isinstance(values, int | float):
        return (str(values),)
    return [text for value in values for text in _values(value)]


def _arn_like(actual: str, pattern: str) -> bool:
    """Compare two ARNs part by part: a wildcard does not match a colon in the first five parts."""
    parts, wanted = actual.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(wanted) and all(matches(want, part) for part, want in zip(parts, wanted, strict=True))


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda actual, wanted: compare(float(actual), float(wanted))


def _moment(text: str) -> datetime:
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date(compare: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    return lambda actual, wanted: compare(_moment(actual), _moment(wanted))


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": operator.eq,
    "StringEqualsIgnoreCase": lambda actual, wanted: actual.lower() == wanted.lower(),
    "StringLike": lambda actual, wanted: matches(wanted, actual),
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
    "NumericEquals": _number(operator.eq),
    "NumericLessThan": _number(operator.lt),
    "NumericLessThanEquals": _number(operator.le),
    "NumericGreaterThan": _number(operator.gt),
    "NumericGreaterThanEquals": _number(operator.ge),
    "DateEquals": _date(operator.eq),
    "DateLessThan": _date(operator.lt),
    "DateLessThanEquals": _date(operator.le),
    "DateGreaterThan": _date(operator.gt),
    "DateGreaterThanEquals": _date(operator.ge),
}
