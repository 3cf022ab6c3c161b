"""Measures what a warm function takes for the small object of an hourly run, S3 included.

`make bench-hourly` prints the table: CPU milliseconds of one transform, and of its S3 requests alone, by the number of
plays in the object. S3 is the embedded one, in a process of its own.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import boto3

from embedded_aws import EmbeddedAws
from handlers.layout import RawKey, raw_metadata
from handlers.transform.transformer import Transformer
from tests.benchmarks.transform.generated import ACCOUNT, READ, raw_object

_PLAYS = (1, 10, 50)
_ROUNDS = 40
_WARM_UP = 3
_RUN = "20261123T062000Z-hourly"
_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
_RAW, _TRANSFORMED = "raw", "transformed"


def main() -> None:
    """Measure and print."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    s3 = boto3.client("s3", **ours.recv())
    for bucket in (_RAW, _TRANSFORMED):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    sys.stdout.write(
        "| plays | S3 requests | CPU ms | CPU ms of the requests alone | ratio |\n"
        "| ---: | ---: | ---: | ---: | ---: |\n"
    )
    for plays in _PLAYS:
        key = _stored(s3, plays)
        recorded = _Recorded(s3)
        Transformer(recorded, _RAW, _TRANSFORMED, lambda: _NOON).transform(key)  # type: ignore[arg-type] # only calls
        transformer = Transformer(s3, _RAW, _TRANSFORMED, lambda: _NOON)

        def transform(transformer: Transformer = transformer, key: str = key) -> None:
            transformer.transform(key)

        whole, alone = _cpu_ms(transform), _cpu_ms(recorded.repeat)
        sys.stdout.write(f"| {plays} | {len(recorded.calls)} | {whole:.1f} | {alone:.1f} | {whole / alone:.2f} |\n")
        sys.stdout.flush()
    ours.send(None)
    server.join()


def _serve(pipe: Connection) -> None:
    with tempfile.TemporaryDirectory() as folder, EmbeddedAws(Path(folder), start=_NOON, any_python=True) as aws:
        owner = aws.server.owner
        pipe.send(
            {
                "endpoint_url": aws.server.url,
                "region_name": "eu-central-1",
                "aws_access_key_id": owner.access_key_id,
                "aws_secret_access_key": owner.secret_access_key,
            }
        )
        pipe.recv()


class _Recorded:
    """A client that keeps its calls, to make them again."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            if hasattr(arguments.get("Body"), "read"):
                arguments["Body"] = arguments["Body"].read()
            self.calls.append((operation, arguments))
            return getattr(self._s3, operation)(**arguments)

        return call

    def repeat(self) -> None:
        for operation, arguments in self.calls:
            answer = getattr(self._s3, operation)(**arguments)
            if operation == "get_object":
                answer["Body"].read()


def _stored(s3: Any, plays: int) -> str:
    """Store the raw object of an hourly run, and return its key."""
    with tempfile.TemporaryDirectory() as folder:
        lines = list(map(json.loads, gzip.decompress(raw_object(Path(folder), plays).read_bytes()).splitlines()))
    for number, line in enumerate(lines):
        played_at = _NOON - timedelta(minutes=4 * number)
        line |= {"stream": "recently_played", "run_id": _RUN, "context": {}}
        line["record"] = {
            "track": line["record"]["item"],
            "played_at": f"{played_at:%Y-%m-%dT%H:%M:%S.000Z}",
            "context": None,
        }
    key = str(RawKey("recently_played", _RUN, plays))
    body = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
    s3.put_object(Bucket=_RAW, Key=key, Body=body, Metadata=raw_metadata(READ, ACCOUNT, plays))
    return key


def _cpu_ms(work: Callable[[], None]) -> float:
    """Return the median CPU time of one call once warm."""
    times = []
    for _ in range(_WARM_UP + _ROUNDS):
        began = time.process_time()
        work()
        times.append((time.process_time() - began) * 1000)
    return statistics.median(times[_WARM_UP:])


if __name__ == "__main__":
    main()
