"""Privacy exports together with the API's plays: each play counts once, at the hour it was heard, despite overlaps."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import boto3
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from cli.import_history import import_history
from handlers.tables import SCHEMA_VERSION
from spotify_simulator import Library, LibraryPlan
from spotify_simulator.model.plan import PlayedAt
from spotify_simulator.privacy_export import MADE_UP, PLACE, Form, write_account_data, write_privacy_export
from tests.e2e.listening import Listen, hours_heard, listens, listens_beside_account_data
from tests.e2e.model import text
from tests.e2e.released import ROWS, store_released_plays
from tests.e2e.world import START, TIMEZONE, World, line_counts, world

pytestmark = pytest.mark.slow

DAYS = 2
EXPORTED_AT = (START + timedelta(hours=18), START + timedelta(days=1, hours=15))
"""Two exports, the earlier one in the span of the later; then there are plays that only the API has."""


@dataclass(frozen=True)
class Case:
    """What is imported, and how."""

    played_at: PlayedAt
    """What the Web API gives as `played_at`."""
    earlier: Form = "today"
    """The form of the earlier of two exports; the later has that of today."""
    together: bool = False
    """Whether both are given in one command."""
    small: bool = False
    """Whether the later one is imported alone, and is the small one."""


CASES = {
    "end": Case("end"),
    "start, earlier without URIs": Case("start", earlier="without_uris"),
    "mixed, in one command, earlier with old names": Case("mixed", earlier="endsong", together=True),
    "small": Case("end", small=True),
}


@pytest.fixture(scope="module", params=[*CASES.values()], ids=[*CASES], name="case")
def fixture_case(request: pytest.FixtureRequest) -> Case:
    case: Case = request.param
    return case


@pytest.fixture(scope="module", name="imported")
def fixture_imported(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    plan = LibraryPlan(
        saved_tracks=10, playlists=2, saved_albums=2, plays_per_day=60, export_days=200, offline_percent=30,
        played_at=case.played_at, timezone=TIMEZONE,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("cloud")
    streams = '["profile", "recently_played"]'
    with world(folder, plan, config={"streams": streams}) as made, pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": made.cloud.server.url,
            "AWS_ACCESS_KEY_ID": made.cloud.server.owner.access_key_id,
            "AWS_SECRET_ACCESS_KEY": made.cloud.server.owner.secret_access_key,
            "AWS_DEFAULT_REGION": made.cloud.server.region,
        }.items():
            patch.setenv(name, value)
        # It keeps the keys of the cloud before.
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        store_released_plays(made)
        made.cloud.run_until(START + timedelta(days=1, hours=16))
        exports = written_exports(made.library, case, folder)
        for paths in [exports] if case.together else [[export] for export in exports]:
            console = Console(file=io.StringIO())
            import_history(paths, made.outputs["raw_bucket_name"], account_id=None, again=False, console=console)
            made.cloud.run_until(made.cloud.now + timedelta(minutes=5))
        made.live(DAYS)
        yield made


def written_exports(library: Library, case: Case, folder: Path) -> list[Path]:
    """Write the exports of a case; 5 % of online plays are repeated, and each play has twenty unknown fields."""
    targets = [folder / str(number) for number in range(2)]
    for target in targets:
        target.mkdir()
    if case.small:
        return [write_account_data(library, targets[1], EXPORTED_AT[1], zipped=True)]
    forms: tuple[Form, Form] = (case.earlier, "today")
    return [
        write_privacy_export(
            library, target, moment, zipped=bool(number), form=form, doubled_percent=5, made_up_fields=20
        )
        for number, (target, moment, form) in enumerate(zip(targets, EXPORTED_AT, forms, strict=True))
    ]


def expected_listens(imported: World, case: Case) -> list[Listen]:
    """Return the expected rows of `listens`, from the simulator's own model."""
    given = listens_beside_account_data if case.small else listens
    return list(given(imported.library, EXPORTED_AT[-1]))


def test_nothing_went_wrong(imported: World) -> None:
    assert imported.errors() == []
    result = imported.query(
        "SELECT status, count(*) FROM run_history WHERE stream = 'streaming_history' GROUP BY status"
    )
    assert dict(result.rows).keys() == {"complete"}  # type: ignore[arg-type] # pairs


def test_every_line_of_the_exports_is_one_row_or_one_rejected_record(imported: World) -> None:
    counted = line_counts(imported)
    assert "streaming_history" in {stream for stream, _, _ in counted.values()}
    assert {key: counts for key, counts in counted.items() if counts[1] != counts[2]} == {}


def test_a_file_that_the_first_version_wrote_is_read_beside_those_of_today(imported: World, case: Case) -> None:
    result = imported.query(
        "SELECT _schema_version, count(*), count(ms_played), count(offline_timestamp) FROM plays"
        " GROUP BY _schema_version ORDER BY _schema_version"
    )
    old, new = result.rows
    assert old == ("1", str(ROWS), str(ROWS), "0")
    assert new[0] == str(SCHEMA_VERSION)
    assert (new[3] != "0") == (not case.small)


def test_each_play_counts_once_and_was_heard_when_it_was(imported: World, case: Case) -> None:
    result = imported.query("SELECT source, played_at, item_uri, ms_played, heard_at FROM listens")
    expected = [
        (one.source, text(one.played_at), one.item_uri, text(one.ms_played), text(one.heard_at))
        for one in expected_listens(imported, case)
    ]
    assert sorted(result.rows, key=repr) == sorted(expected, key=repr)


def test_the_hours_heard_are_those_of_the_listener_by_local_day_and_hour(imported: World, case: Case) -> None:
    result = imported.query(
        "SELECT played_on, local_hour, sum(ms_played) FROM listens WHERE ms_played IS NOT NULL"
        " GROUP BY played_on, local_hour"
    )
    expected = hours_heard(expected_listens(imported, case))
    assert {(day, hour): ms for day, hour, ms in result.rows} == {
        (text(day), text(hour)): text(ms) for (day, hour), ms in expected.items()
    }


def test_plays_heard_offline_are_counted_at_another_hour_than_that_of_their_arrival(
    imported: World, case: Case
) -> None:
    late = [one for one in expected_listens(imported, case) if one.heard_at < one.played_at - timedelta(hours=1)]
    assert bool(late) == (not case.small)


def test_the_buckets_hold_nothing_but_documented_fields(imported: World) -> None:
    buckets = ("raw_bucket_name", "transformed_bucket_name")
    stored = [(key, readable(key, body)) for bucket in buckets for key, body, _ in imported.objects(bucket)]
    assert any("ms_played" in content or "msPlayed" in content for key, content in stored if key.endswith(".gz"))
    assert any("ms_played" in content for key, content in stored if key.endswith(".parquet"))
    places = [str(PLACE[name]) for name in ("city", "longitude", "latitude")]
    forbidden = ("ip_addr", "user_agent", "username", "somebody@example.com", "made_up", MADE_UP, *places)
    assert [(key, word) for key, content in stored for word in forbidden if word in content] == []


def readable(key: str, body: bytes) -> str:
    """Return the content of an object, uncompressed."""
    if key.endswith(".parquet"):
        return repr(pq.read_table(io.BytesIO(body)).to_pylist())
    return (gzip.decompress(body) if key.endswith(".gz") else body).decode()
