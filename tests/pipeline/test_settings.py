"""Settings: what is allowed, and the error for what is not."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pulumi
import pytest
import yaml
from pulumi_aws import ProviderEndpointArgs

from handlers.catalogue_uris import CatalogueUri, CatalogueUriError
from handlers.streams import READABLE_STREAMS, default_streams
from local.ports import PORT
from pipeline.settings import NAMESPACE, SettingError, Settings, key, read_settings
from pipeline.spotify_etl_pipeline import OUTPUTS
from scripts.component_schema import component_schema
from tests.pipeline.program import ROOT, Program, run, stack_config
from tests.thoroughness import sampled

FIELDS = dataclasses.fields(Settings)
STREAMS = ", ".join(READABLE_STREAMS)
DAYS = "a whole number of days from {} to 36500"
STREAM_LIST = (
    f"empty or a list of one or more of {STREAMS}, each at most once, and with playlists if it has playlist_items"
)
URI_LIST = "a list of at most 80 URIs or open.spotify.com links of artists, albums and tracks"
LOG_RETENTION = (
    "one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653"
)
ADDRESS = "an https URL (or http on a loopback address) without user, query or fragment"

ID = "4aawyAB9vmqN3uQ7FjRGTy"
ARTIST, ALBUM, TRACK = (f"spotify:{kind}:{ID}" for kind in ("artist", "album", "track"))


def artists(number: int) -> list[str]:
    return [f"spotify:artist:{each:022d}" for each in range(number)]


WRONG: dict[str, tuple[list[Any], str]] = {
    "authMode": (["App", "", "client_credentials"], "one of user, app"),
    "streams": (
        [
            *("profile", "{}", "[1]", '["a"', '["nothing"]', '["profile", "profile"]', '["playlist_items"]'),
            # By hand, from the files of a privacy export.
            '["streaming_history"]',
        ],
        STREAM_LIST,
    ),
    "catalogueUris": (["spotify:artist:x", "{}", '["', '"spotify:artist:x"', "7"], URI_LIST),
    "dailyAt": (
        ["6:00", "24:00", "06:60", "06:00:00", "noon", "", "360"],
        'a quoted time of day from "00:00" to "23:59"',
    ),
    "crawlDelayMinutes": (["19", "721", "-45", "45.5", "soon"], "a whole number of minutes from 20 to 720"),
    "timezone": (
        ["Mars/Olympus", "CEST+2", "", "../etc/passwd", "/etc/localtime"],
        "a time zone of the IANA database, for instance Europe/Berlin",
    ),
    "schedulesEnabled": (["yes", "1", ""], "true or false"),
    "rawRetentionDays": (
        ["13", "36501", "forever"],
        DAYS.format(14) + ", because a dead letter can wait 14 days for its raw object",
    ),
    "transformedRetentionDays": (["13", "0", "x"], DAYS.format(14) + ", because views need two full reads"),
    "playsRetentionDays": (["13", "1e3", "true"], DAYS.format(14)),
    "resultsRetentionDays": (["0", "-1", "null"], DAYS.format(1)),
    "logRetentionDays": (
        ["0", "2", "31", "x"],
        LOG_RETENTION,
    ),
    "athenaScanLimitMb": (["10", "10000001", "1 GB"], "a whole number of megabytes from 11 to 10000000"),
    "architecture": (["ARM64", "amd64", ""], "one of arm64, x86_64"),
    "kmsKeyArn": (
        ["alias/mine", "arn:aws:kms:eu-central-1:123456789012:alias/mine", "arn:aws:iam::123456789012:key/1"],
        "empty or the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>)",
    ),
    "alertEmail": (["ana", "ana@example", "ana@ex ample.com", "a@b@c.de", True], "an e-mail address, or empty"),
    "monthlyBudgetUsd": (["-1", "9.99", "1000001", "ten"], "a whole number of US dollars from 0 to 1000000"),
    "forceDestroy": (["force", "0"], "true or false"),
    "spotifyApiUrl": (
        [
            "http://api.spotify.com/v1/",
            "api.spotify.com",
            "https://",
            "https://u:p@a.b/",
            "https://a.b/?x=1",
            "https://a b/",
        ],
        ADDRESS,
    ),
    "spotifyAccountsUrl": (
        ["ftp://127.0.0.1/", "https://a.b/#c", "http://127.0.0.1.evil.example/", "https://[::1"],
        ADDRESS,
    ),
}


KEY = "arn:aws:kms:eu-central-1:123456789012:key/0f3c7b1e"
RIGHT: dict[str, list[tuple[Any, Any]]] = {
    "authMode": [("user", "user")],
    "streams": [("[]", default_streams()), (json.dumps(["profile"]), ("profile",))],
    "catalogueUris": [("[]", ()), (json.dumps(artists(80)), tuple(artists(80)))],
    "dailyAt": [("00:00", "00:00"), ("23:59", "23:59")],
    "crawlDelayMinutes": [("20", 20), ("720", 720)],
    "timezone": [("UTC", "UTC"), ("Pacific/Kiritimati", "Pacific/Kiritimati")],
    "schedulesEnabled": [("true", True), ("false", False)],
    "rawRetentionDays": [("14", 14), ("36500", 36_500)],
    "transformedRetentionDays": [("14", 14), ("36500", 36_500)],
    "playsRetentionDays": [("14", 14), ("36500", 36_500)],
    "resultsRetentionDays": [("1", 1), ("36500", 36_500)],
    "logRetentionDays": [("1", 1), ("3653", 3653)],
    "athenaScanLimitMb": [("11", 11), ("10000000", 10_000_000)],
    "architecture": [("arm64", "arm64"), ("x86_64", "x86_64")],
    "kmsKeyArn": [("", ""), (KEY, KEY), (KEY.replace("aws", "aws-us-gov"), KEY.replace("aws", "aws-us-gov"))],
    "alertEmail": [("", ""), ("a@b.c", "a@b.c")],
    "monthlyBudgetUsd": [("0", 0), ("10", 10), ("1000000", 1_000_000)],
    "forceDestroy": [("false", False), ("true", True)],
    "spotifyApiUrl": [("http://[::1]:1", "http://[::1]:1/"), ("https://a.b/c/", "https://a.b/c/")],
    "spotifyAccountsUrl": [("http://localhost:65535/", "http://localhost:65535/"), ("https://a.b", "https://a.b/")],
}
"""By setting, what is least and most, as configuration has it, and what is read from it."""


def test_every_setting_has_wrong_and_right_values_here() -> None:
    assert list(WRONG) == list(RIGHT) == [key(setting) for setting in FIELDS]


@pytest.mark.parametrize(
    ("name", "value", "read"), [(name, value, read) for name, values in RIGHT.items() for value, read in values]
)
def test_the_least_and_the_most_are_allowed(name: str, value: str, read: Any) -> None:
    [setting] = [setting for setting in FIELDS if key(setting) == name]
    given = {f"spotify-etl:{name}": value}

    assert getattr(read_settings(given), setting.name) == read


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("timezone", "Berlin", "'Berlin' is not a time zone of the IANA database; did you mean Europe/Berlin?"),
        ("timezone", "New York", "'New York' is not a time zone of the IANA database; did you mean America/New_York?"),
        ("streams", '["profile", "SavedTrack"]', "'SavedTrack' is not a stream; did you mean saved_tracks?"),
    ],
)
def test_a_misspelt_value_is_one_sentence_with_what_may_be_meant(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingError) as raised:
        read_settings({f"spotify-etl:{name}": value})

    assert str(raised.value) == f"The setting spotify-etl:{name} is not allowed: {sentence}"


@pytest.mark.parametrize(("region", "allowed"), [("eu-central-1", True), ("eu-west-1", False)])
def test_the_key_must_be_in_the_stacks_region(region: str, allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"spotify-etl:kmsKeyArn": KEY}
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert read_settings(given).kms_key_arn == KEY
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    if allowed:
        assert read_settings(given | {"aws:region": region}).kms_key_arn == KEY
        return
    with pytest.raises(SettingError) as raised:
        read_settings(given | {"aws:region": region})
    assert str(raised.value) == (
        f"The setting spotify-etl:kmsKeyArn = '{KEY}' is not allowed: it must be a key in the stack's region, {region}."
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dailyAt", "25:00"),
        ("timezone", "Berlin"),
        ("rawRetentionDays", "0"),
        ("alertEmail", "ana"),
        ("kmsKeyArn", KEY),
        ("streams", '["save_tracks"]'),
        ("catalogueUris", json.dumps([f"spotify:playlist:{ID}"])),
        ("dailyat", "07:00"),
    ],
)
def test_bad_input_ends_the_program_before_anything_is_registered(name: str, value: str) -> None:
    recorded = Program()
    with pytest.raises(SettingError) as raised:
        run({f"spotify-etl:{name}": value, "aws:region": "eu-west-1"}, program=recorded)

    assert re.fullmatch(rf"The setting spotify-etl:{name} [^\n]+[.?]", str(raised.value))
    assert recorded.resources == []


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [(name, value, allowed) for name, (values, allowed) in WRONG.items() for value in values],
)
def test_a_wrong_value_is_one_sentence(name: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingError) as raised:
        read_settings({f"spotify-etl:{name}": value})

    assert str(raised.value) == f"The setting spotify-etl:{name} = {value!r} is not allowed: it must be {allowed}."
    # Pulumi prints such an error without a traceback.
    assert isinstance(raised.value, pulumi.RunError)


@pytest.mark.parametrize("entry", [ID, f"spotify:show:{ID}", "spotify:artist:short", "The Beatles", ""])
def test_a_wrong_catalogue_entry_is_one_sentence(entry: str) -> None:
    with pytest.raises(CatalogueUriError) as why:
        CatalogueUri.parse(entry)
    with pytest.raises(SettingError) as raised:
        read_settings({"spotify-etl:catalogueUris": json.dumps([ARTIST, entry])})

    assert str(raised.value) == f"The setting spotify-etl:catalogueUris is not allowed: {why.value}"
    assert repr(entry) in str(raised.value)


def test_a_catalogue_too_long_for_the_functions_environment_is_one_sentence() -> None:
    with pytest.raises(SettingError) as raised:
        read_settings({"spotify-etl:catalogueUris": json.dumps(artists(81))})

    shown = f"{repr(json.dumps(artists(81)))[:120]}…"
    assert (
        str(raised.value) == f"The setting spotify-etl:catalogueUris = {shown} is not allowed: it must be {URI_LIST}."
    )
    assert read_settings({"spotify-etl:catalogueUris": json.dumps(artists(80))}).catalogue_uris == tuple(artists(80))


def test_catalogue_entries_are_uris_each_once() -> None:
    link = f"https://open.spotify.com/intl-de/album/{ID}?si=0f3c"

    assert read_settings({"spotify-etl:catalogueUris": json.dumps([TRACK, link, ALBUM])}).catalogue_uris == (
        TRACK,
        ALBUM,
    )


@pytest.mark.parametrize(
    ("config", "streams"),
    [
        ({}, default_streams()),
        ({"streams": "[]"}, default_streams()),
        ({"catalogueUris": json.dumps([ARTIST])}, (*default_streams(), "catalogue")),
        ({"streams": '["catalogue", "profile"]', "catalogueUris": json.dumps([ARTIST])}, ("profile", "catalogue")),
        ({"authMode": "app", "catalogueUris": json.dumps([ARTIST])}, ("catalogue",)),
        ({"authMode": "app", "streams": '["catalogue"]', "catalogueUris": json.dumps([ARTIST])}, ("catalogue",)),
    ],
)
def test_the_streams_follow_the_mode_and_the_catalogue(config: dict[str, str], streams: tuple[str, ...]) -> None:
    settings = read_settings({f"spotify-etl:{name}": value for name, value in config.items()})

    assert settings.streams == streams
    # As the program hands them on to the component.
    assert Settings(**dataclasses.asdict(settings)) == settings


NO_USER = "it must be empty or [catalogue] if authMode is app, which has no user"
IN_VAIN = "it must be empty if streams is set without catalogue; add catalogue to streams to have them read"
NO_ENTRY = (
    "catalogueUris = [] is not allowed: "
    "it must name an artist, album or track if streams includes catalogue or authMode is app."
)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            {"authMode": "app", "streams": '["profile"]', "catalogueUris": json.dumps([ARTIST])},
            f"streams = ['profile'] is not allowed: {NO_USER}.",
        ),
        ({"authMode": "app"}, NO_ENTRY),
        ({"streams": '["catalogue"]'}, NO_ENTRY),
        (
            {"streams": '["profile"]', "catalogueUris": json.dumps([ARTIST])},
            f"catalogueUris = ['{ARTIST}'] is not allowed: {IN_VAIN}.",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_one_sentence(config: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingError) as raised:
        read_settings({f"spotify-etl:{name}": value for name, value in config.items()})

    assert str(raised.value) == f"The setting spotify-etl:{sentence}"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("logretentiondays", "did you mean logRetentionDays?"),
        ("raw_retention_days", "did you mean rawRetentionDays?"),
        # The nearest comes first.
        ("retentionDays", "did you mean rawRetentionDays or logRetentionDays or playsRetentionDays?"),
        ("clientSecret", "docs/settings.md lists the settings."),
    ],
)
def test_an_unknown_key_is_one_sentence_with_what_may_be_meant(name: str, hint: str) -> None:
    with pytest.raises(SettingError) as raised:
        read_settings({f"spotify-etl:{name}": "30"})

    assert str(raised.value) == f"The setting spotify-etl:{name} = '30' is unknown: {hint}"


def test_a_secret_under_a_wrong_key_is_not_shown() -> None:
    pulumi.runtime.set_all_config({"spotify-etl:clientSecret": "hush"}, ["spotify-etl:clientSecret"])
    try:
        with pytest.raises(SettingError, match=re.escape("spotify-etl:clientSecret = [secret] is unknown")):
            read_settings()
    finally:
        pulumi.runtime.set_all_config({}, [])


def test_a_secret_among_the_catalogue_entries_is_not_shown() -> None:
    pulumi.runtime.set_all_config({"spotify-etl:catalogueUris": '["hush"]'}, ["spotify-etl:catalogueUris"])
    try:
        with pytest.raises(SettingError, match=re.escape("spotify-etl:catalogueUris = [secret] is not allowed")):
            read_settings()
    finally:
        pulumi.runtime.set_all_config({}, [])


def test_no_setting_is_a_secret_that_would_be_plain_text_in_the_state() -> None:
    pulumi.runtime.set_all_config({"spotify-etl:alertEmail": "ana@example.com"}, ["spotify-etl:alertEmail"])
    try:
        with pytest.raises(SettingError) as raised:
            read_settings()
    finally:
        pulumi.runtime.set_all_config({}, [])
    assert str(raised.value) == (
        "The setting spotify-etl:alertEmail is a secret, but settings are in plain text in the stack's state: "
        "set it without --secret, or not at all."
    )


def test_the_program_ends_with_the_sentence() -> None:
    with pytest.raises(SettingError, match=r"spotify-etl:architecture = 'sparc' is not allowed"):
        run({"spotify-etl:architecture": "sparc"})


def test_other_projects_keys_are_not_ours() -> None:
    assert read_settings({"aws:region": "eu-central-1", "pulumi:tags": "{}"}) == Settings()


def test_the_defaults() -> None:
    assert dataclasses.asdict(Settings()) == {
        "auth_mode": "user",
        "streams": default_streams(),
        "catalogue_uris": (),
        "daily_at": "06:00",
        "crawl_delay_minutes": 45,
        "timezone": "UTC",
        "schedules_enabled": True,
        "raw_retention_days": 90,
        "transformed_retention_days": 90,
        "plays_retention_days": 3650,
        "results_retention_days": 7,
        "log_retention_days": 30,
        "athena_scan_limit_mb": 1000,
        "architecture": "arm64",
        "kms_key_arn": "",
        "alert_email": "",
        "monthly_budget_usd": 0,
        "force_destroy": False,
        "spotify_api_url": "https://api.spotify.com/v1/",
        "spotify_accounts_url": "https://accounts.spotify.com/",
    }


def test_text_and_typed_values_mean_the_same() -> None:
    read = read_settings(
        {
            "spotify-etl:streams": '["saved_tracks", "profile"]',
            "spotify-etl:schedulesEnabled": "False",
            "spotify-etl:rawRetentionDays": "30",
        }
    )

    assert read == Settings(streams=("profile", "saved_tracks"), schedules_enabled=False, raw_retention_days=30)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "skipped"),
    [
        ({"timezone": "Europe/Berlin", "dailyAt": "02:15"}, {"daily": "02:15"}),
        # The daily run is at 01:00, the views are published at 02:15, and half an hour later comes the compaction.
        ({"timezone": "America/New_York", "dailyAt": "01:00"}, {"compaction": "02:45", "views": "02:15"}),
        pytest.param(
            {"timezone": "Europe/London", "dailyAt": "00:30"},
            {"crawl": "01:15", "views": "01:45"},
            marks=pytest.mark.slow,
        ),
        # There the clocks go forward at midnight.
        pytest.param(
            {"timezone": "Africa/Cairo", "dailyAt": "23:30"},
            {"crawl": "00:15", "views": "00:45"},
            marks=pytest.mark.slow,
        ),
        pytest.param({"timezone": "Europe/Berlin", "dailyAt": "03:00"}, {}, marks=pytest.mark.slow),
        pytest.param({"timezone": "Europe/Berlin"}, {}, marks=pytest.mark.slow),
        pytest.param({"timezone": "Asia/Tokyo", "dailyAt": "02:15"}, {}, marks=pytest.mark.slow),
        pytest.param({"timezone": "UTC", "dailyAt": "02:15"}, {}, marks=pytest.mark.slow),
        pytest.param(
            {"timezone": "Europe/Berlin", "dailyAt": "02:15", "schedulesEnabled": "false"}, {}, marks=pytest.mark.slow
        ),
    ],
)
def test_each_schedule_whose_time_the_clocks_skip_is_a_warning(config: dict[str, str], skipped: dict[str, str]) -> None:
    messages = run({f"{NAMESPACE}:{name}": value for name, value in config.items()}).messages

    assert sorted(messages) == sorted(
        f"In {config['timezone']} the clocks skip {time} in spring, and on that day the schedule spotify-etl-{name} "
        "may not start anything; choose another spotify-etl:dailyAt, from which its time follows."
        for name, time in skipped.items()
    )


@pytest.mark.slow
def test_no_schedule_of_the_program_is_without_that_warning() -> None:
    made = run({f"{NAMESPACE}:timezone": "Europe/Berlin"}).all("Schedule")
    at_a_time = {
        name: re.fullmatch(r"cron\((\d+) (\d+) .*\)", each.inputs["scheduleExpression"]) for name, each in made.items()
    }
    assert [name for name, time in at_a_time.items() if time is None] == ["spotify-etl-hourly"]
    for name, time in at_a_time.items():
        if time:
            # Every time follows from that of the daily run, which is at 06:00 here: this schedule's becomes 02:30.
            minutes = (6 * 60 + 2 * 60 + 30 - 60 * int(time[2]) - int(time[1])) % (24 * 60)
            daily_at = f"{minutes // 60:02}:{minutes % 60:02}"
            messages = run({f"{NAMESPACE}:timezone": "Europe/Berlin", f"{NAMESPACE}:dailyAt": daily_at}).messages
            assert any(f"skip 02:30 in spring, and on that day the schedule {name} may" in one for one in messages)


# The stack files.


@pytest.mark.parametrize("stack", sampled(["dev", "local"]))
def test_the_program_as_its_stack_files_configure_it(stack: str) -> None:
    program = run(stack_config(stack), stack=stack)

    assert program.tree() == run(stack=stack).tree()
    assert program.messages == []
    assert program.outputs["athena_workgroup_name"] == f"spotify-etl-{stack}"
    assert all(program.outputs[name] not in ("", None) for name in OUTPUTS)


def test_the_local_stack_talks_to_the_embedded_cloud_alone() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    [endpoints] = config["aws:endpoints"]
    services = {
        token.split(":")[1].split("/")[0]
        for token in (resource.token for resource in run().resources)
        if token.startswith("aws:")
    }

    # aws:cloudwatch holds what the provider reaches as CloudWatch, its events and its logs; a setting adds a budget.
    assert set(endpoints) == services | {"budgets", "cloudwatchevents", "cloudwatchlogs", "s3control", "sts"}
    known = {name.removesuffix("_") for name in dir(ProviderEndpointArgs)}
    assert set(endpoints) <= known, "the provider refuses unknown ones"
    assert {urlsplit(url).port for url in endpoints.values()} == {PORT}
    assert {urlsplit(url).hostname for url in endpoints.values()} == {"127.0.0.1", "localhost"}
    assert {name: value for name, value in config.items() if name != "aws:endpoints"} == {
        "aws:region": "eu-central-1",
        "aws:s3UsePathStyle": "true",
        **{f"aws:skip{what}": "true" for what in ("CredentialsValidation", "MetadataApiCheck", "RegionValidation")},
    }


# The component for other languages.


def test_the_component_has_a_schema_for_every_language() -> None:
    resource = json.loads(component_schema())["resources"]["spotify-etl:index:SpotifyEtlPipeline"]

    names = {_camel(setting.name) for setting in FIELDS} | {"allowDataLoss"}
    assert set(resource["inputProperties"]) == names
    assert not resource.get("requiredInputs")
    # What decides which resources exist is known when the program runs.
    assert {name for name, each in resource["inputProperties"].items() if not each.get("plain")} == {"kmsKeyArn"}
    assert all(each["description"] for each in resource["inputProperties"].values())
    assert set(resource["properties"]) == {_camel(name) for name in OUTPUTS}
    assert all(each["description"] for each in resource["properties"].values())


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(map(str.capitalize, tail))


def test_the_stack_files_are_all_there() -> None:
    assert {path.name for path in Path(ROOT).glob("Pulumi*.yaml")} == {
        "Pulumi.yaml",
        "Pulumi.dev.yaml",
        "Pulumi.local.yaml",
    }
    # A default of its own here would hide from the program whether the user has set it.
    assert json.loads(stack_config("dev")["spotify-etl:streams"]) == []


def test_endless_list_is_one_sentence_too() -> None:
    with pytest.raises(SettingError, match="is not allowed: it must be empty or a list"):
        read_settings({f"{NAMESPACE}:streams": "[" * 100_000})
