"""`spotify-etl replay`: transforms raw objects again, or what was given up.

Transforming an object again replaces its rows with the same ones, so a replay can be stopped and repeated at any time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, unquote_plus

from rich.console import Console

from cli.confirmation import confirm
from cli.durations import parse_date
from cli.errors import CommandError, StillRunningError
from cli.following import follow_transform
from cli.pipeline_functions import deployed_function
from cli.presentation import Steps, pluralize, print_line, print_tables, table
from cli.queue_messages import BATCH, delete_messages, received_messages, send_messages
from cli.stream_names import parse_stream_names
from cli.targets import Target, aws_errors
from handlers import layout
from handlers.streams import STREAMS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_THREADS = 8
_RUNS = "runs"
"""The manifests, in the list of streams."""
_AFTERWARDS = "New tables, columns and partitions appear in Athena with the next crawl: run `spotify-etl crawl`."
_REDONE_BY = {
    "extract": "a new run reads what they would have read: `spotify-etl extract`",
    "crawl": "`spotify-etl crawl` does it",
    "publish": "`spotify-etl crawl` does it",
    "compact": "`spotify-etl compact` does it",
}
"""What does the work of dead letters that are not about objects, by step."""


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """Which objects are transformed again."""

    streams: str = ""
    """Comma-separated names; '' for all, with the manifests."""
    since: str = ""
    """First date of the runs, in UTC; '' for no limit."""
    until: str = ""
    """Last date of the runs, in UTC; '' for no limit."""


@dataclass(frozen=True)
class _Found:
    key: str
    size: int

    @property
    def is_ours(self) -> bool:
        """Whether the transform leaves a record of it under its own key."""
        return _parsed(self.key) is not None


def replay(target: Target, request: ReplayRequest, *, console: Console) -> None:
    """Transform raw objects again, and wait until that is done.

    Raises:
        CommandError: an option is wrong, there is no such object, one was given up, or AWS refused a request.
        StillRunningError: the user stopped the command.
    """
    since, until = (
        parse_date(text, option) if text else None
        for text, option in ((request.since, "--since"), (request.until, "--until"))
    )
    if since and until and since > until:
        raise CommandError(f"--since {since} is after --until {until}: swap them.")
    named = parse_stream_names(request.streams, STREAMS, "--stream") if request.streams else ()
    target.announce(console)
    function = deployed_function(target, "transform")
    with aws_errors():
        found = list(_objects(target.client("s3"), target.outputs["raw_bucket_name"], named, since, until))
    if not found:
        raise CommandError(
            "There is nothing to replay: the raw bucket has no such objects; `spotify-etl status` lists the last runs."
        )
    _show(found, console)
    steps = Steps(console)
    _send(target, [one.key for one in found], steps)
    with steps.step("Transform again") as result:
        follow_transform(target, [one.key for one in found if one.is_ours], result, since=function.asked_at)
    print_line(console, f"Done: {pluralize(len(found), 'object')} transformed again. {_AFTERWARDS}")


def replay_dead_letters(target: Target, *, yes: bool, console: Console) -> None:
    """Transform again what was given up, and clear the dead letters of the other steps.

    Args:
        target: the pipeline.
        yes: whether to clear dead letters without asking.
        console: where to print and ask.

    Raises:
        CommandError: an object was given up again, the user refused, or AWS refused a request.
    """
    target.announce(console)
    function = deployed_function(target, "transform")
    sqs, urls = target.client("sqs"), target.outputs["dead_letter_queue_urls"]
    with aws_errors():
        counts = {step: _count(sqs, url) for step, url in urls.items()}
    if not any(counts.values()):
        print_line(console, "There are no dead letters: nothing was given up.")
        return
    for step, count in counts.items():
        if count:
            what = _REDONE_BY.get(step, "they are transformed again")
            print_line(console, f"{pluralize(count, 'dead letter')} of {step}: {what}.")
    if counts["transform"]:
        steps = Steps(console)
        keys = _move(target, sqs, urls["transform"], steps)
        with steps.step("Transform again") as result:
            follow_transform(target, keys, result, since=function.asked_at)
        print_line(console, _AFTERWARDS)
    rest = [step for step in _REDONE_BY if counts.get(step)]
    if rest:
        _clear(sqs, {step: urls[step] for step in rest}, yes=yes, console=console)


def _objects(
    s3: S3Client, bucket: str, streams: Sequence[str], since: date | None, until: date | None
) -> Iterator[_Found]:
    """Yield the objects that S3 announces to the queue, by stream and date."""
    prefixes = [f"{layout.RAW_PREFIX}{stream}/" for stream in streams] or [layout.RAW_PREFIX, layout.RUNS_PREFIX]
    for prefix in prefixes:
        suffix = layout.RUNS_SUFFIX if prefix == layout.RUNS_PREFIX else layout.RAW_SUFFIX
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                key = entry["Key"]
                if key.endswith(suffix) and _is_within(key, since, until):
                    yield _Found(key, entry["Size"])


def _is_within(key: str, since: date | None, until: date | None) -> bool:
    if since is None and until is None:
        return True
    parsed = _parsed(key)
    if parsed is None:
        return False
    day = layout.run_date(parsed.run_id)
    return (since is None or day >= since) and (until is None or day <= until)


def _parsed(key: str) -> layout.RawKey | layout.ManifestKey | None:
    try:
        return layout.ManifestKey.parse(key) if key.startswith(layout.RUNS_PREFIX) else layout.RawKey.parse(key)
    except layout.ForeignKeyError:
        return None


def _show(found: Sequence[_Found], console: Console) -> None:
    objects: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for one in found:
        parsed = _parsed(one.key)
        stream = parsed.stream if isinstance(parsed, layout.RawKey) else _RUNS if parsed else "foreign"
        objects[stream] += 1
        sizes[stream] += one.size
    rows = [(stream, f"{count:,}", f"{sizes[stream] / 1e6:,.1f}") for stream, count in sorted(objects.items())]
    print_tables(
        console, table(f"{pluralize(len(found), 'object')} to transform again", ("stream", "objects", "MB"), rows)
    )


def _send(target: Target, keys: Sequence[str], steps: Steps) -> None:
    sqs, url, bucket = target.client("sqs"), target.outputs["transform_queue_url"], target.outputs["raw_bucket_name"]
    sent = 0
    try:
        with steps.step("Send to the queue") as result, aws_errors(), ThreadPoolExecutor(_THREADS) as pool:
            batches = [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]
            try:
                for size in pool.map(lambda batch: _send_batch(sqs, url, bucket, batch), batches):
                    sent += size
                    result.progress(f"{sent:,} of {pluralize(len(keys), 'object')}")
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    except KeyboardInterrupt as error:
        raise StillRunningError(
            f"Stopped. At least {sent:,} of {pluralize(len(keys), 'object')} will still be transformed; run the "
            "command again for the others, as often as you like."
        ) from error


def _send_batch(sqs: Any, url: str, bucket: str, keys: Sequence[str]) -> int:
    send_messages(sqs, url, [_notification(bucket, key) for key in keys])
    return len(keys)


def _notification(bucket: str, key: str) -> str:
    """Return what S3 sends when an object is created, as far as it is read."""
    entry = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/")}},
    }
    return json.dumps({"Records": [entry]})


def _move(target: Target, sqs: Any, dead_letters: str, steps: Steps) -> list[str]:
    """Move the messages to the transform's queue, and return the keys whose transform can be followed."""
    s3, bucket, queue = target.client("s3"), target.outputs["raw_bucket_name"], target.outputs["transform_queue_url"]
    keys: list[str] = []
    with steps.step("Move the dead letters to the queue") as result, aws_errors():
        moved = 0
        for messages in received_messages(sqs, dead_letters):
            # In this order a message may be there twice if the command is stopped, but never nowhere.
            send_messages(sqs, queue, [message["Body"] for message in messages])
            delete_messages(sqs, dead_letters, messages)
            moved += len(messages)
            result.progress(f"{moved:,}")
            keys += [key for message in messages for key in _keys_in(message["Body"])]
        result.say(f"{pluralize(moved, 'message')} moved")
        there = [key for key in dict.fromkeys(keys) if _parsed(key) and _exists(s3, bucket, key)]
        if len(there) < len(set(keys)):
            result.say(f"{pluralize(len(set(keys)) - len(there), 'object')} no longer in the raw bucket, or foreign")
    return there


def _keys_in(body: str) -> list[str]:
    try:
        return [unquote_plus(record["s3"]["object"]["key"]) for record in json.loads(body)["Records"]]
    except (ValueError, KeyError, TypeError):
        return []


def _exists(s3: S3Client, bucket: str, key: str) -> bool:
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    return any(entry["Key"] == key for entry in listed.get("Contents", ()))


def _count(sqs: Any, url: str) -> int:
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"].get(name, 0))


def _clear(sqs: Any, urls: dict[str, str], *, yes: bool, console: Console) -> None:
    """Delete messages that name no objects, once the user agrees."""
    if not yes:
        confirm(console, f"Delete the dead letters of {' and '.join(urls)}, because that work is done? Type yes", "yes")
    with aws_errors():
        for step, url in urls.items():
            cleared = 0
            for messages in received_messages(sqs, url):
                delete_messages(sqs, url, messages)
                cleared += len(messages)
            print_line(console, f"{pluralize(cleared, 'dead letter')} of {step} deleted.")
