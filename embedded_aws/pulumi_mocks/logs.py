"""Log groups."""

from __future__ import annotations

from embedded_aws.pulumi_mocks.resource import Create, Created, Resource


def _log_group(resource: Resource) -> Created:
    name = resource.physical_name(longest=512)
    logs = resource.cloud.client("logs")
    request = resource.arguments.request("logGroupClass", "kmsKeyId")
    # This API's names begin with small letters.
    logs.create_log_group(
        logGroupName=name, tags=resource.tags(), **{key[0].lower() + key[1:]: value for key, value in request.items()}
    )
    # Zero is Pulumi's word for keeping everything, which is what a group does by itself.
    if days := resource.arguments.take("retentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    return name, {"arn": resource.cloud.arn("logs", f"log-group:{name}"), "name": name}


RESOURCES: dict[str, Create] = {"aws:cloudwatch/logGroup:LogGroup": _log_group}

NOT_APPLIED = {
    "aws:cloudwatch/logGroup:LogGroup": {
        "skipDestroy": "speaks only of destroying, which the embedded cloud does as a whole",
    },
}
