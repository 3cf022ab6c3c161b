"""A run that takes longer than an invocation: the function continues in new invocations until everything is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from spotify_simulator import LibraryPlan
from tests.e2e.test_mutations import without_permission
from tests.e2e.world import START, TIMEZONE, World, world

pytestmark = pytest.mark.slow

PLAN = LibraryPlan(
    saved_tracks=12_000, playlists=6, saved_albums=4, plays_per_day=0, history_days=0, playlist_entries=300,
    timezone=TIMEZONE,
)  # fmt: skip
STREAMS = '["profile", "playlists", "playlist_items", "saved_tracks", "saved_albums"]'
TIMEOUT_SECONDS = 130
"""Ten seconds of work: the rest is what the function keeps to save what it has."""


@pytest.fixture(name="short")
def fixture_short(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, PLAN, config={"streams": STREAMS}) as made:
        name = made.outputs["extract_function_name"]
        made.cloud.client("lambda").update_function_configuration(FunctionName=name, Timeout=TIMEOUT_SECONDS)
        yield made


def test_run_goes_on_in_further_invocations(short: World) -> None:
    short.live(0)
    assert short.errors() == []
    manifests = short.manifests()
    assert len({manifest["run_id"] for manifest in manifests}) == 1
    assert [manifest["attempt"] for manifest in manifests] == list(range(len(manifests)))
    assert len(manifests) >= 3
    reasons = [{unit["reason"] for unit in manifest["units"]} - {None, "not_owned"} for manifest in manifests]
    assert reasons == [*[{"continued"}] * (len(manifests) - 1), set()]
    # The pages, the first once more to see what came meanwhile, and where the read was cut: those of one day's load.
    served = [one for one in short.cloud.spotify.requests if one.path == "/v1/me/tracks"]
    assert 240 <= len(served) <= 240 + 2 * len(manifests)

    [[tracks, distinct]] = short.query("SELECT count(*), count(DISTINCT item_uri) FROM current_saved_tracks").rows
    assert tracks == distinct == str(len(short.library.at(short.mornings[0]).saved_tracks))
    [[status, attempts]] = short.query(
        "SELECT run_status, attempts FROM run_history WHERE stream = 'saved_tracks'"
    ).rows
    assert (status, attempts) == ("complete", str(len(manifests)))


def test_function_that_may_not_hand_over_says_so(short: World) -> None:
    short.cloud.run_until(START)
    without_permission("etl-extract", "lambda:InvokeFunction")(short)
    short.live(0)
    errors = short.errors()
    assert any(
        error.startswith("denied") and "not authorized to perform: lambda:InvokeFunction" in error for error in errors
    )
    # Lambda's two further tries are attempts of the same run, and go on with it all the same.
    assert len(short.manifests()) == 3
