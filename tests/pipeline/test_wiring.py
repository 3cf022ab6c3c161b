"""What the program registers: types, names, parents, inputs and order."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.streams import READABLE_STREAMS, default_streams
from handlers.tables import TABLES
from pipeline.analytics import NAMED_QUERIES, Analytics, NamedQueryError, read_description
from pipeline.lake import Lake
from pipeline.settings import MAX_CATALOGUE_URIS, Settings
from pipeline.spotify_etl_pipeline import OUTPUTS, SpotifyEtlPipeline
from scripts import architecture_graph
from tests.pipeline import snapshots
from tests.pipeline.aws_resources import ACCOUNT, REGION
from tests.pipeline.program import MODES, Mode, Program, run
from tests.thoroughness import sampled

RAW = "spotify-etl-raw-1a2b3c4"
TRANSFORMED = "spotify-etl-transformed-1a2b3c4"
RESULTS = "spotify-etl-athena-results-1a2b3c4"
ARTIST = "4aawyAB9vmqN3uQ7FjRGTy"
APP = {
    "spotify-etl:authMode": "app",
    "spotify-etl:catalogueUris": json.dumps([f"https://open.spotify.com/artist/{ARTIST}", f"spotify:album:{ARTIST}"]),
}
"""Settings for an app without a user."""
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f3c7b1e"
RENAMED = "My.Team-2"
LISTENER = {
    "spotify-etl:streams": '["profile", "recently_played"]',
    "spotify-etl:dailyAt": "23:50",
    "spotify-etl:crawlDelayMinutes": "30",
    "spotify-etl:timezone": "Europe/Berlin",
    "spotify-etl:schedulesEnabled": "false",
    "spotify-etl:kmsKeyArn": KEY,
}
COLLECTOR = {
    "spotify-etl:streams": '["saved_tracks", "profile"]',
    "spotify-etl:timezone": "Asia/Kathmandu",
    "spotify-etl:rawRetentionDays": "20",
    "spotify-etl:transformedRetentionDays": "30",
    "spotify-etl:playsRetentionDays": "400",
    "spotify-etl:resultsRetentionDays": "1",
    "spotify-etl:logRetentionDays": "365",
    "spotify-etl:athenaScanLimitMb": "11",
    "spotify-etl:architecture": "x86_64",
    "spotify-etl:forceDestroy": "true",
    "spotify-etl:spotifyApiUrl": "http://127.0.0.1:8080/v1",
    "spotify-etl:spotifyAccountsUrl": "http://localhost:8080",
}
"""Two configurations for the tests of single settings, since each run of the program takes half a second."""


@pytest.fixture(scope="module")
def up() -> Program:
    return run()


@pytest.fixture(scope="module", params=sampled(MODES, ["up", "preview_unknown"]))
def any_mode(request: pytest.FixtureRequest) -> Program:
    mode: Mode = request.param
    return run(mode=mode)


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


# The whole.


def test_every_resource_has_its_type_name_and_parent(any_mode: Program) -> None:
    queries = [line for line in any_mode.tree().splitlines(keepends=True) if "NamedQuery" in line]

    assert snapshots.tree(any_mode) == (snapshots.FOLDER / "minimal.txt").read_text(), snapshots.STALE
    assert queries == [
        f"    aws:athena/namedQuery:NamedQuery spotify-etl-{path.stem}\n"
        for path in sorted(NAMED_QUERIES.glob("*.sql"))
    ]


def test_no_output_is_formatted_into_a_text(any_mode: Program) -> None:
    for resource in any_mode.resources:
        for text in texts(resource.inputs):
            assert "Output" not in text.replace("CrawlerOutput", ""), f"{resource.token} {resource.name}: {text}"
            assert "Calling __str__" not in text


def test_the_program_says_nothing_when_all_is_well(any_mode: Program) -> None:
    assert any_mode.messages == []


def test_only_contract_names_are_fixed(up: Program) -> None:
    given = {
        (resource.token.rpartition(":")[2], resource.inputs["name"])
        for resource in up.resources
        if "name" in resource.inputs and "NamedQuery" not in resource.token
    }

    assert given == {("CatalogDatabase", "spotify_dev"), ("Workgroup", "spotify-etl-dev")}


def test_contract_names_follow_the_stack() -> None:
    program = run(LISTENER, stack=RENAMED)

    assert program.outputs["glue_database_name"] == "spotify_my_team_2_54df67e9"
    assert program.outputs["athena_workgroup_name"] == "spotify-etl-my-team-2-54df67e9"
    layers = {layer.inputs["layerName"] for layer in program.all("LayerVersion").values()}
    assert layers == {f"spotify-etl-{name}-my-team-2-54df67e9" for name in ("extract", "transform", "publish")}


def test_every_output_is_filled(up: Program) -> None:
    queue = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/spotify-etl-"

    assert set(up.outputs) == set(OUTPUTS)
    assert up.outputs == {
        "raw_bucket_name": RAW,
        "transformed_bucket_name": TRANSFORMED,
        "athena_results_bucket_name": RESULTS,
        "glue_database_name": "spotify_dev",
        "glue_crawler_name": "spotify-etl-1a2b3c4",
        "athena_workgroup_name": "spotify-etl-dev",
        "extract_function_name": "spotify-etl-extract-1a2b3c4",
        "transform_function_name": "spotify-etl-transform-1a2b3c4",
        "publish_function_name": "spotify-etl-publish-1a2b3c4",
        "compact_function_name": "spotify-etl-compact-1a2b3c4",
        "transform_queue_url": f"{queue}transform-1a2b3c4",
        "dead_letter_queue_urls": {
            hop: f"{queue}{hop}-dead-letters-1a2b3c4" for hop in ("extract", "transform", "crawl", "publish", "compact")
        },
        "log_group_names": {
            function: f"spotify-etl-{function}-1a2b3c4" for function in ("extract", "transform", "publish", "compact")
        },
        "spotify_secret_name": "spotify-etl-spotify-1a2b3c4",
        "auth_mode": "user",
        "streams": list(default_streams()),
        "spotify_accounts_url": "https://accounts.spotify.com/",
        "alerts_topic_arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:spotify-etl-alerts-1a2b3c4",
        "dashboard_url": (
            f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}"
            "#dashboards/dashboard/spotify-etl-dev"
        ),
        "analyst_policy_arn": f"arn:aws:iam::{ACCOUNT}:policy/spotify-etl-analyst-1a2b3c4",
        "named_queries": {path.stem: f"id-of-{path.stem}" for path in NAMED_QUERIES.glob("*.sql")},
        "region": REGION,
        "next_steps": up.outputs["next_steps"],
    }
    assert up.outputs["next_steps"] == (
        """1. Log in to Spotify:
   .venv/bin/spotify-etl login --stack dev

2. Start the first run instead of waiting for the schedule, and follow it to the tables:
   .venv/bin/spotify-etl extract --stack dev

3. Look at your listening, and see what else you can ask:
   .venv/bin/spotify-etl report --stack dev --open
   .venv/bin/spotify-etl query --stack dev
"""
    )


# The lake.


def test_the_drawn_graph_is_the_programs(up: Program) -> None:
    page = architecture_graph.PAGE.read_text("utf-8")

    assert page == architecture_graph.page_with_graph(page, up), "The graph is stale: run `make architecture`."
    # Every hop of the flow, and nothing without an arrow.
    drawn = {(edge.source, edge.target) for edge in architecture_graph.edges(up)}
    for source, target in (
        ("Schedule_spotify_etl_daily", "Function_spotify_etl_extract"),
        ("Function_spotify_etl_extract", "Bucket_spotify_etl_raw"),
        ("Bucket_spotify_etl_raw", "Queue_spotify_etl_transform"),
        ("Queue_spotify_etl_transform", "Function_spotify_etl_transform"),
        ("Function_spotify_etl_transform", "Bucket_spotify_etl_transformed"),
        ("Bucket_spotify_etl_transformed", "Crawler_spotify_etl"),
        ("EventRule_spotify_etl_crawled", "Function_spotify_etl_publish"),
        ("Schedule_spotify_etl_views", "Function_spotify_etl_publish"),
        ("Invocation_spotify_etl_publish", "Function_spotify_etl_publish"),
        ("Schedule_spotify_etl_compaction", "Function_spotify_etl_compact"),
        ("Function_spotify_etl_compact", "Bucket_spotify_etl_transformed"),
        ("Workgroup_spotify_etl", "Bucket_spotify_etl_athena_results"),
    ):
        assert (source, target) in drawn
    nodes = re.findall(r"^  (\w+)[\[(]", page, re.MULTILINE)
    assert sorted(nodes) == sorted({end for edge in drawn for end in edge})


@pytest.mark.parametrize("name", ["raw", "transformed", "athena-results"])
def test_a_bucket_is_private_and_encrypted(up: Program, name: str) -> None:
    bucket = {"bucket": f"spotify-etl-{name}-1a2b3c4"}
    resource = f"spotify-etl-{name}"

    assert up.one("BucketPublicAccessBlock", resource).inputs == {
        **bucket,
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert up.one("BucketOwnershipControls", resource).inputs == {
        **bucket,
        "rule": {"objectOwnership": "BucketOwnerEnforced"},
    }
    assert up.one("BucketServerSideEncryptionConfiguration", resource).inputs == {
        **bucket,
        "rules": [
            {
                "blockedEncryptionTypes": ["SSE-C"],
                "applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"},
            }
        ],
    }


def test_the_data_buckets_keep_old_versions(up: Program) -> None:
    assert {name: each.inputs["versioningConfiguration"] for name, each in up.all("BucketVersioning").items()} == {
        "spotify-etl-raw": {"status": "Enabled"},
        "spotify-etl-transformed": {"status": "Enabled"},
    }


def expiry(program: Program, name: str) -> dict[str, int]:
    rules = program.one("BucketLifecycleConfiguration", f"spotify-etl-{name}").inputs["rules"]
    assert all(rule["status"] == "Enabled" for rule in rules)
    assert len({rule["id"] for rule in rules}) == len(rules)
    return {
        rule["filter"]["prefix"]: rule["expiration"]["days"] for rule in rules if "days" in rule.get("expiration", {})
    }


def test_raw_objects_expire_and_the_state_does_not(up: Program) -> None:
    assert expiry(up, "raw") == {"raw/": 90, "runs/": 90}


def test_every_table_expires_by_a_rule_of_its_own_and_listening_history_last(up: Program) -> None:
    by_year = {"labels", "replays", "runs", "rejected_records"}

    assert expiry(up, "transformed") == {
        # Counted from an object's creation: a month, or a year, later than from the partition's end.
        **{f"tables/{table}/": 90 + 31 for table in TABLES.keys() - by_year - {"plays"}},
        "tables/plays/": 3650 + 31,
        **{f"tables/{table}/": 3650 + 366 for table in by_year},
        "outputs/": 90,
        "compactions/": 3650 + 366,
    }


def test_results_expire(up: Program) -> None:
    assert expiry(up, "athena-results") == {"": 7}


@pytest.mark.parametrize(("name", "versioned"), [("raw", True), ("transformed", True), ("athena-results", False)])
def test_nothing_is_left_over(up: Program, name: str, versioned: bool) -> None:
    rules = up.one("BucketLifecycleConfiguration", f"spotify-etl-{name}").inputs["rules"]
    [leftovers] = [rule for rule in rules if rule["id"] == "left-overs"]

    assert leftovers == {
        "id": "left-overs",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1},
        **(
            {
                "noncurrentVersionExpiration": {"noncurrentDays": 30},
                "expiration": {"expiredObjectDeleteMarker": True},
            }
            if versioned
            else {}
        ),
    }


@pytest.mark.parametrize("name", ["raw", "transformed", "athena-results"])
def test_old_versions_expire_only_where_versioning_is_enabled(up: Program, name: str) -> None:
    lifecycle = up.one("BucketLifecycleConfiguration", f"spotify-etl-{name}")
    versioning = up.all("BucketVersioning").get(f"spotify-etl-{name}")

    assert versioning is None or versioning.urn in lifecycle.depends_on


def test_the_users_own_key_encrypts_buckets_secret_and_results() -> None:
    program = run(LISTENER, stack=RENAMED)

    for encryption in program.all("BucketServerSideEncryptionConfiguration").values():
        assert encryption.inputs["rules"] == [
            {
                "blockedEncryptionTypes": ["SSE-C"],
                "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY},
                "bucketKeyEnabled": True,
            }
        ]
    assert program.one("Secret", "spotify-etl-spotify").inputs["kmsKeyId"] == KEY
    results = program.one("Workgroup", "spotify-etl").inputs["configuration"]["resultConfiguration"]
    assert results["encryptionConfiguration"] == {"encryptionOption": "SSE_KMS", "kmsKeyArn": KEY}


def test_one_key_alone_destroys_no_data() -> None:
    program = run(COLLECTOR)

    assert {name: bucket.inputs["forceDestroy"] for name, bucket in program.all("Bucket").items()} == {
        "spotify-etl-raw": False,
        "spotify-etl-transformed": False,
        "spotify-etl-athena-results": True,
    }
    assert program.messages == ["spotify-etl:forceDestroy has no effect while ALLOW_DATA_LOSS in __main__.py is False."]


def test_both_keys_together_destroy_data() -> None:
    def entry() -> None:
        SpotifyEtlPipeline("spotify-etl", {"force_destroy": True, "allow_data_loss": True})

    program = run(entry=entry)
    assert all(bucket.inputs["forceDestroy"] for bucket in program.all("Bucket").values())
    assert not any(resource.protect for resource in program.resources)


def test_a_bucket_with_data_is_protected_with_all_its_settings(up: Program) -> None:
    protected = {resource.urn for resource in up.resources if resource.protect}
    buckets = {f"spotify-etl-{name}" for name in ("raw", "transformed")}
    assert protected == {
        resource.urn
        for resource in up.resources
        if (resource.token.startswith("aws:s3/") or resource.token == "spotify-etl:index:Bucket")
        and resource.name in buckets
        and not resource.token.endswith(":BucketNotification")
    }
    assert len(protected) == 2 * 8


# Extraction.


def test_the_secret_is_empty(up: Program) -> None:
    assert set(up.all("Secret")) == {"spotify-etl-spotify"}
    assert up.all("SecretVersion") == {}


@pytest.mark.parametrize(
    ("handler", "memory", "timeout", "environment"),
    [
        (
            "extract",
            512,
            900,
            {
                "RAW_BUCKET": RAW,
                "SPOTIFY_SECRET_ARN": arn("secretsmanager", "secret:spotify-etl-spotify-1a2b3c4-AbCdEf"),
                "AUTH_MODE": "user",
                "STREAMS": "profile,recently_played,playlists,playlist_items,saved_tracks,saved_albums,"
                "followed_artists,top_tracks,top_artists",
                "CATALOGUE_URIS": "",
                "SPOTIFY_API_URL": "https://api.spotify.com/v1/",
                "SPOTIFY_ACCOUNTS_URL": "https://accounts.spotify.com/",
                "TRANSFORMED_RETENTION_DAYS": "90",
            },
        ),
        (
            "transform",
            1024,
            300,
            {
                "RAW_BUCKET": RAW,
                "TRANSFORMED_BUCKET": TRANSFORMED,
                "QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/spotify-etl-transform-1a2b3c4",
            },
        ),
        (
            "publish",
            256,
            900,
            {
                "TRANSFORMED_BUCKET": TRANSFORMED,
                "GLUE_DATABASE": "spotify_dev",
                "ATHENA_WORKGROUP": "spotify-etl-dev",
                "TIMEZONE": "UTC",
            },
        ),
        (
            "compact",
            1024,
            900,
            {
                "TRANSFORMED_BUCKET": TRANSFORMED,
                "TRANSFORMED_RETENTION_DAYS": "90",
                "PLAYS_RETENTION_DAYS": "3650",
            },
        ),
    ],
)
def test_a_function(up: Program, handler: str, memory: int, timeout: int, environment: dict[str, str]) -> None:
    name = f"spotify-etl-{handler}"
    layer = {"compact": "transform"}.get(handler, handler)
    function = up.one("Function", name)
    inputs = dict(function.inputs)
    archive = inputs.pop("code")

    digest = hashlib.sha256(Path(archive.path).read_bytes()).digest()
    assert inputs == {
        "runtime": "python3.13",
        "architectures": ["arm64"],
        "handler": f"handlers.{handler}.handler.handler",
        "sourceCodeHash": base64.b64encode(digest).decode(),
        "layers": [arn("lambda", f"layer:spotify-etl-{layer}-dev:1")],
        "role": f"arn:aws:iam::{ACCOUNT}:role/{name}-1a2b3c4",
        "memorySize": memory,
        "timeout": timeout,
        "environment": {
            "variables": {
                "POWERTOOLS_SERVICE_NAME": handler,
                "POWERTOOLS_METRICS_NAMESPACE": "SpotifyEtl/dev",
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **environment,
            }
        },
        "loggingConfig": {"logFormat": "JSON", "logGroup": f"{name}-1a2b3c4"},
        **({"ephemeralStorage": {"size": 2048}} if handler == "compact" else {}),
    }
    assert up.one("RolePolicy", name).urn in function.depends_on
    assert up.one("LogGroup", name).inputs == {"retentionInDays": 30}


@pytest.mark.parametrize("handler", ["extract", "publish", "compact"])
def test_an_event_that_fails_for_good_is_kept(up: Program, handler: str) -> None:
    assert up.one("FunctionEventInvokeConfig", f"spotify-etl-{handler}").inputs == {
        "functionName": f"spotify-etl-{handler}-1a2b3c4",
        "maximumRetryAttempts": 2,
        "maximumEventAgeInSeconds": 21600,
        "destinationConfig": {"onFailure": {"destination": arn("sqs", f"spotify-etl-{handler}-dead-letters-1a2b3c4")}},
    }


def schedules(program: Program) -> dict[str, dict[str, Any]]:
    return {name: copy.deepcopy(each.inputs) for name, each in program.all("Schedule").items()}


def test_the_schedules(up: Program) -> None:
    made = schedules(up)

    assert set(made) == {
        f"spotify-etl-{name}" for name in ("daily", "hourly", "crawl", "views", "compaction", "deletion")
    }
    daily = made["spotify-etl-daily"]
    event = json.loads(daily["target"].pop("input"))
    assert event == {"trigger": "daily", "scheduled_time": "<aws.scheduler.scheduled-time>"}
    assert daily == {
        "description": "Starts the daily run of the extract function.",
        "scheduleExpression": "cron(0 6 * * ? *)",
        "scheduleExpressionTimezone": "UTC",
        "flexibleTimeWindow": {"mode": "OFF"},
        "state": "ENABLED",
        "target": {
            "arn": arn("lambda", "function:spotify-etl-extract-1a2b3c4"),
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/spotify-etl-daily-1a2b3c4",
            "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 60},
            "deadLetterConfig": {"arn": arn("sqs", "spotify-etl-extract-dead-letters-1a2b3c4")},
        },
    }
    hourly = made["spotify-etl-hourly"]
    assert json.loads(hourly["target"]["input"]) == {
        "trigger": "hourly",
        "scheduled_time": "<aws.scheduler.scheduled-time>",
    }
    assert hourly["scheduleExpression"] == "cron(20 * * * ? *)"
    assert hourly["target"]["arn"] == daily["target"]["arn"]
    crawl = made["spotify-etl-crawl"]
    assert json.loads(crawl["target"]["input"]) == {"Name": "spotify-etl-1a2b3c4"}
    assert crawl["scheduleExpression"] == "cron(45 6 * * ? *)"
    assert crawl["target"]["arn"] == "arn:aws:scheduler:::aws-sdk:glue:startCrawler"
    assert crawl["target"]["roleArn"] == f"arn:aws:iam::{ACCOUNT}:role/spotify-etl-crawl-1a2b3c4"
    assert crawl["target"]["deadLetterConfig"] == {"arn": arn("sqs", "spotify-etl-crawl-dead-letters-1a2b3c4")}
    assert crawl["target"]["retryPolicy"] == {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 60}
    views = made["spotify-etl-views"]
    assert (views["scheduleExpression"], views["scheduleExpressionTimezone"]) == ("cron(15 7 * * ? *)", "UTC")
    assert views["target"] == {
        "arn": arn("lambda", "function:spotify-etl-publish-1a2b3c4"),
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/spotify-etl-views-1a2b3c4",
        "input": '{"trigger": "schedule"}',
        "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 60},
        "deadLetterConfig": {"arn": arn("sqs", "spotify-etl-publish-dead-letters-1a2b3c4")},
    }
    compaction = made["spotify-etl-compaction"]
    assert (compaction["scheduleExpression"], compaction["scheduleExpressionTimezone"]) == ("cron(45 7 * * ? *)", "UTC")
    assert compaction["target"] == {
        "arn": arn("lambda", "function:spotify-etl-compact-1a2b3c4"),
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/spotify-etl-compaction-1a2b3c4",
        "input": '{"trigger": "schedule"}',
        "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 60},
        "deadLetterConfig": {"arn": arn("sqs", "spotify-etl-compact-dead-letters-1a2b3c4")},
    }
    # Replaced objects stay for an hour.
    deletion = made["spotify-etl-deletion"]
    assert (deletion["scheduleExpression"], deletion["scheduleExpressionTimezone"]) == ("cron(55 8 * * ? *)", "UTC")
    assert deletion["target"] == {
        **compaction["target"],
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/spotify-etl-deletion-1a2b3c4",
        "input": '{"trigger": "schedule", "delete_only": true}',
    }


def test_the_schedules_follow_the_settings() -> None:
    made = schedules(run(LISTENER, stack=RENAMED))

    told = {
        name: (each["scheduleExpression"], each["scheduleExpressionTimezone"], each["state"])
        for name, each in made.items()
    }
    assert told == {
        "spotify-etl-daily": ("cron(50 23 * * ? *)", "Europe/Berlin", "DISABLED"),
        "spotify-etl-hourly": ("cron(10 * * * ? *)", "UTC", "DISABLED"),
        "spotify-etl-crawl": ("cron(20 0 * * ? *)", "Europe/Berlin", "DISABLED"),
        "spotify-etl-views": ("cron(50 0 * * ? *)", "Europe/Berlin", "DISABLED"),
        "spotify-etl-compaction": ("cron(20 1 * * ? *)", "Europe/Berlin", "DISABLED"),
        "spotify-etl-deletion": ("cron(30 2 * * ? *)", "Europe/Berlin", "DISABLED"),
    }


def test_the_hourly_schedule_is_there_only_for_a_stream_that_is_read_hourly() -> None:
    with_it, without_it = schedules(run(LISTENER, stack=RENAMED)), schedules(run(COLLECTOR))

    assert set(with_it) - set(without_it) == {"spotify-etl-hourly"}
    assert set(without_it) == {f"spotify-etl-{name}" for name in ("daily", "crawl", "views", "compaction", "deletion")}


def test_the_function_may_continue_its_own_run(any_mode: Program) -> None:
    policy = any_mode.one("RolePolicy", "spotify-etl-extract-continuation")

    # It speaks of the function's ARN, which the policy that the function waits for cannot know.
    assert any_mode.one("Function", "spotify-etl-extract").urn in policy.depends_on
    assert policy.urn not in any_mode.one("Function", "spotify-etl-extract").depends_on


@pytest.fixture(scope="module", params=sampled(MODES, ["up"]))
def app_mode(request: pytest.FixtureRequest) -> Program:
    return run(APP, mode=request.param)


def test_an_app_without_a_user_reads_its_catalogue_daily(app_mode: Program) -> None:
    told = app_mode.one("Function", "spotify-etl-extract").inputs["environment"]["variables"]

    assert told["AUTH_MODE"] == "app"
    assert told["STREAMS"] == "catalogue"
    assert told["CATALOGUE_URIS"] == f"spotify:artist:{ARTIST} spotify:album:{ARTIST}"
    assert set(app_mode.all("Schedule")) == {
        f"spotify-etl-{name}" for name in ("daily", "crawl", "views", "compaction", "deletion")
    }
    assert app_mode.messages == []


def test_the_fullest_configuration_fits_the_functions_environment() -> None:
    uris = [f"spotify:artist:{number:022d}" for number in range(MAX_CATALOGUE_URIS)]
    streams = [*READABLE_STREAMS]
    config = {"spotify-etl:streams": json.dumps(streams), "spotify-etl:catalogueUris": json.dumps(uris)}
    told = run(config).one("Function", "spotify-etl-extract").inputs["environment"]["variables"]

    size = sum(len(name) + len(value) for name, value in told.items())
    # Lambda keeps 4096; what it takes per variable and longer names of buckets, stack and region need room as well.
    assert size <= 4096 - 256


@pytest.mark.parametrize(
    ("config", "auth_mode", "streams"),
    [
        (COLLECTOR, "user", ["profile", "saved_tracks"]),
        pytest.param({"spotify-etl:streams": '["profile"]'}, "user", ["profile"], marks=pytest.mark.slow),
        (APP, "app", ["catalogue"]),
    ],
)
def test_outputs_say_what_a_login_needs(config: dict[str, str], auth_mode: str, streams: list[str]) -> None:
    program = run(config)
    assert (program.outputs["auth_mode"], program.outputs["streams"]) == (auth_mode, streams)


# Transformation.


def test_the_queue_outwaits_the_function_and_keeps_what_fails(up: Program) -> None:
    made = dict(up.one("Queue", "spotify-etl-transform").inputs)

    assert json.loads(made.pop("redrivePolicy")) == {
        "deadLetterTargetArn": arn("sqs", "spotify-etl-transform-dead-letters-1a2b3c4"),
        "maxReceiveCount": 5,
    }
    assert made == {
        "messageRetentionSeconds": 1_209_600,
        "sqsManagedSseEnabled": True,
        "visibilityTimeoutSeconds": 6 * 300,
    }


@pytest.mark.parametrize("hop", ["extract", "transform", "crawl", "publish", "compact"])
def test_dead_letters_wait_as_long_as_they_can(up: Program, hop: str) -> None:
    assert up.one("Queue", f"spotify-etl-{hop}-dead-letters").inputs == {
        "messageRetentionSeconds": 1_209_600,
        "sqsManagedSseEnabled": True,
        "visibilityTimeoutSeconds": 30,
    }


def test_only_its_own_queue_moves_messages_to_the_dead_letter_queue(up: Program) -> None:
    [allowed] = up.all("RedriveAllowPolicy").values()
    assert allowed.inputs["queueUrl"].endswith("/spotify-etl-transform-dead-letters-1a2b3c4")
    assert json.loads(allowed.inputs["redriveAllowPolicy"]) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [arn("sqs", "spotify-etl-transform-1a2b3c4")],
    }


def test_the_raw_bucket_has_the_one_notification(up: Program) -> None:
    [notification] = up.all("BucketNotification").values()

    assert notification.inputs == {
        "bucket": RAW,
        "queues": [
            {
                "id": kind,
                "queueArn": arn("sqs", "spotify-etl-transform-1a2b3c4"),
                "events": ["s3:ObjectCreated:*"],
                "filterPrefix": prefix,
                "filterSuffix": suffix,
            }
            for kind, prefix, suffix in (("raw-objects", "raw/", ".jsonl.gz"), ("run-manifests", "runs/", ".json"))
        ],
    }


def test_permission_precedes_what_needs_it(any_mode: Program) -> None:
    notification = any_mode.one("BucketNotification", "spotify-etl-raw")
    assert any_mode.one("QueuePolicy", "spotify-etl-transform").urn in notification.depends_on
    target = any_mode.one("EventTarget", "spotify-etl-crawled")
    assert any_mode.one("Permission", "spotify-etl-crawled").urn in target.depends_on
    assert any_mode.one("QueuePolicy", "spotify-etl-publish-dead-letters").urn in target.depends_on
    for schedule in ("daily", "hourly", "crawl", "views", "compaction", "deletion"):
        made = any_mode.one("Schedule", f"spotify-etl-{schedule}")
        assert any_mode.one("RolePolicy", f"spotify-etl-{schedule}").urn in made.depends_on


def test_a_message_that_fails_alone_comes_again_alone(up: Program) -> None:
    assert up.one("EventSourceMapping", "spotify-etl-transform").inputs == {
        "eventSourceArn": arn("sqs", "spotify-etl-transform-1a2b3c4"),
        "functionName": arn("lambda", "function:spotify-etl-transform-1a2b3c4"),
        "batchSize": 10,
        "maximumBatchingWindowInSeconds": 5,
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "scalingConfig": {"maximumConcurrency": 5},
    }


# Catalog.


def test_the_crawler(up: Program) -> None:
    crawler = dict(up.one("Crawler", "spotify-etl").inputs)

    assert json.loads(crawler.pop("configuration")) == {
        "Version": 1.0,
        "CrawlerOutput": {
            "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
            "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
        },
        "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 3},
        "CreatePartitionIndex": False,
    }
    assert crawler == {
        "description": "Registers new partitions and columns of the tables.",
        "databaseName": "spotify_dev",
        "role": f"arn:aws:iam::{ACCOUNT}:role/spotify-etl-crawler-1a2b3c4",
        "s3Targets": [
            {
                "path": f"s3://{TRANSFORMED}/tables/",
                "exclusions": [
                    "*/dt=*/**",
                    "labels/month=*/**",
                    "runs/month=*/**",
                    "rejected_records/month=*/**",
                    "replays/month=*/**",
                ],
                "sampleSize": 1,
            }
        ],
        "schemaChangePolicy": {"updateBehavior": "UPDATE_IN_DATABASE", "deleteBehavior": "LOG"},
        "recrawlPolicy": {"recrawlBehavior": "CRAWL_EVERYTHING"},
    }


def test_a_crawl_that_succeeds_starts_publish(up: Program) -> None:
    assert json.loads(up.one("EventRule", "spotify-etl-crawled").inputs["eventPattern"]) == {
        "source": ["aws.glue"],
        "detail-type": ["Glue Crawler State Change"],
        "detail": {"crawlerName": ["spotify-etl-1a2b3c4"], "state": ["Succeeded"]},
    }
    assert up.one("EventTarget", "spotify-etl-crawled").inputs == {
        "rule": "spotify-etl-crawled-1a2b3c4",
        "arn": arn("lambda", "function:spotify-etl-publish-1a2b3c4"),
        "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 10},
        "deadLetterConfig": {"arn": arn("sqs", "spotify-etl-publish-dead-letters-1a2b3c4")},
    }
    assert up.one("Permission", "spotify-etl-crawled").inputs == {
        "action": "lambda:InvokeFunction",
        "function": "spotify-etl-publish-1a2b3c4",
        "principal": "events.amazonaws.com",
        "sourceArn": arn("events", "rule/spotify-etl-crawled-1a2b3c4"),
    }


def test_a_deployment_publishes_once_its_function_is_there(any_mode: Program) -> None:
    invocation = any_mode.one("Invocation", "spotify-etl-publish")
    function = any_mode.one("Function", "spotify-etl-publish")
    assert json.loads(invocation.inputs["input"]) == {"trigger": "deployment"}
    assert invocation.inputs["triggers"]["code"] == function.inputs["sourceCodeHash"]
    assert function.urn in invocation.depends_on


def test_a_deployment_publishes_again_when_tables_or_views_may_have_changed(up: Program) -> None:
    def triggers(program: Program) -> dict[str, str]:
        invocation = program.one("Invocation", "spotify-etl-publish").inputs
        # Nothing but a trigger: the scope `CRUD` would also invoke the function before it is deleted.
        assert set(invocation) == {"functionName", "input", "triggers"}
        found: dict[str, str] = invocation["triggers"]
        return found

    assert {**triggers(up), "code": ""} == {
        "code": "", "timezone": "UTC", "database": "spotify_dev", "bucket": TRANSFORMED,
    }  # fmt: skip
    assert triggers(run({"spotify-etl:kmsKeyArn": KEY})) == triggers(up)
    assert triggers(run(COLLECTOR)) == {**triggers(up), "timezone": "Asia/Kathmandu"}


# Analytics.


def test_the_workgroup_decides_for_its_queries(up: Program) -> None:
    assert up.one("Workgroup", "spotify-etl").inputs == {
        "name": "spotify-etl-dev",
        "description": "Queries of the Spotify tables.",
        "forceDestroy": True,
        "configuration": {
            "enforceWorkgroupConfiguration": True,
            "publishCloudwatchMetricsEnabled": True,
            "bytesScannedCutoffPerQuery": 1_000_000_000,
            "engineVersion": {"selectedEngineVersion": "Athena engine version 3"},
            "resultConfiguration": {
                "outputLocation": f"s3://{RESULTS}/results/",
                "encryptionConfiguration": {"encryptionOption": "SSE_S3"},
            },
        },
    }


def test_each_file_is_a_named_query(tmp_path: Path) -> None:
    text = "-- What came in last week.\nSELECT 1\n"
    (tmp_path / "new_last_week.sql").write_text(text)

    def entry() -> None:
        settings = Settings()
        lake = Lake("x", settings, destroy_data=False)
        Analytics("x", settings, lake, workgroup_name="spotify-etl-dev", database_name="spotify_dev", queries=tmp_path)

    queries = run(entry=entry).all("NamedQuery")

    assert {name: query.inputs for name, query in queries.items()} == {
        "x-new_last_week": {
            "name": "new_last_week",
            "description": "What came in last week.",
            "workgroup": "spotify-etl-dev",
            "database": "spotify_dev",
            "query": text,
        }
    }


@pytest.mark.parametrize("text", ["SELECT 1\n", "--\nSELECT 1\n", ""])
def test_a_named_query_says_what_it_answers(tmp_path: Path, text: str) -> None:
    (tmp_path / "mute.sql").write_text(text)

    with pytest.raises(NamedQueryError, match=r"mute\.sql must begin with a line `-- <description>`\."):
        read_description(tmp_path / "mute.sql")


def test_settings_reach_their_resources() -> None:
    program = run(COLLECTOR)
    functions = {name.removeprefix("spotify-etl-"): each.inputs for name, each in program.all("Function").items()}
    told = functions["extract"]["environment"]["variables"]

    assert told["STREAMS"] == "profile,saved_tracks"
    assert told["SPOTIFY_API_URL"] == "http://127.0.0.1:8080/v1/"
    assert told["SPOTIFY_ACCOUNTS_URL"] == program.outputs["spotify_accounts_url"] == "http://localhost:8080/"
    assert told["TRANSFORMED_RETENTION_DAYS"] == "30"
    assert functions["publish"]["environment"]["variables"]["TIMEZONE"] == "Asia/Kathmandu"
    assert {name: each["architectures"] for name, each in functions.items()} == {name: ["x86_64"] for name in functions}
    assert all(each.inputs["compatibleArchitectures"] == ["x86_64"] for each in program.all("LayerVersion").values())
    assert expiry(program, "raw") == {"raw/": 20, "runs/": 20}
    assert expiry(program, "transformed")["tables/tracks/"] == 30 + 31
    assert expiry(program, "transformed")["tables/plays/"] == 400 + 31
    assert expiry(program, "transformed")["outputs/"] == 20
    assert expiry(program, "transformed")["compactions/"] == 400 + 366
    assert functions["compact"]["environment"]["variables"]["TRANSFORMED_RETENTION_DAYS"] == "30"
    assert functions["compact"]["environment"]["variables"]["PLAYS_RETENTION_DAYS"] == "400"
    assert expiry(program, "athena-results") == {"": 1}
    assert {each.inputs["retentionInDays"] for each in program.all("LogGroup").values()} == {365}
    limit = program.one("Workgroup", "spotify-etl").inputs["configuration"]["bytesScannedCutoffPerQuery"]
    assert limit == 11_000_000
