"""A raw bucket in memory, imports into it, and the plays that count afterwards."""

from __future__ import annotations

import gzip
import io
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient
from rich.console import Console

from cli.errors import CommandError
from cli.import_history import import_history
from handlers.layout import LOGIN_STATE_KEY
from handlers.streaming_history import URI_FIELDS, played_at, row_problem

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET, ACCOUNT = "raw-bucket", "100% Ana – ü"


class KilledError(BaseException):
    """The process is killed here."""


class ImportStage:
    """The bucket and the command."""

    def __init__(self, s3: S3Client) -> None:
        self.s3 = s3

    def log_in(self, account_id: str = ACCOUNT) -> None:
        """Store what the extract function stores after a login."""
        self.put(LOGIN_STATE_KEY, {"login": "fingerprint", "account_id": account_id, "user_id": "ana"})

    def put(self, key: str, content: Any) -> None:
        """Store a JSON object."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(content).encode())

    def run(self, *paths: Path, account_id: str | None = None, again: bool = False) -> str:
        """Run an import and return its output."""
        printed = io.StringIO()
        console = Console(file=printed, width=200)
        import_history(paths, BUCKET, account_id=account_id, again=again, console=console)
        return printed.getvalue()

    def fail(self, *paths: Path) -> str:
        """Run an import that fails and return its error message."""
        with pytest.raises(CommandError) as caught:
            self.run(*paths)
        return str(caught.value)

    def keys(self, prefix: str) -> list[str]:
        """Return the keys in the bucket."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def body(self, key: str) -> bytes:
        """Return the bytes of an object."""
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def json(self, key: str) -> Any:
        """Return a JSON object."""
        return json.loads(self.body(key))

    def lines(self, key: str) -> list[dict[str, Any]]:
        """Return the lines of a raw object."""
        return [json.loads(line) for line in gzip.decompress(self.body(key)).splitlines()]

    def manifests(self) -> list[dict[str, Any]]:
        """Return the manifests, in the order of their run ids."""
        return [self.json(key) for key in self.keys("runs/")]

    def everything(self) -> bytes:
        """Return everything that is stored: keys, metadata and unpacked bytes."""
        found = []
        for key in self.keys(""):
            answer = self.s3.get_object(Bucket=BUCKET, Key=key)
            body = answer["Body"].read()
            found += [key.encode(), repr(answer["Metadata"]).encode()]
            found.append(gzip.decompress(body) if key.endswith(".gz") else body)
        return b"\n".join(found)

    def listened(self) -> list[dict[str, Any]]:
        """Return the plays that count, as the view `listens` counts them.

        These are the distinct elements of imports whose files are all complete; each (time, item, length) counts as
        often as in the import that has it most often.
        """
        most: dict[str, list[str]] = {}
        for manifest in self.manifests():
            if all(unit["read_complete"] and self._arrived(unit) for unit in manifest["units"]):
                records = {
                    json.dumps(line["record"], sort_keys=True): line["record"]
                    for unit in manifest["units"]
                    for key in unit["read_keys"]
                    for line in self.lines(key)
                    if row_problem(line["record"]) is None
                }
                mine: dict[str, list[str]] = {}
                for text, record in records.items():
                    mine.setdefault(_play(record), []).append(text)
                most |= {play: texts for play, texts in mine.items() if len(texts) > len(most.get(play, ()))}
        found = [json.loads(text) for texts in most.values() for text in texts]
        return sorted(found, key=lambda record: (str(played_at(record)), record.get("ms_played", 0)))

    def _arrived(self, unit: dict[str, Any]) -> bool:
        return sum(len(self.lines(key)) for key in unit["read_keys"]) == int(unit["read_records"])


def _play(record: dict[str, Any]) -> str:
    names = ("ts", "endTime", *URI_FIELDS, "ms_played", "msPlayed")
    return json.dumps([record.get(name) for name in names])


@contextmanager
def at_put(
    number: int, *, before: Callable[[], None] | None = None, after: Callable[[], None] | None = None
) -> Iterator[None]:
    """Do something before or after the given write to S3, counted from 1."""
    make, count = BaseClient._make_api_call, 0  # type: ignore[attr-defined] # botocore's one place for all calls

    def counted(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
        nonlocal count
        counts = operation == "PutObject"
        count += counts
        mine = counts and count == number
        if mine and before:
            before()
        answer = make(client, operation, arguments)
        if mine and after:
            after()
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", counted)
        yield


def killed() -> None:
    """End the process."""
    raise KilledError


def interrupted() -> None:
    """Press Ctrl-C."""
    signal.raise_signal(signal.SIGINT)
