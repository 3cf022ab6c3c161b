"""Functions of the AWS provider, which programs invoke."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedded_aws.pulumi_mocks.resource import AwsAccount


def _caller_identity(account: AwsAccount) -> dict[str, Any]:
    identity = account.client("sts").get_caller_identity()
    return {
        "accountId": identity["Account"],
        "arn": identity["Arn"],
        "id": identity["Account"],
        "userId": identity["UserId"],
    }


def _region(account: AwsAccount) -> dict[str, Any]:
    return {
        "description": account.region,
        "endpoint": f"ec2.{account.region}.amazonaws.com",
        "id": account.region,
        "name": account.region,
        "region": account.region,
    }


def _partition(_account: AwsAccount) -> dict[str, Any]:
    return {"dnsSuffix": "amazonaws.com", "id": "aws", "partition": "aws", "reverseDnsPrefix": "com.amazonaws"}


INVOKES: dict[str, Callable[[AwsAccount], dict[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getRegion:getRegion": _region,
}
