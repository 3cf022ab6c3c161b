"""The contents of a raw bucket, as tests read them."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "raw-bucket"

Json = dict[str, Any]


@dataclass
class Stored:
    """The objects of the bucket."""

    s3: S3Client

    def keys(self, prefix: str = "") -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def bytes(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def json(self, key: str) -> Json:
        content: Json = json.loads(self.bytes(key))
        return content

    def lines(self, keys: list[str]) -> list[Json]:
        return [json.loads(line) for key in keys for line in gzip.decompress(self.bytes(key)).splitlines()]

    def records(self, keys: list[str]) -> list[Any]:
        return [line["record"] for line in self.lines(keys)]
