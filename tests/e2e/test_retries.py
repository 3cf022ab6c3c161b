"""An error of S3 that passes does not cost a day."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.e2e.test_mutations import PLAN, check
from tests.e2e.world import FIRST_DAILY_RUN, world

pytestmark = pytest.mark.slow


def test_views_are_this_mornings_although_the_first_two_tries_failed(tmp_path: Path) -> None:
    with world(tmp_path, PLAN) as one:
        s3, bucket = one.cloud.client("s3"), one.outputs["transformed_bucket_name"]
        policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
        refusal = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{bucket}/tables/saved_tracks/*",
        }
        changed = json.loads(policy)
        changed["Statement"].append(refusal)
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(changed))
        # The second try is half a minute after the first, the third a minute after the second.
        one.cloud.run_until(FIRST_DAILY_RUN + timedelta(minutes=1))
        refused = [step for step in one.cloud.log if step.kind == "queue" and not step.ok]
        assert len(refused) == 2
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        # The two refusals are not errors to the check, which still has to find the deployment's publish.
        one.cloud.log[:] = [step for step in one.cloud.log if step.ok]

        one.live(0)

        check(one)
