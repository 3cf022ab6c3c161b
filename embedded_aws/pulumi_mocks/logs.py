"""Log groups."""

from __future__ import annotations

from embedded_aws.pulumi_mocks.resource import Create, Created, Resource


def _log_group(resource: Resource) -> Created:
    name = resource.physical_name(longest=512)
    logs = resource.account.client("logs")
    request = resource.arguments.request("logGroupClass", "kmsKeyId")
    # The names of this API begin with a lower-case letter.
    logs.create_log_group(
        logGroupName=name, tags=resource.tags(), **{key[0].lower() + key[1:]: value for key, value in request.items()}
    )
    # Zero means never to expire, which is the default of a group.
    if days := resource.arguments.take("retentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    return name, {"arn": resource.account.arn("logs", f"log-group:{name}"), "name": name}


RESOURCES: dict[str, Create] = {"aws:cloudwatch/logGroup:LogGroup": _log_group}

NOT_APPLIED = {
    "aws:cloudwatch/logGroup:LogGroup": {
        "skipDestroy": "affects only deletion, and the embedded AWS is deleted as a whole",
    },
}
