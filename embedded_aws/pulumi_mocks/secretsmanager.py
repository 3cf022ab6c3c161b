"""Secrets Manager secrets and their values."""

from __future__ import annotations

from embedded_aws.pulumi_mocks.resource import Create, Created, Resource, tag_list


def _secret(resource: Resource) -> Created:
    name = resource.physical_name(longest=512)
    secrets = resource.account.client("secretsmanager")
    more = resource.arguments.request("description", "kmsKeyId")
    arn = secrets.create_secret(Name=name, Tags=tag_list(resource.tags()), **more)["ARN"]
    if policy := resource.arguments.take("policy"):
        secrets.put_resource_policy(SecretId=arn, ResourcePolicy=policy)
    return arn, {"arn": arn, "name": name}


def _version(resource: Resource) -> Created:
    arn = resource.arguments.take("secretId")
    value = resource.arguments.request("secretString", "versionStages")
    version = resource.account.client("secretsmanager").put_secret_value(SecretId=arn, **value)["VersionId"]
    return f"{arn}|{version}", {"arn": arn, "versionId": version}


RESOURCES: dict[str, Create] = {
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretVersion:SecretVersion": _version,
}

NOT_APPLIED = {
    "aws:secretsmanager/secret:Secret": {
        "recoveryWindowInDays": "affects only deletion, and the embedded AWS is deleted as a whole",
    },
}
