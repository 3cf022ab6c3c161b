"""The dashboard: CloudWatch accepts its form, and every metric that it shows exists."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.dashboard import STAGES
from tests.pipeline.program import ROOT, Program, run

AWS_METRICS = {
    "AWS/Athena": {"ProcessedBytes", "TotalExecutionTime"},
    "AWS/Events": {"FailedInvocations", "Invocations"},
    "AWS/Lambda": {"Duration", "Errors", "Invocations"},
    "AWS/SQS": {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
    "AWS/Scheduler": {"InvocationDroppedCount", "TargetErrorCount"},
}
"""From the pages that pipeline/metrics.py names."""


@pytest.fixture(scope="module", name="up")
def fixture_up() -> Program:
    return run()


def widgets(program: Program) -> list[dict[str, Any]]:
    inputs = program.one("Dashboard", "spotify-etl").inputs
    assert inputs["dashboardName"] == "spotify-etl-dev"
    found: list[dict[str, Any]] = json.loads(inputs["dashboardBody"])["widgets"]
    return found


def own_metrics() -> Iterator[str]:
    """Yield every text of the functions' code, among them the names of their metrics."""
    for file in sorted(Path(ROOT / "handlers").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_cloudwatch_accepts_its_form(up: Program) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    taken: set[tuple[int, int]] = set()
    for widget in widgets(up):
        assert widget.keys() == {"type", "x", "y", "width", "height", "properties"}
        assert 1 <= widget["width"] <= 24
        assert widget["x"] + widget["width"] <= 24
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken, "they overlap"
        taken |= cells
        properties = widget["properties"]
        if widget["type"] == "metric":
            assert properties.keys() == {"title", "region", "view", "period", "metrics"}
            for namespace, name, *dimensions, options in properties["metrics"]:
                assert len(dimensions) % 2 == 0
                assert all(isinstance(text, str) and text for text in (namespace, name, *dimensions))
                assert options == {"stat": options["stat"]}
                assert options["stat"] in ("Sum", "Maximum")


def test_every_stage_has_a_row_and_every_alarm_is_on_top(up: Program) -> None:
    alarms, *charts = widgets(up)
    assert alarms["type"] == "alarm"
    assert len(alarms["properties"]["alarms"]) == len(up.all("MetricAlarm"))
    rows = dict.fromkeys(chart["properties"]["title"].split(":")[0] for chart in charts)
    titles = ["Extract", "Transform", "Catalog", "Compact", "Queries", "Failures"]
    assert list(rows) == [stage.title for stage in STAGES] == titles


def test_every_metric_exists(up: Program) -> None:
    shown = {(metric[0], metric[1]) for chart in widgets(up)[1:] for metric in chart["properties"]["metrics"]}
    own = {name for namespace, name in shown if namespace == "SpotifyEtl/dev"}
    assert {"GoodDailyRuns", "TokenAgeDays", "RejectedRecords"} <= own <= set(own_metrics())
    others = {(namespace, name) for namespace, name in shown if namespace != "SpotifyEtl/dev"}
    assert others == {(namespace, name) for namespace, names in AWS_METRICS.items() for name in names}


def test_it_is_within_the_three_that_are_free(up: Program) -> None:
    # https://aws.amazon.com/cloudwatch/pricing/: three dashboards of up to fifty metrics.
    assert len(up.all("Dashboard")) == 1
    assert sum(len(chart["properties"]["metrics"]) for chart in widgets(up)[1:]) <= 50
