"""EventBridge rules and their targets."""

from __future__ import annotations

import uuid

from embedded_aws.pulumi_mocks.resource import Create, Created, Resource, ResourceError, tag_list


def _rule(resource: Resource) -> Created:
    name = resource.physical_name(longest=64)
    request = resource.arguments.request(
        "description", "eventBusName", "eventPattern", "roleArn", "scheduleExpression", "state"
    )
    arn = resource.account.client("events").put_rule(Name=name, Tags=tag_list(resource.tags()), **request)["RuleArn"]
    return name, {"arn": arn, "eventBusName": request.get("EventBusName", "default"), "name": name}


def _target(resource: Resource) -> Created:
    arguments = resource.arguments
    # Like the provider, generate one if it is missing.
    identity = arguments.take("targetId") or f"pulumi-{uuid.uuid5(uuid.NAMESPACE_URL, resource.name).hex[:16]}"
    target = {"Id": identity} | arguments.request(
        "arn", "deadLetterConfig", "input", "inputPath", "retryPolicy", "roleArn"
    )
    if transformer := arguments.block("inputTransformer"):
        target["InputTransformer"] = transformer.request("inputTemplate", inputPaths="InputPathsMap")
    rule = arguments.request("rule", "eventBusName")
    response = resource.account.client("events").put_targets(Targets=[target], **rule)
    if response["FailedEntryCount"]:
        raise ResourceError(response["FailedEntries"][0]["ErrorMessage"])
    return f"{rule['Rule']}-{identity}", {"targetId": identity}


RESOURCES: dict[str, Create] = {
    "aws:cloudwatch/eventRule:EventRule": _rule,
    "aws:cloudwatch/eventTarget:EventTarget": _target,
}

NOT_APPLIED = {
    "aws:cloudwatch/eventRule:EventRule": {
        "forceDestroy": "affects only deletion, and the embedded AWS is deleted as a whole",
    },
    "aws:cloudwatch/eventTarget:EventTarget": {
        "forceDestroy": "affects only deletion, and the embedded AWS is deleted as a whole",
    },
}
