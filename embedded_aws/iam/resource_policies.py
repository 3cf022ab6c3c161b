"""Resource-based policies of buckets, queues, topics, functions, secrets, keys and event buses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.events.models import events_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from embedded_aws.iam.policies import Document
from embedded_aws.iam.principals import PARTITION


def resource_policy(arn: str, account_id: str) -> Document | None:
    """Return the policy of a resource; None if it has none, does not exist, or is of a kind without policies."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] not in FINDERS:
        return None
    _, _, service, region, _, name = parts
    return FINDERS[service](account_id, region, name)


def _bucket(account_id: str, _region: str, name: str) -> Document | None:
    bucket = s3_backends[account_id][PARTITION].buckets.get(name.split("/", 1)[0])
    return _text(bucket.policy) if bucket else None


def _queue(account_id: str, region: str, name: str) -> Document | None:
    queue = sqs_backends[account_id][region].queues.get(name)
    return _text(queue.policy) if queue else None


def _topic(account_id: str, region: str, name: str) -> Document | None:
    topic = sns_backends[account_id][region].topics.get(f"arn:aws:sns:{region}:{account_id}:{name}")
    return _text(topic.policy) if topic else None


def _function(account_id: str, region: str, name: str) -> Document | None:
    kind, _, function_name = name.partition(":")
    if kind != "function":
        return None
    functions = lambda_backends[account_id][region]._lambdas._functions  # noqa: SLF001 - moto's getters raise or copy
    entry = functions.get(function_name.split(":")[0])
    if entry is None:
        return None
    found = entry["latest"].policy.statements
    return json.dumps({"Statement": found}) if found else None


def _secret(account_id: str, region: str, name: str) -> Document | None:
    backend = secretsmanager_backends[account_id][region]
    found = backend.secrets.get(f"arn:aws:secretsmanager:{region}:{account_id}:{name}")
    return _text(getattr(found, "policy", None)) if found else None


def _key(account_id: str, region: str, name: str) -> Document | None:
    found = kms_backends[account_id][region].keys.get(name.removeprefix("key/"))
    return _text(found.policy) if found else None


def _event_bus(account_id: str, region: str, name: str) -> Document | None:
    found = events_backends[account_id][region].event_buses.get(name.removeprefix("event-bus/"))
    statements = [statement.describe() for statement in found._statements.values()] if found else []  # noqa: SLF001 - no getter
    return json.dumps({"Statement": statements}) if statements else None


def _text(policy: Any) -> Document | None:
    if isinstance(policy, bytes):
        return policy.decode()
    return policy if isinstance(policy, str) and policy else None


FINDERS: dict[str, Callable[[str, str, str], Document | None]] = {
    "events": _event_bus,
    "kms": _key,
    "lambda": _function,
    "s3": _bucket,
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
}
