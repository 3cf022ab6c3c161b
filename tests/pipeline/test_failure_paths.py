"""Every hop of the flow is retried, keeps what failed, and has an alarm; the page says how."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from pipeline.alarms import ALARMS
from scripts.architecture_graph import PAGE
from scripts.failure_paths import UncoveredHopError, hops, page_with_failures
from tests.pipeline.program import Program, run

NOT_KEPT = {"event rule crawl-failed"}
"""The report of a failed crawl is an e-mail, not work to be done again; its loss has an alarm."""


@pytest.fixture(scope="module", name="up")
def fixture_up() -> Program:
    return run()


def test_page_is_what_make_architecture_writes(up: Program) -> None:
    page = PAGE.read_text("utf-8")
    assert page == page_with_failures(page, up), "The table is stale: run `make architecture`."


def test_every_hop_is_retried_kept_and_reported(up: Program) -> None:
    found = {hop.what: hop for hop in hops(up)}
    expected = [("schedule", "Schedule"), ("event rule", "EventTarget"), ("function", "Function")]
    assert set(found) == {
        f"{kind} {name.removeprefix('spotify-etl-')}" for kind, token in expected for name in up.all(token)
    }
    names = {alarm.name for alarm in ALARMS}
    for what, hop in found.items():
        assert int(hop.retries.split()[0]) > 0, what
        assert hop.alarms, what
        assert set(hop.alarms) <= names
        assert bool(hop.kept) == (what not in NOT_KEPT), what
        assert ("dead-letters" in hop.alarms) == bool(hop.kept), what
    assert found["function transform"].alarms == (
        "function-errors",
        "throttles",
        "slow-functions",
        "old-messages",
        "dead-letters",
    )
    assert "lost-events" in found["event rule crawl-failed"].alarms
    assert "dropped-schedules" in found["schedule crawl"].alarms


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda each: each.token.endswith(":FunctionEventInvokeConfig") and each.name.endswith("extract"),
            r"spotify-etl-extract has no destination for its failures",
        ),
        (lambda each: each.token.endswith(":EventSourceMapping"), "spotify-etl-transform has no destination"),
    ],
)
def test_hop_without_a_path_for_failures_is_an_error(
    up: Program, spoil: Callable[[object], bool], message: str
) -> None:
    spoiled = copy.copy(up)
    spoiled.resources = [each for each in up.resources if not spoil(each)]
    assert len(spoiled.resources) == len(up.resources) - 1
    with pytest.raises(UncoveredHopError, match=message):
        list(hops(spoiled))


def test_queue_without_dead_letters_is_an_error(up: Program) -> None:
    spoiled = copy.deepcopy(up)
    del spoiled.one("Queue", "spotify-etl-transform").inputs["redrivePolicy"]
    with pytest.raises(UncoveredHopError, match="The queue spotify-etl-transform has no dead-letter queue"):
        list(hops(spoiled))
