"""Budgets, which are kept; nothing costs anything here, so they never notify anybody."""

from __future__ import annotations

from typing import Any

from embedded_aws.pulumi_mocks.arguments import Arguments
from embedded_aws.pulumi_mocks.resource import Create, Created, Resource, ResourceError


def _budget(resource: Resource) -> Created:
    name = resource.physical_name(longest=100)
    arguments = resource.arguments
    budget = {"BudgetName": name, **arguments.request("budgetType", "timeUnit")}
    amount, unit = arguments.take("limitAmount"), arguments.take("limitUnit")
    if amount is None or unit is None:
        raise ResourceError("it needs limitAmount and limitUnit")
    budget["BudgetLimit"] = {"Amount": amount, "Unit": unit}
    account = resource.account.account_id
    if resource.tags():
        raise ResourceError("tags are not supported")
    resource.account.client("budgets").create_budget(
        AccountId=account,
        Budget=budget,
        NotificationsWithSubscribers=[_notification(each) for each in arguments.blocks("notifications")],
    )
    return f"{account}:{name}", {
        "arn": resource.account.arn("budgets", f"budget/{name}", region=""),
        "accountId": account,
        "name": name,
    }


def _notification(given: Arguments) -> dict[str, Any]:
    topics = given.take("subscriberSnsTopicArns", [])
    addresses = given.take("subscriberEmailAddresses", [])
    return {
        "Notification": given.request("comparisonOperator", "notificationType", "threshold", "thresholdType"),
        "Subscribers": [
            *({"SubscriptionType": "SNS", "Address": topic} for topic in topics),
            *({"SubscriptionType": "EMAIL", "Address": address} for address in addresses),
        ],
    }


RESOURCES: dict[str, Create] = {"aws:budgets/budget:Budget": _budget}

NOT_APPLIED: dict[str, dict[str, str]] = {}
