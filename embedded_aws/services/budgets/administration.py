"""Changing budgets, their notifications and subscribers, and tags, which moto does not implement.

Source: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Operations_AWS_Budgets.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.budgets.exceptions import DuplicateRecordException, NotFoundException
from moto.budgets.models import Budget, BudgetsBackend, Notification
from moto.budgets.responses import BudgetsResponse
from moto.core.utils import unix_time

from embedded_aws.server.parameters import parameter

_EMPTY = "{}"


@contextmanager
def changeable_budgets() -> Iterator[None]:
    """Implement the missing operations while the context lasts."""
    with ExitStack() as patches:
        for name, replacement in _OPERATIONS.items():
            patches.enter_context(
                patch.object(BudgetsResponse, name, replacement, create=not hasattr(BudgetsResponse, name))
            )
        yield


def _create_budget(response: BudgetsResponse) -> str:
    created = _MOTOS_CREATE(response)
    _set_tags(_budget(response, parameter(response, "Budget")["BudgetName"]), parameter(response, "ResourceTags") or [])
    return created


def _update_budget(response: BudgetsResponse) -> str:
    new = parameter(response, "NewBudget")
    budget = _budget(response, new["BudgetName"])
    # The budget that is given replaces all settings, but the period stays.
    budget.budget = {"TimePeriod": budget.budget["TimePeriod"], **new, "LastUpdatedTime": unix_time()}
    return _EMPTY


def _create_notification(response: BudgetsResponse) -> str:
    budget, given = _budget(response), parameter(response, "Notification")
    if any(_key(each.details) == _key(given) for each in budget.notifications):
        raise DuplicateRecordException("notification", given["NotificationType"])
    return _MOTOS_CREATE_NOTIFICATION(response)


def _update_notification(response: BudgetsResponse) -> str:
    notification = _notification(response, "OldNotification")
    notification.details = parameter(response, "NewNotification")
    return _EMPTY


def _delete_notification(response: BudgetsResponse) -> str:
    _budget(response).notifications.remove(_notification(response))
    return _EMPTY


def _describe_notifications(response: BudgetsResponse) -> str:
    found = [{"ThresholdType": "PERCENTAGE", **each.details} for each in _budget(response).notifications]
    return json.dumps({"Notifications": found})


def _create_subscriber(response: BudgetsResponse) -> str:
    subscribers, given = _subscribers(response), parameter(response, "Subscriber")
    if given in subscribers:
        raise DuplicateRecordException("subscriber", given["Address"])
    subscribers.append(given)
    return _EMPTY


def _update_subscriber(response: BudgetsResponse) -> str:
    subscribers = _subscribers(response)
    subscribers[_position(subscribers, parameter(response, "OldSubscriber"))] = parameter(response, "NewSubscriber")
    return _EMPTY


def _delete_subscriber(response: BudgetsResponse) -> str:
    subscribers = _subscribers(response)
    del subscribers[_position(subscribers, parameter(response, "Subscriber"))]
    return _EMPTY


def _describe_subscribers(response: BudgetsResponse) -> str:
    return json.dumps({"Subscribers": _subscribers(response)})


def _list_tags(response: BudgetsResponse) -> str:
    tags = _tags(_budget_of_arn(response))
    return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def _tag(response: BudgetsResponse) -> str:
    _set_tags(_budget_of_arn(response), parameter(response, "ResourceTags"))
    return _EMPTY


def _untag(response: BudgetsResponse) -> str:
    tags = _tags(_budget_of_arn(response))
    for key in parameter(response, "ResourceTagKeys"):
        tags.pop(key, None)
    return _EMPTY


def _budget(response: BudgetsResponse, name: str | None = None) -> Budget:
    backend: BudgetsBackend = response.backend
    wanted = name or parameter(response, "BudgetName")
    found = backend.budgets[parameter(response, "AccountId")].get(wanted)
    if found is None:
        raise NotFoundException(f"Unable to get budget: {wanted} - the budget doesn't exist.")
    return found


def _budget_of_arn(response: BudgetsResponse) -> Budget:
    arn = parameter(response, "ResourceARN")
    account, _, name = arn.partition("arn:aws:budgets::")[2].partition(":budget/")
    found: Budget | None = response.backend.budgets[account].get(name)
    if found is None:
        raise NotFoundException(f"Unable to get budget: {arn} - the budget doesn't exist.")
    return found


def _notification(response: BudgetsResponse, given_in: str = "Notification") -> Notification:
    budget, given = _budget(response), parameter(response, given_in)
    for found in budget.notifications:
        if _key(found.details) == _key(given):
            return found
    raise NotFoundException(f"Unable to get notification - the budget {budget.budget['BudgetName']} has no such one.")


def _key(details: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a budget has only one notification of."""
    return (
        details.get("NotificationType"),
        details.get("ComparisonOperator"),
        float(details["Threshold"]),
        details.get("ThresholdType", "PERCENTAGE"),
    )


def _subscribers(response: BudgetsResponse) -> list[dict[str, str]]:
    subscribers: list[dict[str, str]] = _notification(response).subscribers  # type: ignore[assignment] # it is a list
    return subscribers


def _position(subscribers: list[dict[str, str]], wanted: dict[str, str]) -> int:
    if wanted not in subscribers:
        raise NotFoundException(f"Unable to get subscriber {wanted['Address']} - the notification has no such one.")
    return subscribers.index(wanted)


def _tags(budget: Any) -> dict[str, str]:
    if not hasattr(budget, "tags"):
        budget.tags = {}
    tags: dict[str, str] = budget.tags
    return tags


def _set_tags(budget: Budget, tags: list[dict[str, str]]) -> None:
    _tags(budget).update({tag["Key"]: tag["Value"] for tag in tags})


_MOTOS_CREATE = BudgetsResponse.create_budget
_MOTOS_CREATE_NOTIFICATION = BudgetsResponse.create_notification
_OPERATIONS: dict[str, Any] = {
    "create_budget": _create_budget,
    "create_notification": _create_notification,
    "create_subscriber": _create_subscriber,
    "delete_notification": _delete_notification,
    "delete_subscriber": _delete_subscriber,
    "describe_notifications_for_budget": _describe_notifications,
    "describe_subscribers_for_notification": _describe_subscribers,
    "list_tags_for_resource": _list_tags,
    "tag_resource": _tag,
    "untag_resource": _untag,
    "update_budget": _update_budget,
    "update_notification": _update_notification,
    "update_subscriber": _update_subscriber,
}
