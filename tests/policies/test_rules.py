"""The policy pack: the program complies with every rule, and each rule notices who does not."""

from __future__ import annotations

import copy
import json
import re
import runpy
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from policies import rules
from policies.rules import COMPANION_RULES, EXEMPTIONS, RULES, Item, breaks, breaks_alone, message
from tests.pipeline.program import ROOT, Program, Resource, run

SETTINGS = {"spotify-etl:monthlyBudgetUsd": "15", "spotify-etl:alertEmail": "ana@example.com"}
ALL = {rule.name: rule for rule in RULES}
COMPANIONS = {rule.name: rule for rule in COMPANION_RULES}

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module", name="up")
def fixture_up() -> Program:
    return run(SETTINGS)


def item(resource: Resource) -> Item:
    return Item(resource.token, resource.name, resource.inputs)


def policy(**changes: Any) -> Change:
    """Return a change to the first statement of a resource's policy."""

    def change(given: dict[str, Any]) -> None:
        document = json.loads(given["policy"])
        document["Statement"][0] |= changes
        given["policy"] = json.dumps({**document, "Statement": document["Statement"][:1]})

    return change


def trust(given: dict[str, Any]) -> None:
    document = json.loads(given["assumeRolePolicy"])
    document["Statement"][0]["Principal"] = {"AWS": "*"}
    given["assumeRolePolicy"] = json.dumps(document)


ALLOWED = {"Effect": "Allow", "Principal": "*"}

SPOILED: dict[str, list[tuple[str, Change]]] = {
    "s3-no-public-access": [("raw", lambda given: given.update(blockPublicAcls=False))],
    "s3-tls-only": [("raw", policy(Condition={}))],
    "s3-policy-names-who": [("raw", policy(**ALLOWED))],
    "s3-versions": [("raw", lambda given: given.update(versioningConfiguration={"status": "Suspended"}))],
    "s3-aborts-uploads": [("raw", lambda given: given.update(rules=[]))],
    "lambda-no-secrets": [
        ("extract", lambda given: given["environment"]["variables"].update(CLIENT_SECRET="x")),
        ("extract", lambda given: given["environment"]["variables"].update(OTHER="AKIAIOSFODNN7EXAMPLE")),
    ],
    "lambda-runtime": [("extract", lambda given: given.update(runtime="python3.9"))],
    "lambda-permission-has-source": [
        ("crawled", lambda given: given.update(principal="*")),
        ("crawled", lambda given: given.pop("sourceArn")),
    ],
    "iam-no-wildcards": [
        ("extract", policy(Action=["s3:*"])),
        ("extract", policy(Resource="*")),
        ("analyst", policy(Resource=["*"])),
    ],
    "iam-trust": [("extract", trust)],
    "sqs-encrypted": [("transform", lambda given: given.pop("sqsManagedSseEnabled"))],
    "sqs-dead-letters": [("transform", lambda given: given.pop("redrivePolicy"))],
    "sqs-tls-only": [("crawl-dead-letters", policy(Condition={}))],
    "sqs-policy-names-who": [("transform", policy(**ALLOWED)), ("transform", policy(Condition=None, **ALLOWED))],
    "sns-takes-alarms": [("alerts", lambda given: given.update(kmsMasterKeyId="alias/aws/sns"))],
    "sns-tls-only": [("alerts", policy())],
    "logs-expire": [("extract", lambda given: given.pop("retentionInDays"))],
    "alarm-notifies": [("throttles", lambda given: given.update(alarmActions=[]))],
    "athena-enforced": [
        ("", lambda given: given["configuration"].update(enforceWorkgroupConfiguration=False)),
        ("", lambda given: given["configuration"].pop("bytesScannedCutoffPerQuery")),
        ("", lambda given: given.pop("configuration")),
    ],
    "athena-encrypted": [("", lambda given: given["configuration"].pop("resultConfiguration"))],
    "schedule-keeps-failures": [("daily", lambda given: given["target"].pop("deadLetterConfig"))],
}
"""By rule: resources that comply, and changes after which they do not."""
NOT_REGISTERED = {
    "iam-own-policies": {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
    "sns-encrypted": {},
    "glue-security-configuration": {},
}
"""Properties that break rules which no resource of the program complies with: none has the type, or all are exempt."""


def test_the_program_complies(up: Program) -> None:
    broken = [
        f"{resource.token} {resource.name}: {message(rule)}"
        for resource in up.resources
        for rule in RULES
        if breaks(rule, item(resource))
    ]
    assert broken == []
    for resource in up.resources:
        for rule in COMPANION_RULES:
            assert not breaks_alone(rule, item(resource), dependents(up, resource)), f"{resource.name}: {rule.name}"


def dependents(program: Program, resource: Resource) -> Iterator[str]:
    return (each.token for each in program.resources if resource.urn in each.depends_on)


def test_every_rule_has_a_violation_here() -> None:
    assert set(ALL) == {*SPOILED, *NOT_REGISTERED}


@pytest.mark.parametrize(
    ("rule", "name", "change"), [(rule, name, change) for rule, several in SPOILED.items() for name, change in several]
)
def test_each_rule_notices(up: Program, rule: str, name: str, change: Change) -> None:
    [resource] = [
        each
        for each in up.resources
        if each.token in ALL[rule].types and each.name == (f"spotify-etl-{name}" if name else "spotify-etl")
    ]
    assert ALL[rule].complies(resource.inputs)
    properties = copy.deepcopy(resource.inputs)
    change(properties)
    assert breaks(ALL[rule], Item(resource.token, resource.name, properties))


@pytest.mark.parametrize("rule", NOT_REGISTERED)
def test_rule_without_a_complying_resource_notices(rule: str) -> None:
    assert not ALL[rule].complies(NOT_REGISTERED[rule])


@pytest.mark.parametrize("rule", COMPANIONS)
def test_each_rule_of_companions_notices(up: Program, rule: str) -> None:
    name = "extract" if "lambda" in rule else "raw"
    [resource] = [
        each for each in up.resources if each.token == COMPANIONS[rule].type and each.name == f"spotify-etl-{name}"
    ]
    others = set(dependents(up, resource)) - set(COMPANIONS[rule].companions)
    assert breaks_alone(COMPANIONS[rule], item(resource), others)


@pytest.mark.parametrize("one", EXEMPTIONS, ids=lambda one: one.rule)
def test_every_exception_has_a_reason_and_a_resource(
    up: Program, monkeypatch: pytest.MonkeyPatch, one: rules.Exemption
) -> None:
    assert one.reason.endswith(".")
    monkeypatch.setattr(rules, "EXEMPTIONS", tuple(each for each in EXEMPTIONS if each is not one))
    found = {
        resource.name
        for resource in up.resources
        if (one.rule in ALL and breaks(ALL[one.rule], item(resource)))
        or (one.rule in COMPANIONS and breaks_alone(COMPANIONS[one.rule], item(resource), dependents(up, resource)))
    }
    assert found
    assert all(re.fullmatch(one.resource, name) for name in found)


def test_names_are_unique_and_ids_have_their_scanners_form() -> None:
    every: tuple[rules.PolicyRule, ...] = (*RULES, *COMPANION_RULES)
    assert len({rule.name for rule in every}) == len(every)
    for rule in every:
        for identity in rule.ids:
            assert re.fullmatch(r"CKV2?_AWS_\d+|AwsSolutions-[A-Z]+\d+|AWS-\d{4}", identity), identity


def test_pack_runs_every_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for Pulumi's policy library, which needs an environment of its own."""
    packs: list[SimpleNamespace] = []
    library = ModuleType("pulumi_policy")
    library.__dict__.update(
        EnforcementLevel=SimpleNamespace(MANDATORY="mandatory"),
        PolicyPack=lambda **given: packs.append(SimpleNamespace(**given)),
        **dict.fromkeys(("ReportViolation", "ResourceValidationArgs", "StackValidationArgs"), object),
        **dict.fromkeys(("ResourceValidationPolicy", "StackValidationPolicy"), SimpleNamespace),
    )
    monkeypatch.setitem(sys.modules, "pulumi_policy", library)
    monkeypatch.setitem(sys.modules, "rules", rules)
    runpy.run_path(str(ROOT / "policies/__main__.py"))

    [pack] = packs
    validate = {policy.name: policy.validate for policy in pack.policies}
    assert list(validate) == [*ALL, *COMPANIONS]
    assert pack.enforcement_level == "mandatory"
    told: list[Any] = []
    queue = SimpleNamespace(resource_type="aws:sqs/queue:Queue", name="mine", props={}, urn="queue", dependencies=[])
    validate["sqs-encrypted"](queue, lambda *said: told.append(said))
    bucket = SimpleNamespace(resource_type="aws:s3/bucket:Bucket", name="mine", props={}, urn="bucket", dependencies=[])
    acls = SimpleNamespace(
        resource_type="aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        name="mine",
        props={},
        urn="acls",
        dependencies=[bucket],
    )
    stack = SimpleNamespace(resources=[bucket, acls])
    for rule in ("s3-without-acls", "s3-has-policy"):
        validate[rule](stack, lambda *said: told.append(said))
    assert told == [(message(ALL["sqs-encrypted"]),), (message(COMPANIONS["s3-has-policy"]), "bucket")]
