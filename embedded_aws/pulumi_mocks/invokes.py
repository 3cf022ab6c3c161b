"""Functions of the AWS provider that programs call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedded_aws.pulumi_mocks.resource import Cloud


def _caller_identity(cloud: Cloud) -> dict[str, Any]:
    identity = cloud.client("sts").get_caller_identity()
    return {
        "accountId": identity["Account"],
        "arn": identity["Arn"],
        "id": identity["Account"],
        "userId": identity["UserId"],
    }


def _region(cloud: Cloud) -> dict[str, Any]:
    return {
        "description": cloud.region,
        "endpoint": f"ec2.{cloud.region}.amazonaws.com",
        "id": cloud.region,
        "name": cloud.region,
        "region": cloud.region,
    }


def _partition(_cloud: Cloud) -> dict[str, Any]:
    return {"dnsSuffix": "amazonaws.com", "id": "aws", "partition": "aws", "reverseDnsPrefix": "com.amazonaws"}


INVOKES: dict[str, Callable[[Cloud], dict[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getRegion:getRegion": _region,
}
