"""Budgets: what clients do with them beyond creating and describing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded_aws.stage import ACCOUNT, Stage

BUDGET = {"AccountId": ACCOUNT, "BudgetName": "monthly"}
MAIL = {"SubscriptionType": "EMAIL", "Address": "a@example.com"}
TOPIC = {"SubscriptionType": "SNS", "Address": "arn:aws:sns:eu-central-1:123456789012:alerts"}
ALERT = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80.0,
    "ThresholdType": "PERCENTAGE",
}


@pytest.fixture
def budgets(stage: Stage) -> Any:
    """A client of Budgets, with a budget `monthly` that notifies one address."""
    client = stage.client("budgets")
    client.create_budget(
        AccountId=ACCOUNT,
        Budget=described("5"),
        NotificationsWithSubscribers=[{"Notification": ALERT, "Subscribers": [MAIL]}],
        ResourceTags=[{"Key": "stage", "Value": "test"}],
    )
    return client


def described(amount: str, **more: Any) -> dict[str, Any]:
    limit = {"Amount": amount, "Unit": "USD"}
    return {"BudgetName": "monthly", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit, **more}


def subscribers(budgets: Any, notification: dict[str, Any]) -> list[dict[str, str]]:
    found = budgets.describe_subscribers_for_notification(**BUDGET, Notification=notification)
    return list(found["Subscribers"])


def test_an_update_replaces_the_limit_and_keeps_the_period(budgets: Any) -> None:
    before = budgets.describe_budget(**BUDGET)["Budget"]
    budgets.update_budget(AccountId=ACCOUNT, NewBudget=described("9"))
    after = budgets.describe_budget(**BUDGET)["Budget"]
    assert after["BudgetLimit"] == {"Amount": "9", "Unit": "USD"}
    assert after["TimePeriod"] == before["TimePeriod"]
    with pytest.raises(budgets.exceptions.NotFoundException):
        budgets.update_budget(AccountId=ACCOUNT, NewBudget=described("9", BudgetName="yearly"))


def test_notifications_change_with_their_subscribers(budgets: Any) -> None:
    assert budgets.describe_notifications_for_budget(**BUDGET)["Notifications"] == [ALERT]
    assert subscribers(budgets, ALERT) == [MAIL]
    with pytest.raises(budgets.exceptions.DuplicateRecordException):
        budgets.create_notification(**BUDGET, Notification=ALERT, Subscribers=[MAIL])
    higher = {**ALERT, "Threshold": 100.0}
    budgets.update_notification(**BUDGET, OldNotification=ALERT, NewNotification=higher)
    with pytest.raises(budgets.exceptions.NotFoundException):
        subscribers(budgets, ALERT)
    budgets.create_subscriber(**BUDGET, Notification=higher, Subscriber=TOPIC)
    with pytest.raises(budgets.exceptions.DuplicateRecordException):
        budgets.create_subscriber(**BUDGET, Notification=higher, Subscriber=TOPIC)
    other = {**MAIL, "Address": "b@example.com"}
    budgets.update_subscriber(**BUDGET, Notification=higher, OldSubscriber=MAIL, NewSubscriber=other)
    assert subscribers(budgets, higher) == [other, TOPIC]
    budgets.delete_subscriber(**BUDGET, Notification=higher, Subscriber=TOPIC)
    with pytest.raises(budgets.exceptions.NotFoundException):
        budgets.delete_subscriber(**BUDGET, Notification=higher, Subscriber=TOPIC)
    assert subscribers(budgets, higher) == [other]
    # Without the type of its threshold, which is a percentage then.
    budgets.delete_notification(
        **BUDGET, Notification={name: value for name, value in higher.items() if name != "ThresholdType"}
    )
    assert budgets.describe_notifications_for_budget(**BUDGET)["Notifications"] == []


def test_tags_change(budgets: Any) -> None:
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/monthly"
    budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "owner", "Value": "ana"}])
    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["stage"])
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "owner", "Value": "ana"}]
    with pytest.raises(budgets.exceptions.NotFoundException):
        budgets.list_tags_for_resource(ResourceARN=arn.replace("monthly", "yearly"))
