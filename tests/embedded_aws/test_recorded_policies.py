"""The least policy of each role, from what it did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from embedded_aws import EmbeddedAws, PolicyRecorder
from embedded_aws.iam.credentials import AwsCredentials
from tests.embedded_aws.test_readme import README
from tests.markdown import blocks

ROLE = "arn:aws:iam::123456789012:role/some"
TWO_CRAWLS = datetime(2026, 3, 3, 9, 45, tzinfo=UTC)
"""The first creates a table, the second updates it."""
A_THIRD = datetime(2026, 3, 4, 9, 45, tzinfo=UTC)


def test_names_that_change_from_run_to_run_become_wildcards() -> None:
    recorder = PolicyRecorder()
    for resource in ("lake/tables/plays/1.parquet", "lake/tables/runs/2.parquet", "lake/state.json", "lake"):
        recorder.add(ROLE, "s3:GetObject", f"arn:aws:s3:::{resource}")
    group = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/some:log-stream:"
    recorder.add(ROLE, "logs:PutLogEvents", f"{group}2026/03/02/[$LATEST]1")
    recorder.add(ROLE, "logs:CreateLogStream", f"{group}2026/03/02/[$LATEST]2")
    assert recorder.principals == [ROLE]
    assert recorder.policy(ROLE) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": [f"{group}*"]},
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject"],
                "Resource": ["arn:aws:s3:::lake", "arn:aws:s3:::lake/*", "arn:aws:s3:::lake/tables/*"],
            },
        ],
    }


def test_who_did_nothing_needs_nothing() -> None:
    recorder = PolicyRecorder()
    assert recorder.used(ROLE) == {}
    assert recorder.policy(ROLE) == {"Version": "2012-10-17", "Statement": []}


def test_one_recording_within_another_ends_alone(tmp_path: Path) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    with EmbeddedAws(tmp_path, start=datetime(2026, 3, 2, tzinfo=UTC)) as aws:
        iam = aws.client("iam")
        iam.create_role(RoleName="some", AssumeRolePolicyDocument=_document(trust))
        iam.put_role_policy(RoleName="some", PolicyName="list", PolicyDocument=_document(allowed))
        keys = aws.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="session")["Credentials"]
        role = AwsCredentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        with aws.recorded_policies() as outer:
            with aws.recorded_policies() as inner:
                pass
            aws.server.client("s3", role).list_buckets()
    assert inner.principals == []
    assert outer.used(ROLE) == {"s3:ListAllMyBuckets": {"*"}}


@pytest.mark.slow
def test_a_pipeline_runs_with_the_recorded_policies_and_with_nothing_less(tmp_path: Path) -> None:
    source = blocks(README, "python")[-1].partition("\nwith (\n")[0]
    readme: dict[str, object] = {}
    exec(compile(source, README, "exec"), readme)  # noqa: S102 - our own documentation
    with EmbeddedAws(tmp_path / "first", start=datetime(2026, 3, 2, 7, 30, tzinfo=UTC)) as aws:
        readme["deploy"](aws)  # type: ignore[operator] # the page's function
        with aws.recorded_policies() as recorder:
            aws.run_until(TWO_CRAWLS)
        assert all(step.ok for step in aws.log)
        assert {arn.rpartition("/")[2] for arn in recorder.principals} == {"convert", "hourly", "measure", "nightly"}
        before = {arn: recorder.used(arn) for arn in recorder.principals}
        iam = aws.client("iam")
        for arn in recorder.principals:
            document = json.dumps(recorder.policy(arn))
            iam.put_role_policy(RoleName=arn.rpartition("/")[2], PolicyName="inline", PolicyDocument=document)
        aws.run_until(A_THIRD)
        assert [step for step in aws.log if not step.ok] == []
        # Nothing is recorded outside the context.
        assert {arn: recorder.used(arn) for arn in recorder.principals} == before

        functions = aws.client("lambda")
        statements = recorder.policy("arn:aws:iam::123456789012:role/measure")["Statement"]
        for place, statement in enumerate(statements):
            rest = [one for one in statements if one != statement]
            document = json.dumps({"Version": "2012-10-17", "Statement": rest})
            iam.put_role_policy(RoleName="measure", PolicyName="inline", PolicyDocument=document)
            # A new environment has a new log stream.
            variables = {"Variables": {"PLACE": str(place)}}
            functions.update_function_configuration(FunctionName="measure", Environment=variables)
            seen = len(aws.log)
            functions.invoke(FunctionName="measure", Payload=json.dumps({"time": "2026-03-03T10"}))
            aws.drain()
            assert [step for step in aws.log[seen:] if step.kind == "denied"], statement


def _document(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
