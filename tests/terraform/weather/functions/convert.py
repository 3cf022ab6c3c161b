"""Turns raw objects into Parquet."""

import io
import json
import os
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

s3 = boto3.client("s3")


def handler(event: dict[str, Any], _context: object) -> dict[str, list[str]]:
    for message in event["Records"]:
        for record in json.loads(message["body"]).get("Records", []):  # none in S3's test event
            _convert(record["s3"]["object"]["key"])
    return {"batchItemFailures": []}


def _convert(key: str) -> None:
    lines = s3.get_object(Bucket=os.environ["RAW_BUCKET"], Key=key)["Body"].read().splitlines()
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([json.loads(line) for line in lines]), content)
    s3.put_object(Bucket=os.environ["LAKE_BUCKET"], Key=f"tables/{key}.parquet", Body=content.getvalue())
