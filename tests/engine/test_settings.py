"""What each setting does to a deployed stack."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi import automation

from pipeline.settings import Settings, key
from tests.engine.changes import changes
from tests.engine.stacks import new_stack, program_of
from tests.pipeline.program import ROOT

pytestmark = pytest.mark.engine

ARTIST = "spotify:artist:4aawyAB9vmqN3uQ7FjRGTy"
HOURLY = ["Role hourly", "RolePolicy hourly", "Schedule hourly"]
SCHEDULES = [f"Schedule {name}" for name in ("compaction", "crawl", "daily", "deletion", "hourly", "views")]
FUNCTIONS = ["Function compact", "Function extract", "Function publish", "Function transform"]
LAYERS = ["LayerVersion extract", "LayerVersion publish", "LayerVersion transform"]
ENCRYPTION = [
    f"BucketServerSideEncryptionConfiguration {bucket}" for bucket in ("athena-results", "raw", "transformed")
]

EFFECTS: dict[str, tuple[dict[str, str], dict[str, list[str]]]] = {
    "authMode": (
        {"authMode": "app", "catalogueUris[0]": ARTIST},
        {
            # The dashboard shows the alarms.
            "update": ["Dashboard spotify-etl", "Function extract"],
            "delete": ["MetricAlarm login-ends-in-a-month", "MetricAlarm login-ends-in-a-week", *HOURLY],
        },
    ),
    "streams": ({"streams[0]": "profile"}, {"update": ["Function extract"], "delete": HOURLY}),
    "catalogueUris": ({"catalogueUris[0]": ARTIST}, {"update": ["Function extract"]}),
    "dailyAt": ({"dailyAt": "07:30"}, {"update": SCHEDULES}),
    "crawlDelayMinutes": (
        {"crawlDelayMinutes": "60"},
        {"update": ["Schedule compaction", "Schedule crawl", "Schedule deletion", "Schedule views"]},
    ),
    "timezone": (
        {"timezone": "Asia/Tokyo"},
        {
            "update": ["Function publish", *(schedule for schedule in SCHEDULES if schedule != "Schedule hourly")],
            "replace": ["Invocation publish"],
        },
    ),
    "schedulesEnabled": (
        {"schedulesEnabled": "false"},
        {
            "update": ["Dashboard spotify-etl", *SCHEDULES],
            "delete": ["MetricAlarm no-good-run"],
        },
    ),
    "rawRetentionDays": (
        {"rawRetentionDays": "30"},
        {"update": ["BucketLifecycleConfiguration raw", "BucketLifecycleConfiguration transformed"]},
    ),
    "transformedRetentionDays": (
        {"transformedRetentionDays": "30"},
        {"update": ["BucketLifecycleConfiguration transformed", "Function compact", "Function extract"]},
    ),
    "playsRetentionDays": (
        {"playsRetentionDays": "30"},
        {"update": ["BucketLifecycleConfiguration transformed", "Function compact"]},
    ),
    "resultsRetentionDays": (
        {"resultsRetentionDays": "3"},
        {"update": ["BucketLifecycleConfiguration athena-results"]},
    ),
    "logRetentionDays": (
        {"logRetentionDays": "3"},
        {"update": ["LogGroup compact", "LogGroup extract", "LogGroup publish", "LogGroup transform"]},
    ),
    "athenaScanLimitMb": ({"athenaScanLimitMb": "11"}, {"update": ["Workgroup spotify-etl"]}),
    "architecture": ({"architecture": "x86_64"}, {"update": FUNCTIONS, "replace": LAYERS}),
    "kmsKeyArn": (
        {"kmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/0f3c7b1e"},
        {
            "update": [
                *ENCRYPTION,
                "Policy analyst",
                *(f"RolePolicy {role}" for role in ("compact", "crawler", "extract", "publish", "transform")),
                *("Secret spotify", "Workgroup spotify-etl"),
            ]
        },
    ),
    "alertEmail": ({"alertEmail": "ana@example.com"}, {"create": ["TopicSubscription alerts"]}),
    "monthlyBudgetUsd": ({"monthlyBudgetUsd": "15"}, {"create": ["Budget spotify-etl"]}),
    # It needs the program's consent as well.
    "forceDestroy": ({"forceDestroy": "true"}, {}),
    "spotifyApiUrl": ({"spotifyApiUrl": "https://spotify.example/"}, {"update": ["Function extract"]}),
    "spotifyAccountsUrl": ({"spotifyAccountsUrl": "https://spotify.example/"}, {"update": ["Function extract"]}),
}
"""By setting: what is set, and what then happens to which of AWS's resources. No setting replaces what holds data."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[automation.Stack]:
    """Provide the deployed dev stack, which no test changes."""
    folder = tmp_path_factory.mktemp("stack")
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        new_stack("dev", folder, folder / "cloud.json", monkeypatch) as made,
    ):
        made.up()
        yield made


def test_every_setting_has_a_row() -> None:
    assert list(EFFECTS) == [key(setting) for setting in dataclasses.fields(Settings)]


@pytest.mark.parametrize("setting", EFFECTS)
def test_a_setting_changes_what_it_says(stack: automation.Stack, setting: str) -> None:
    given, expected = EFFECTS[setting]
    file = Path(stack.workspace.work_dir) / "Pulumi.dev.yaml"
    before = file.read_text()
    stack.set_all_config(
        {f"spotify-etl:{name}": automation.ConfigValue(value) for name, value in given.items()}, path=True
    )
    try:
        assert changes(stack) == expected
    finally:
        file.write_text(before)


def test_a_checkout_in_another_folder_changes_nothing(stack: automation.Stack, tmp_path: Path) -> None:
    for folder in ("handlers", "pipeline", "queries"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (ROOT / "__main__.py", *ROOT.glob("requirements-*.lock")):
        shutil.copy(file, tmp_path)

    assert changes(stack, program_of(tmp_path, tmp_path)) == {}
    # It was the copy that ran.
    assert (tmp_path / "build" / "code").is_dir()


def test_no_secret_is_in_the_state(stack: automation.Stack) -> None:
    state = stack.export_stack().deployment or {}
    made = [resource["type"] for resource in state["resources"]]

    assert made.count("aws:secretsmanager/secret:Secret") == 1
    assert not [kind for kind in made if "SecretVersion" in kind]
    # What Pulumi marks as a secret it would encrypt: there is nothing.
    assert not {"ciphertext", "plaintext"} & set(json.dumps(state).split('"'))
