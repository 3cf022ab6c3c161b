"""Lifecycle rules: objects and versions that expire at midnight, as S3 counts it.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html. Objects leave without an
event: S3 has other events for this (`s3:LifecycleExpiration:*`), which moto does not know.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, time, timedelta
from typing import Any
from unittest.mock import patch

from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, FakeDeleteMarker

from embedded_aws.clock import SimulatedClock, midnight_after
from embedded_aws.runtime.step_log import StepLog
from embedded_aws.server.server import AwsServer

_DAY = timedelta(days=1)
_KEPT = {
    "Filter": {"Prefix", "Tag", "And"},
    "And": {"Prefix", "Tag"},
    "NoncurrentVersionExpiration": {"NoncurrentDays"},
}
"""What moto keeps of these elements. A rule without the rest would expire more than it says."""

_WHOLE = "_embedded_aws_whole"
"""Attribute of a rule that moto keeps whole. One in a data folder of a version that did not check may lack conditions:
it stays without effect, as it was, until the bucket gets its rules again."""


class Lifecycle:
    """Applies the lifecycle rules of all buckets once a day."""

    def __init__(self, server: AwsServer, clock: SimulatedClock, steps: StepLog) -> None:
        self._server = server
        self._clock = clock
        self._steps = steps
        self._applied_at: datetime | None = None
        self._installed = ExitStack()

    def install(self) -> None:
        """Begin with the next midnight; refuse rules of which moto would keep only a part."""
        self._applied_at = self._applied_at or self._clock.now
        set_lifecycle = FakeBucket.set_lifecycle

        def set_whole(bucket: Any, rules: list[dict[str, Any]]) -> None:
            for name in itertools.chain.from_iterable(map(_dropped, rules)):
                raise S3ClientError("NotImplemented", f"The embedded AWS does not implement {name} of lifecycle rules.")
            for element, days in itertools.chain.from_iterable(map(_days, rules)):
                if not days.isdecimal() or int(days) < 1:
                    raise S3ClientError(
                        "InvalidArgument", f"'{element}' of a lifecycle rule must be a positive integer"
                    )
            set_lifecycle(bucket, rules)
            for rule in bucket.rules:
                setattr(rule, _WHOLE, True)

        self._installed.enter_context(patch.object(FakeBucket, "set_lifecycle", set_whole))

    def close(self) -> None:
        """Restore moto."""
        self._installed.close()

    def next_due(self) -> datetime | None:
        """Return the midnight after the rules were last applied; None without rules."""
        if self._applied_at is None or not any(self._rules(bucket) for bucket in self._buckets()):
            self._applied_at = self._clock.now
            return None
        return midnight_after(self._applied_at)

    def run_due(self) -> bool:
        """Apply the rules if midnight has passed since the last time; return whether it has."""
        due, now = self.next_due(), self._clock.now
        if due is None or due > now:
            return False
        self._applied_at = now
        midnight = datetime.combine(now.date(), time(), UTC)
        for bucket in self._buckets():
            expired = sum(self._expire(bucket, rule, midnight) for rule in self._rules(bucket))
            if expired:
                self._steps.record("expiry", bucket.name, f"{expired} object{'' if expired == 1 else 's'} expired")
        return True

    def state(self) -> datetime | None:
        """Return when the rules were last applied."""
        return self._applied_at

    def restore(self, applied_at: datetime | None) -> None:
        """Continue after an earlier run."""
        self._applied_at = applied_at

    def _buckets(self) -> list[Any]:
        return list(self._server.backend("s3").buckets.values())

    def _expire(self, bucket: Any, rule: Any, midnight: datetime) -> int:
        """Apply one rule, and return how many objects, versions and markers are gone or marked."""
        names = [name for name in list(bucket.keys) if name.startswith(_prefix(rule))]
        if tags := _tags(rule):
            names = [name for name in names if tags.items() <= self._tags_of(bucket, name).items()]
        return sum(_expire_versions(bucket, rule, name, midnight) for name in names)

    def _tags_of(self, bucket: Any, name: str) -> dict[str, str]:
        (*_, current) = bucket.keys.getlist(name)
        if isinstance(current, FakeDeleteMarker):
            return {}
        found: dict[str, str] = self._server.backend("s3").tagger.get_tag_dict_for_resource(current.arn)
        return found

    @staticmethod
    def _rules(bucket: Any) -> list[Any]:
        return [rule for rule in getattr(bucket, "rules", ()) if rule.status == "Enabled" and hasattr(rule, _WHOLE)]


def _expire_versions(bucket: Any, rule: Any, name: str, midnight: datetime) -> int:
    versions: list[Any] = list(bucket.keys.getlist(name))
    kept = [
        version
        for version, successor in itertools.pairwise(versions)
        if not _is_past(successor, rule.nve_noncurrent_days, midnight)
    ]
    removed = len(versions) - 1 - len(kept)
    current = versions[-1]
    if isinstance(current, FakeDeleteMarker):
        # A marker with nothing behind it marks nothing. A rule with days removes those that are as old, too.
        is_wanted = str(rule.expired_object_delete_marker).lower() == "true"
        if not kept and (is_wanted or _is_past(current, rule.expiration_days, midnight)):
            _remove(bucket, name)
            return removed + 1
    elif _is_past(current, rule.expiration_days, midnight) or _is_reached(rule.expiration_date, midnight):
        if not bucket.is_versioned:
            _remove(bucket, name)
            return removed + 1
        bucket.keys.setlist(name, [*kept, current, FakeDeleteMarker(key=current)])
        return removed + 1
    if removed:
        bucket.keys.setlist(name, [*kept, current])
    return removed


def _remove(bucket: Any, name: str) -> None:
    # moto's `pop` wants to close the files of delete markers, too, which have none.
    bucket.keys.setlist(name, [])
    bucket.keys.pop(name)


def _is_past(version: Any, days: Any, midnight: datetime) -> bool:
    """Return whether so many days have passed since a version was stored, rounded up to the next midnight UTC."""
    if not days:
        return False
    return midnight_after(version.last_modified.replace(tzinfo=UTC) + int(days) * _DAY) <= midnight


def _is_reached(date: Any, midnight: datetime) -> bool:
    return bool(date) and datetime.fromisoformat(date).replace(tzinfo=UTC) <= midnight


def _prefix(rule: Any) -> str:
    """Return the prefix of a rule, wherever it stands."""
    found = rule.prefix
    if rule.filter is not None:
        found = rule.filter.prefix if rule.filter.and_filter is None else rule.filter.and_filter.prefix
    return found or ""


def _tags(rule: Any) -> dict[str, str]:
    """Return the tags that an object needs for a rule."""
    if rule.filter is None:
        return {}
    tags: dict[str, str] = dict(rule.filter.and_filter.tags) if rule.filter.and_filter is not None else {}
    return tags | {rule.filter.tag_key: rule.filter.tag_value} if rule.filter.tag_key else tags


def _days(rule: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the numbers of days after which something expires by a rule, with their elements."""
    for action, element in (("Expiration", "Days"), ("NoncurrentVersionExpiration", "NoncurrentDays")):
        days = (rule.get(action) or {}).get(element)
        if days is not None:
            yield element, str(days)


def _dropped(rule: dict[str, Any]) -> Iterator[str]:
    """Yield the elements of a rule that moto would drop."""
    for name, inner in rule.items():
        if isinstance(inner, dict):
            if name in _KEPT:
                yield from inner.keys() - _KEPT[name]
            yield from _dropped(inner)
