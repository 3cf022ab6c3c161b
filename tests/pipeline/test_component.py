"""What makes `SpotifyEtlPipeline` a component that others can use in programs of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pulumi
import pulumi_aws as aws
import pytest

from pipeline.settings import SettingError
from pipeline.spotify_etl_pipeline import SpotifyEtlPipeline, SpotifyEtlPipelineArgs
from tests.pipeline import aws_resources
from tests.pipeline.program import Program, run

LONGEST_NAME = "a-pipeline-with-as-long-a-name-as-it-may"


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from (key, *texts(part))
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def pipeline(name: str, arguments: SpotifyEtlPipelineArgs) -> Callable[[], None]:
    """Return a program with nothing but a pipeline."""

    def entry() -> None:
        SpotifyEtlPipeline(name, arguments)

    return entry


def of_aws(program: Program) -> list[tuple[str, str]]:
    return [(each.token, each.name) for each in program.resources if each.token.startswith("aws:")]


def test_every_component_registers_its_outputs() -> None:
    program = run()
    components = {each.urn for each in program.resources if each.token.startswith("spotify-etl:")}

    assert len(components) > 15
    assert components <= program.finished


def test_everything_is_below_the_pipeline() -> None:
    program = run()
    parents = {each.urn: each.parent for each in program.resources}
    [root] = [each.urn for each in program.resources if each.token.endswith(":SpotifyEtlPipeline")]

    for urn in parents.keys() - {root}:
        above = [urn]
        while above[-1] in parents:
            above.append(parents[above[-1]])
        assert above[-2] == root


@pytest.mark.slow
def test_a_providers_region_and_tags_reach_everything() -> None:
    def entry() -> None:
        provider = aws.Provider("elsewhere", region="us-west-2", default_tags={"tags": {"project": "listening"}})
        SpotifyEtlPipeline("music", {}, pulumi.ResourceOptions(provider=provider))

    program = run(entry=entry)
    [provider] = [each for each in program.resources if each.token == "pulumi:providers:aws"]

    assert len(of_aws(program)) == len(of_aws(run()))
    for resource in program.resources:
        if resource.token.startswith("aws:"):
            assert resource.provider == f"{provider.urn}::id-of-the-provider", resource.name
            # Tags or a region of its own would win over the provider's.
            assert not resource.inputs.keys() & {"tags", "region"}, resource.name


@pytest.mark.slow
def test_nothing_is_bound_to_a_partition_or_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_resources, "PARTITION", "aws-cn")
    monkeypatch.setattr(aws_resources, "REGION", "cn-north-1")
    program = run(entry=pipeline("spotify-etl", {}))

    arns = {text for each in program.resources for text in texts(each.inputs) if "arn:aws" in text}
    assert arns
    assert not [text for text in arns if re.search(r"arn:aws:|eu-central-1", text)]


@pytest.mark.slow
def test_a_key_of_the_same_program_encrypts_the_buckets() -> None:
    def entry() -> None:
        SpotifyEtlPipeline("spotify-etl", {"kms_key_arn": aws.kms.Key("key").arn})

    program = run(entry=entry)
    arn = "arn:aws:kms:eu-central-1:123456789012:key/0f3c7b1e"

    given = [each.inputs["rules"] for each in program.all("BucketServerSideEncryptionConfiguration").values()]
    assert [rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"] for [rule] in given] == [arn] * 3
    assert program.one("Secret", "spotify-etl-spotify").inputs["kmsKeyId"] == arn
    allowed = json.loads(program.one("RolePolicy", "spotify-etl-extract").inputs["policy"])["Statement"]
    assert [statement["Resource"] for statement in allowed if "kms:Decrypt" in statement["Action"]] == [[arn]]

    unknown = run(entry=entry, mode="preview_unknown")
    assert len(of_aws(unknown)) == len(of_aws(program))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"dailyAt": "07:00"},
            "dailyAt = '07:00' is unknown: did you mean daily_at?",
        ),
        (
            {"results_retention_days": 0},
            "resultsRetentionDays = 0 is not allowed: it must be a whole number of days from 1 to 36500.",
        ),
        (
            {"alert_email": pulumi.Output.from_input("ana@example.com")},
            "alertEmail must be a plain value, not an output, because it decides what is created.",
        ),
    ],
)
def test_a_wrong_argument_is_one_sentence_before_anything_is_registered(
    arguments: SpotifyEtlPipelineArgs, sentence: str
) -> None:
    recorded = Program()
    with pytest.raises(SettingError) as raised:
        run(entry=pipeline("spotify-etl", arguments), program=recorded)

    assert str(raised.value) == f"The setting spotify-etl:{sentence}"
    assert recorded.resources == []


@pytest.mark.slow
def test_no_argument_and_none_are_the_defaults() -> None:
    given: SpotifyEtlPipelineArgs = {"daily_at": None, "streams": None}  # type: ignore[typeddict-item]  # as other languages do
    program = run(entry=pipeline("spotify-etl", given))

    def inputs(of: Program) -> dict[str, Any]:
        # Archives have no equality; functions and layers have their hashes beside them.
        return {
            each.urn: each.inputs | ({"code": None} if "code" in each.inputs else {})
            for each in of.resources
            if not each.token.endswith(":SpotifyEtlPipeline")
        }

    assert inputs(program) == inputs(run())


@pytest.mark.parametrize("name", ["Spotify", "1st", "my_pipeline", "", "a" * 41, "a.b"])
def test_a_name_that_no_bucket_can_have_is_one_sentence(name: str) -> None:
    recorded = Program()
    with pytest.raises(SettingError) as raised:
        run(entry=pipeline(name, {}), program=recorded)

    assert str(raised.value) == (
        f"The pipeline's name {name!r} is not allowed: it must be at most 40 lower-case letters, digits and hyphens, "
        "and begin with a letter, because the names of buckets begin with it."
    )
    assert recorded.resources == []


# Names within AWS's limits.

SHAPES = {
    "EventRule": ("events", "RuleName"),
    "EventTarget": ("events", "TargetId"),
    "LogGroup": ("logs", "LogGroupName"),
    "MetricAlarm": ("cloudwatch", "AlarmName"),
    "NamedQuery": ("athena", "NameString"),
    "Policy": ("iam", "policyNameType"),
    "Permission": ("lambda", "StatementId"),
    "Role": ("iam", "roleNameType"),
    "RolePolicy": ("iam", "policyNameType"),
    "Schedule": ("scheduler", "Name"),
    "Secret": ("secretsmanager", "NameType"),
    "Workgroup": ("athena", "WorkGroupName"),
}
"""By type, the service and the shape of its model that says which names it takes."""
DOCUMENTED = {
    "Budget": (r"[^:\\]+", 100),
    "Dashboard": (r"[A-Za-z0-9_-]+", 255),
    "Bucket": (r"[a-z0-9][a-z0-9-]+[a-z0-9]", 63),
    "CatalogDatabase": (r"[a-z0-9_]+", 255),
    "Crawler": (r"[A-Za-z0-9_-]+", 255),
    "Function": (r"[A-Za-z0-9_-]+", 64),
    "LayerVersion": (r"[A-Za-z0-9_-]+", 140),
    "Queue": (r"[A-Za-z0-9_-]+", 80),
    "Topic": (r"[A-Za-z0-9_-]+", 256),
}
"""Where the models say nothing, or only what an ARN looks like, a pattern and the longest:
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Budget.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html,
https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html,
https://docs.aws.amazon.com/glue/latest/webapi/API_CreateCrawler.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html,
https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html,
https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html,
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html,
https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html."""


def allowed_names(kind: str) -> tuple[str, int]:
    """Return the pattern and the greatest length of the names of a type."""
    if kind in DOCUMENTED:
        return DOCUMENTED[kind]
    service, shape = SHAPES[kind]
    known = botocore.session.get_session().get_service_model(service).shape_for(shape).metadata
    # Some patterns have the length in them.
    return str(known.get("pattern", r"[\s\S]+")), int(known.get("max", 1000))


@pytest.mark.slow  # the services' models take seconds to read
@pytest.mark.parametrize("stack", ["dev", "A.very.Odd_stack--name-", "x" * 100, "-", "1"])
def test_names_are_within_awss_limits(stack: str) -> None:
    program = run(entry=pipeline(LONGEST_NAME, {"alert_email": "a@b.example", "monthly_budget_usd": 1}), stack=stack)
    names: dict[str, set[str]] = {}
    for resource in program.resources:
        if not resource.token.startswith("aws:"):
            continue
        kind = resource.token.rpartition(":")[2]
        _, state = aws_resources.created(resource.token, resource.name, resource.inputs)
        named_by = {"Dashboard": "dashboardName", "LayerVersion": "layerName"}
        of_kind = named_by.get(kind, aws_resources.name_property(resource.token))
        if of_kind:
            names.setdefault(kind, set()).add(state[of_kind])

    assert len(LONGEST_NAME) == 40
    for kind, given in names.items():
        pattern, longest = allowed_names(kind)
        for name in given:
            assert re.fullmatch(pattern, name), f"{kind} {name} is not {pattern}"
            assert len(name) <= longest, f"{kind} {name} is longer than {longest}"
