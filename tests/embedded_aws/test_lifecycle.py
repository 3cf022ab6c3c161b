"""Objects that expire by lifecycle rules, as clients see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.stage import REGION, Stage
from tests.thoroughness import sampled

BUCKET = "bucket"


def bucket(stage: Stage, *rules: dict[str, Any], versioned: bool = False) -> Any:
    """Create a bucket with enabled lifecycle rules, and return a client."""
    s3 = stage.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    if versioned:
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    if rules:
        set_rules(s3, *rules)
    return s3


def set_rules(s3: Any, *rules: dict[str, Any]) -> None:
    """Replace the lifecycle rules."""
    whole = [{"ID": f"rule-{number}", "Status": "Enabled", **rule} for number, rule in enumerate(rules)]
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": whole})


def keys(s3: Any) -> list[str]:
    """Return the keys that a client lists."""
    return [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def versions(s3: Any) -> tuple[int, int]:
    """Return how many versions and delete markers there are."""
    found = s3.list_object_versions(Bucket=BUCKET)
    return len(found.get("Versions", [])), len(found.get("DeleteMarkers", []))


def after(days: int, prefix: str = "") -> dict[str, Any]:
    """Return a rule by which objects expire."""
    return {"Filter": {"Prefix": prefix}, "Expiration": {"Days": days}}


def test_objects_expire_at_the_midnight_after_their_days(stage: Stage) -> None:
    s3 = bucket(stage, after(2, "old/"))
    for key in ("old/a", "old/b", "new/a"):
        s3.put_object(Bucket=BUCKET, Key=key)
    # Stored on the 23rd at 6:00, two days are over on the 25th at 6:00, and that is rounded up.
    stage.run_for(days=2, hours=17)
    assert keys(s3) == ["new/a", "old/a", "old/b"]
    stage.run_for(hours=2)
    assert keys(s3) == ["new/a"]
    assert [(step.name, step.detail) for step in stage.steps("expiry")] == [(BUCKET, "2 objects expired")]


def test_an_object_that_is_stored_again_begins_again(stage: Stage) -> None:
    s3 = bucket(stage, after(1))
    s3.put_object(Bucket=BUCKET, Key="a")
    stage.run_for(days=1)
    s3.put_object(Bucket=BUCKET, Key="a")
    stage.run_for(days=1)
    assert keys(s3) == ["a"]
    stage.run_for(days=1)
    assert keys(s3) == []


def test_a_clock_that_jumps_expires_once(stage: Stage) -> None:
    s3 = bucket(stage, after(1))
    s3.put_object(Bucket=BUCKET, Key="a")
    stage.clock.move_to(stage.now.replace(day=30))
    stage.drain()
    assert keys(s3) == []
    assert len(stage.steps("expiry")) == 1


@pytest.mark.parametrize(
    ("rule", "left"),
    sampled(
        [
            ({"Status": "Disabled", **after(1)}, ["a/1", "b/1"]),
            ({"Prefix": "a/", "Expiration": {"Days": 1}}, ["b/1"]),
            ({"Filter": {"Tag": {"Key": "kind", "Value": "x"}}, "Expiration": {"Days": 1}}, ["b/1"]),
            ({"Filter": {"Tag": {"Key": "kind", "Value": "y"}}, "Expiration": {"Days": 1}}, ["a/1", "b/1"]),
            (
                {
                    "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "kind", "Value": "x"}]}},
                    "Expiration": {"Days": 1},
                },
                ["b/1"],
            ),
            (
                {
                    "Filter": {"And": {"Prefix": "b/", "Tags": [{"Key": "kind", "Value": "x"}]}},
                    "Expiration": {"Days": 1},
                },
                ["a/1", "b/1"],
            ),
            ({"Filter": {"Prefix": "b/"}, "Expiration": {"Date": "2026-11-25T00:00:00Z"}}, ["a/1"]),
            ({"Filter": {"Prefix": "b/"}, "Expiration": {"Date": "2026-11-29T00:00:00Z"}}, ["a/1", "b/1"]),
            ({"Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}, ["a/1", "b/1"]),
        ],
        4,
    ),
)
def test_which_objects_a_rule_is_about(stage: Stage, rule: dict[str, Any], left: list[str]) -> None:
    s3 = bucket(stage, rule)
    s3.put_object(Bucket=BUCKET, Key="a/1", Tagging="kind=x")
    s3.put_object(Bucket=BUCKET, Key="b/1")
    stage.run_for(days=3)
    assert keys(s3) == left


def test_a_version_stays_behind_a_marker_until_its_own_days_are_over(stage: Stage) -> None:
    left_overs = {
        "Filter": {"Prefix": ""},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 3},
    }
    s3 = bucket(stage, after(1), left_overs, versioned=True)
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"first")
    stage.run_for(days=2)
    assert (keys(s3), versions(s3)) == ([], (1, 1))
    # The marker is from midnight of the 25th; the version has been noncurrent for three days at midnight of the 28th.
    stage.run_until(stage.now.replace(day=28, hour=12))
    assert versions(s3) == (1, 1)
    stage.run_for(days=1)
    assert versions(s3) == (0, 0)


def test_a_rule_with_days_also_removes_markers_as_old_that_mark_nothing(stage: Stage) -> None:
    rule = {**after(3), "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}
    s3 = bucket(stage, rule, versioned=True)
    s3.put_object(Bucket=BUCKET, Key="a")
    s3.delete_object(Bucket=BUCKET, Key="a")
    stage.run_for(days=3)
    assert versions(s3) == (0, 1)
    stage.run_for(days=1)
    assert versions(s3) == (0, 0)


def test_noncurrent_versions_expire_by_when_they_were_replaced(stage: Stage) -> None:
    s3 = bucket(stage, {"Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {"NoncurrentDays": 2}}, versioned=True)
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")
    stage.run_for(days=10)
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"2")
    stage.run_for(days=1)
    assert versions(s3) == (2, 0)
    stage.run_for(days=2)
    assert versions(s3) == (1, 0)
    assert s3.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"2"


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ({"Filter": {"ObjectSizeGreaterThan": 5}, "Expiration": {"Days": 1}}, "ObjectSizeGreaterThan"),
        (
            {"Filter": {"And": {"Prefix": "a", "ObjectSizeLessThan": 5}}, "Expiration": {"Days": 1}},
            "ObjectSizeLessThan",
        ),
        (
            {
                "Filter": {"Prefix": ""},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2},
            },
            "NewerNoncurrentVersions",
        ),
    ],
)
def test_a_rule_that_would_expire_more_than_it_says_is_refused(stage: Stage, rule: dict[str, Any], name: str) -> None:
    with pytest.raises(ClientError, match=f"does not implement {name} of lifecycle rules"):
        bucket(stage, rule)


def test_rules_of_a_version_that_did_not_check_them_have_no_effect_until_they_are_set_again(stage: Stage) -> None:
    s3 = bucket(stage, after(1))
    # As moto keeps a rule for large objects.
    vars(stage.server.backend("s3").buckets[BUCKET].rules[0]).pop("_embedded_aws_whole")
    s3.put_object(Bucket=BUCKET, Key="a")
    stage.run_for(days=3)
    assert keys(s3) == ["a"]
    set_rules(s3, after(1))
    stage.run_for(days=1)
    assert keys(s3) == []


@pytest.mark.parametrize(
    "action", [{"Expiration": {"Days": 0}}, {"NoncurrentVersionExpiration": {"NoncurrentDays": -1}}]
)
def test_a_rule_without_days_to_live_is_refused_instead_of_emptying_the_bucket(
    stage: Stage, action: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match=r"\(InvalidArgument\).* must be a positive integer"):
        bucket(stage, {"Filter": {"Prefix": ""}, **action})


@pytest.mark.slow
def test_what_expired_is_gone_after_a_restart(tmp_path: Path) -> None:
    with Stage(tmp_path / "1", data=tmp_path / "data") as stage:
        s3 = bucket(stage, after(1))
        s3.put_object(Bucket=BUCKET, Key="a")
        stage.run_for(days=1)
        s3.put_object(Bucket=BUCKET, Key="b")
        stage.run_for(hours=20)
        assert keys(s3) == ["b"]
    with Stage(tmp_path / "2", data=tmp_path / "data") as stage:
        assert keys(stage.client("s3")) == ["b"]
        stage.run_for(days=2)
        assert keys(stage.client("s3")) == []
