"""The cost table in docs/deploy.md follows from the prices that `spotify-etl status` uses."""

from __future__ import annotations

import re

from cli.status import cost
from pipeline.alarms import ALARMS
from tests.pipeline.program import ROOT

OWN_METRICS = len({metric.name for alarm in ALARMS for metric in alarm.metrics if not metric.namespace})


def rows() -> dict[str, float]:
    table = re.findall(
        r"^\| ([^|]+) \| [^|]+ \| (?:up to )?([\d.]+) \|$", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE
    )
    return {what.strip("* "): float(dollars) for what, dollars in table}


def test_the_cost_table_is_computed() -> None:
    # A crawl is billed for ten minutes, with at most two DPU for a lake of this size.
    crawler = 30 * cost.CRAWL_MINIMUM_HOURS * 2 * cost.DPU_HOUR
    alarms = sum(len(alarm.metrics) for alarm in ALARMS) * cost.ALARM_METRIC_MONTH
    # 744 runs of ten seconds and their transforms, 512 MB and 1 GB.
    functions = 744 * (10 * 0.5 + 5 * 1.0) * cost.GB_SECOND["arm64"] + 3 * 744 * cost.INVOCATION
    # A compaction a day of half a minute, 1 GB.
    functions += 30 * (30 * 1.0 * cost.GB_SECOND["arm64"] + cost.INVOCATION)
    expected = {
        "Glue crawler": crawler,
        "alarms": alarms,
        "metrics": OWN_METRICS * cost.METRIC_MONTH,
        "secret": cost.SECRET_MONTH,
        # test_dashboard.py counts its metrics.
        "dashboard": 0.0,
        "functions": functions,
    }
    found = rows()
    for what, dollars in expected.items():
        assert found[what] == round(dollars, 2), what
    assert found["together"] == round(sum(expected.values()) + found["storage, logs, requests, queries"], 2)


def test_the_pages_say_the_same_in_words() -> None:
    assert (round(rows()["together"]), len(ALARMS)) == (12, 16)
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    page = " ".join((ROOT / "docs/deploy.md").read_text("utf-8").split())
    assert "for about twelve dollars a month at most" in readme
    assert "Sixteen alarms watch every step" in page
    assert "They cost up to four dollars a month" in page
    assert rows()["alarms"] <= 4
    assert "which is the [largest part of the bill]" in " ".join(
        (ROOT / "docs/decisions.md").read_text("utf-8").split()
    )
    assert max((dollars, what) for what, dollars in rows().items() if what != "together")[1] == "Glue crawler"


def test_an_acceptance_run_costs_less_than_a_dollar() -> None:
    crawl = cost.CRAWL_MINIMUM_HOURS * 2 * cost.DPU_HOUR
    # What is billed by the month is billed by the hour; AWS may need a day to notice that it is gone.
    day = sum(rows()[what] for what in ("alarms", "metrics", "secret", "functions")) / 30
    queries = 2 * len(list((ROOT / "queries").rglob("*.sql"))) * cost.QUERY_MINIMUM_BYTES / 1e12 * cost.TB_SCANNED
    assert crawl + day + queries < 1
    for page in ("README.md", "Makefile"):
        assert re.search("costs (less than a|under a) dollar", " ".join((ROOT / page).read_text("utf-8").split()))
