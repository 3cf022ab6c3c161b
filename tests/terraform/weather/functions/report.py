"""Announces that the tables are new."""

import os
from typing import Any

import boto3


def handler(event: dict[str, Any], _context: object) -> None:
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC"], Message=f"{event['detail']['crawlerName']} is done.")
