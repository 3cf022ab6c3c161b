"""SNS topics, their policies and subscriptions."""

from __future__ import annotations

from embedded_aws.pulumi_mocks.resource import Create, Created, Resource, tag_list


def _topic(resource: Resource) -> Created:
    name = resource.physical_name(longest=256)
    attributes = resource.arguments.request("displayName", "kmsMasterKeyId", "policy", "tracingConfig")
    arn = resource.account.client("sns").create_topic(Name=name, Attributes=attributes, Tags=tag_list(resource.tags()))[
        "TopicArn"
    ]
    return arn, {"arn": arn, "name": name}


def _topic_policy(resource: Resource) -> Created:
    arn = resource.arguments.take("arn")
    resource.account.client("sns").set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=resource.arguments.take("policy")
    )
    return arn, {}


def _subscription(resource: Resource) -> Created:
    arguments = resource.arguments
    arn = resource.account.client("sns").subscribe(
        TopicArn=arguments.take("topic"),
        Protocol=arguments.take("protocol"),
        Endpoint=arguments.take("endpoint"),
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return arn, {"arn": arn}


RESOURCES: dict[str, Create] = {
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
}

NOT_APPLIED: dict[str, dict[str, str]] = {}
