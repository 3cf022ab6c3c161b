"""Who is told when something is wrong: the alarms, failed crawls, the budget, and the topic that sends the e-mails."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from pipeline import policies
from pipeline.alarms import ALARMS, RUNBOOK, Alarm, create_alarm
from pipeline.settings import Settings


class Alerts(pulumi.ComponentResource):
    """The topic with its subscription, the alarms, the rule for crawls that fail, and the budget.

    Args:
        name: name of the resource.
        settings: the stack's settings.
        own_namespace: namespace of the functions' own metrics.
        names: physical names of the resources that alarms watch.
        crawler_name: the crawler.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        own_namespace: str,
        names: Mapping[str, pulumi.Input[str]],
        crawler_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("spotify-etl:index:Alerts", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Without a KMS key: alarms cannot publish to a topic that is encrypted with `alias/aws/sns`
        # (https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger), and nothing secret is sent.
        self.topic = aws.sns.Topic(f"{name}-alerts", display_name="spotify-etl", opts=child)
        if settings.alert_email:
            aws.sns.TopicSubscription(
                f"{name}-alerts", topic=self.topic.arn, protocol="email", endpoint=settings.alert_email, opts=child
            )
        failed = aws.cloudwatch.EventRule(
            f"{name}-crawl-failed",
            description="Reports a crawl that failed.",
            event_pattern=pulumi.Output.json_dumps(
                {
                    "source": ["aws.glue"],
                    "detail-type": ["Glue Crawler State Change"],
                    "detail": {"crawlerName": [crawler_name], "state": ["Failed"]},
                }
            ),
            opts=child,
        )
        policy = aws.sns.TopicPolicy(
            f"{name}-alerts",
            arn=self.topic.arn,
            policy=policies.render(policies.alerts_topic, topic=self.topic.arn, rule=failed.arn),
            opts=child,
        )
        after_policy = pulumi.ResourceOptions(parent=self, depends_on=[policy])
        watched = {**names, "crawl-failed": failed.name}
        self.alarms = [
            create_alarm(
                name, alarm, own_namespace=own_namespace, names=watched, topic=self.topic.arn, opts=after_policy
            )
            for alarm in ALARMS
            if _applies(alarm, settings)
        ]
        if settings.monthly_budget_usd:
            _create_budget(name, settings.monthly_budget_usd, self.topic.arn, after_policy)
        aws.cloudwatch.EventTarget(
            f"{name}-crawl-failed",
            rule=failed.name,
            arn=self.topic.arn,
            input_transformer={
                "input_paths": {"crawler": "$.detail.crawlerName", "time": "$.time"},
                "input_template": json.dumps(
                    f"The crawler <crawler> failed at <time>. What to do: {RUNBOOK}#crawl-failed"
                ),
            },
            opts=after_policy,
        )
        self.register_outputs({"topic_arn": self.topic.arn})


def _create_budget(name: str, dollars: int, topic: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
    """Create a budget that notifies a topic when the account has spent it, or is about to.

    It counts the whole account: AWS can tell a stack's costs apart only by a tag that someone has activated for cost
    allocation, and a budget for a tag that is not active counts nothing.
    """
    notifications: list[aws.budgets.BudgetNotificationArgsDict] = [
        {
            "comparison_operator": "GREATER_THAN",
            "notification_type": kind,
            "threshold": 100,
            "threshold_type": "PERCENTAGE",
            "subscriber_sns_topic_arns": [topic],
        }
        for kind in ("ACTUAL", "FORECASTED")
    ]
    aws.budgets.Budget(
        name,
        budget_type="COST",
        limit_amount=str(dollars),
        limit_unit="USD",
        time_unit="MONTHLY",
        notifications=notifications,
        opts=opts,
    )


def _applies(alarm: Alarm, settings: Settings) -> bool:
    if alarm.needs_schedules and not settings.schedules_enabled:
        return False
    return not (alarm.needs_user and settings.auth_mode == "app")
