"""EventBridge Scheduler schedules and groups."""

from __future__ import annotations

from embedded_aws.pulumi_mocks.resource import Create, Created, Resource, tag_list


def _schedule(resource: Resource) -> Created:
    name = resource.physical_name(longest=64)
    request = resource.arguments.request(
        "actionAfterCompletion",
        "description",
        "endDate",
        "flexibleTimeWindow",
        "groupName",
        "kmsKeyArn",
        "scheduleExpression",
        "scheduleExpressionTimezone",
        "startDate",
        "state",
        "target",
    )
    arn = resource.account.client("scheduler").create_schedule(Name=name, **request)["ScheduleArn"]
    group = request.get("GroupName", "default")
    return f"{group}/{name}", {"arn": arn, "groupName": group, "name": name}


def _group(resource: Resource) -> Created:
    name = resource.physical_name(longest=64)
    arn = resource.account.client("scheduler").create_schedule_group(Name=name, Tags=tag_list(resource.tags()))[
        "ScheduleGroupArn"
    ]
    return name, {"arn": arn, "name": name, "state": "ACTIVE"}


RESOURCES: dict[str, Create] = {
    "aws:scheduler/schedule:Schedule": _schedule,
    "aws:scheduler/scheduleGroup:ScheduleGroup": _group,
}

NOT_APPLIED: dict[str, dict[str, str]] = {}
