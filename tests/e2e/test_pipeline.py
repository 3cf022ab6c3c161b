"""The whole flow from the simulator to SQL: schedule, extract, transform, crawl, publish, and its results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError

from cli.athena_queries import run_query
from embedded_aws.iam.credentials import AwsCredentials
from handlers.layout import RAW_PREFIX, TABLES_PREFIX, run_in
from handlers.streams import READABLE_STREAMS
from handlers.tables import TABLES
from spotify_simulator import LibraryPlan
from tests.e2e import model
from tests.e2e.world import FIRST_HOURLY_RUN, ROOT, TIMEZONE, World, line_counts, world
from tests.thoroughness import sampled

PLAN = LibraryPlan(saved_tracks=200, playlists=12, saved_albums=20, plays_per_day=40, timezone=TIMEZONE)
SMALL = LibraryPlan(saved_tracks=60, playlists=6, saved_albums=8, plays_per_day=20, timezone=TIMEZONE)
SHOWN = ["current_playlist_items", "current_catalogue", "listens"]
"""Views of the fast tests: of several units, of the app, and of two sources."""
VIEWS = [path.stem for path in (ROOT / "queries" / "views").glob("*.sql")]
NAMED = sorted(path.stem for path in (ROOT / "queries" / "named").glob("*.sql"))
OF_PLAYS = {"plays", "tracks", "albums", "artists", "track_artists", "album_artists"}
"""Tables of what an hourly run reads."""
OVER_DAYS = {"most_returned_to_tracks", "new_this_month"}
"""Named queries that have nothing to show on the first morning."""


Client = Callable[[str], Any]
"""Returns a client of the service that it names."""


def place(one: World) -> dict[str, str]:
    """Return where the stack's queries run."""
    return {"database": one.outputs["glue_database_name"], "workgroup": one.outputs["athena_workgroup_name"]}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("development", 0, SMALL), id="development, first morning"),
        pytest.param(("development", 1, PLAN), id="development", marks=pytest.mark.slow),
        pytest.param(("development", 2, PLAN), id="development, two days", marks=pytest.mark.slow),
        pytest.param(("extended", 2, PLAN), id="extended", marks=pytest.mark.slow),
    ],
    name="living_world",
)
def fixture_living_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    shape, days, plan = request.param
    with world(tmp_path_factory.mktemp("cloud"), plan, shape=shape, every_stream=True) as made:
        made.live(days)
        yield made


def test_nothing_went_wrong_on_the_way(living_world: World) -> None:
    assert living_world.errors() == []
    assert living_world.cloud.spotify.unmodelled == []


def test_schedules_started_every_run(living_world: World) -> None:
    assert Counter(manifest["trigger"] for manifest in living_world.manifests()) == {
        "daily": living_world.days + 1,
        "hourly": 24 * living_world.days + 2,
    }


def test_an_hourly_run_adds_an_object_to_no_table_without_a_row_of_it(living_world: World) -> None:
    read = {run_in(key) for key, _, _ in living_world.objects("raw_bucket_name", RAW_PREFIX)}
    added = Counter(
        (run_in(key), key.split("/")[1]) for key, _, _ in living_world.objects("transformed_bucket_name", TABLES_PREFIX)
    )
    # Earlier ones have been compacted.
    since = f"{living_world.cloud.now - timedelta(days=1):%Y%m%d}"
    hourly = [str(manifest["run_id"]) for manifest in living_world.manifests() if manifest["trigger"] == "hourly"]
    for run in (run for run in hourly if run >= since):
        tables = {"runs"} | (OF_PLAYS if run in read else set())
        assert {name: added[of, name] for of, name in added if of == run} == dict.fromkeys(tables, 1), run


@pytest.fixture(scope="module", name="analyst")
def fixture_analyst(living_world: World) -> Client:
    """Provide the clients of a user who has only the analyst's policy."""
    iam = living_world.cloud.client("iam")
    iam.create_user(UserName="ana")
    iam.attach_user_policy(UserName="ana", PolicyArn=living_world.outputs["analyst_policy_arn"])
    key = iam.create_access_key(UserName="ana")["AccessKey"]
    credentials = AwsCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)
    return lambda service: living_world.cloud.server.client(service, credentials)


@pytest.mark.parametrize("view", sampled(sorted(VIEWS), ["listens"]))
def test_analyst_can_query_every_view(living_world: World, analyst: Client, view: str) -> None:
    sql = f'SELECT count(*) FROM "{view}"'
    assert run_query(analyst("athena"), sql, **place(living_world)).rows == living_world.query(sql).rows


@pytest.mark.parametrize("name", sampled(NAMED, ["overview"]))
def test_analyst_can_run_every_named_query(living_world: World, analyst: Client, name: str) -> None:
    query = analyst("athena").get_named_query(NamedQueryId=living_world.outputs["named_queries"][name])["NamedQuery"]
    assert run_query(analyst("athena"), query["QueryString"], **place(living_world)).columns


def test_analyst_can_only_query(living_world: World, analyst: Client) -> None:
    outputs = living_world.outputs
    table = {"DatabaseName": outputs["glue_database_name"], "TableInput": {"Name": "mine"}}
    lake, raw = outputs["transformed_bucket_name"], outputs["raw_bucket_name"]
    key = next(living_world.objects("transformed_bucket_name", "tables/"))[0]
    assert analyst("s3").head_object(Bucket=lake, Key=key)["ContentLength"] > 0
    attempts: dict[str, Callable[[], Any]] = {
        "write data": lambda: analyst("s3").put_object(Bucket=lake, Key=key, Body=b""),
        "delete data": lambda: analyst("s3").delete_object(Bucket=lake, Key=key),
        "read raw data": lambda: analyst("s3").get_object(
            Bucket=raw, Key=next(living_world.objects("raw_bucket_name"))[0]
        ),
        "list raw data": lambda: analyst("s3").list_objects_v2(Bucket=raw),
        "change the catalog": lambda: analyst("glue").create_table(**table),
        "query elsewhere": lambda: analyst("athena").start_query_execution(QueryString="SELECT 1", WorkGroup="primary"),
        "read the login": lambda: analyst("secretsmanager").get_secret_value(SecretId=outputs["spotify_secret_name"]),
    }
    for action, call in attempts.items():
        with pytest.raises(ClientError, match=r"AccessDenied|Forbidden|not authorized") as refused:
            call()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403), action


@pytest.mark.parametrize("view", sampled(model.VIEWS, SHOWN))
def test_view_answers_as_the_model_does(living_world: World, view: str) -> None:
    expected = list(model.VIEWS[view](living_world))
    assert expected
    columns = ["account_id", *expected[0]]
    rows = [{"account_id": living_world.library.account_id} | row for row in expected]

    result = living_world.query(f'SELECT {", ".join(columns)} FROM "{view}"')

    assert sorted(result.rows, key=repr) == sorted((tuple(map(model.text, row.values())) for row in rows), key=repr)


# Not from runs: test_saved_lake.py imports a file of labels, and test_compaction.py replays objects of an earlier day.
@pytest.mark.parametrize("table", [table for table in TABLES if table not in {"labels", "replays"}])
def test_every_table_has_rows(living_world: World, table: str) -> None:
    [[count]] = living_world.query(f'SELECT count(*) FROM "{table}"').rows
    assert int(count or 0) > 0


def test_every_raw_line_is_one_row_or_one_rejected_record(living_world: World) -> None:
    counted = line_counts(living_world)
    assert {stream for stream, _, _ in counted.values()} == set(READABLE_STREAMS)
    assert {key: counts for key, counts in counted.items() if counts[1] != counts[2]} == {}


def test_what_the_library_holds_in_the_wrong_shape_is_rejected_with_its_reason(living_world: World) -> None:
    result = living_world.query(
        "SELECT r.stream, r.reason, count(*) FROM rejections AS r"
        " JOIN complete_reads AS c ON c.stream = r.stream AND contains(c.read_keys, r._raw_key)"
        " WHERE c.recency = 1"
        " GROUP BY r.stream, r.reason"
    )
    null_elements = living_world.library.listed_playlists.count(None)
    assert set(result.rows) == {
        ("playlists", "null_element", str(null_elements)),
        ("playlists", "missing_key", "1"),
        ("playlists", "wrong_type", "1"),
        ("saved_tracks", "wrong_type", "1"),
    }
    assert {(wrong.path, wrong.reason) for wrong in living_world.library.malformed} == {
        ("me/tracks", "added_at is a number"),
        ("me/playlists", "has no id"),
        ("me/playlists", "id is a number"),
    }


def test_every_stream_is_fresh(living_world: World) -> None:
    result = living_world.query("SELECT stream, last_status FROM freshness ORDER BY stream")
    assert {stream: status for stream, status in result.rows if status not in {"complete", "unchanged"}} == {}
    assert [stream for stream, _ in result.rows] == sorted(READABLE_STREAMS)


def test_top_artists_are_those_of_the_model(living_world: World) -> None:
    plays = living_world.library.plays_polled_since(FIRST_HOURLY_RUN)
    counted = Counter(name for play in plays if (name := play.track.artists[0].name))
    result = living_world.query(_named(living_world, "top_artists"))
    artist, listens = result.columns.index("artist_name"), result.columns.index("listens")
    assert [int(row[listens] or 0) for row in result.rows] == sorted(counted.values(), reverse=True)[:50]
    assert {row[artist]: int(row[listens] or 0) for row in result.rows}.items() <= counted.items()


@pytest.mark.slow
def test_listening_by_hour_and_weekday_is_in_local_time(living_world: World) -> None:
    plays = living_world.library.plays_polled_since(FIRST_HOURLY_RUN)
    local = [play.played_at.astimezone(ZoneInfo(TIMEZONE)) for play in plays]
    result = living_world.query(_named(living_world, "listening_by_hour_and_weekday"))
    weekday, hour, listens = (result.columns.index(name) for name in ("weekday", "hour_of_day", "listens"))
    assert {(row[weekday], row[hour]): row[listens] for row in result.rows} == {
        (str(day), str(at)): str(count)
        for (day, at), count in Counter((moment.isoweekday(), moment.hour) for moment in local).items()
    }


@pytest.mark.slow
def test_saved_albums_never_played_are_those_of_the_model(living_world: World) -> None:
    played = {play.track.album.album_id for play in living_world.library.plays_polled_since(FIRST_HOURLY_RUN)}
    expected = {saved.item.album_id for saved in living_world.library.saved_albums} - played
    result = living_world.query(_named(living_world, "saved_albums_never_played"))
    assert {row[result.columns.index("album_id")] for row in result.rows} == expected


@pytest.mark.parametrize(
    "name",
    sampled(
        [
            "artists_first_heard",
            "library_by_decade",
            "longest_streaks",
            "most_returned_to_tracks",
            "new_this_month",
            "plays_by_playlist",
            "sessions",
            "top_tracks_by_plays",
            "year_in_review",
        ],
        0,
    ),
)
def test_named_query_has_an_answer(living_world: World, name: str) -> None:
    rows = living_world.query(_named(living_world, name)).rows
    assert bool(rows) == (living_world.days > 0 or name not in OVER_DAYS)


@pytest.mark.slow
def test_functions_logged_as_json_and_told_no_secret(living_world: World) -> None:
    logs = living_world.cloud.client("logs")
    secret = json.loads(
        living_world.cloud.client("secretsmanager").get_secret_value(
            SecretId=living_world.outputs["spotify_secret_name"]
        )["SecretString"]
    )
    groups = [
        group["logGroupName"] for group in logs.describe_log_groups(logGroupNamePrefix="spotify-etl-")["logGroups"]
    ]
    assert len(groups) == 4
    for group in groups:
        messages = [
            event["message"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in page["events"]
        ]
        # The first compaction comes after the first morning's views.
        if living_world.days or "-compact-" not in group:
            assert any('"service":' in message for message in messages), group
        everything = "\n".join(messages)
        assert secret["refresh_token"] not in everything
        assert secret["client_secret"] not in everything
        assert "Bearer " not in everything


def _named(living_world: World, name: str) -> str:
    identifier = living_world.outputs["named_queries"][name]
    query: str = living_world.cloud.client("athena").get_named_query(NamedQueryId=identifier)["NamedQuery"][
        "QueryString"
    ]
    return query
