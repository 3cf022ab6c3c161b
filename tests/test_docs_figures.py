"""The figures on the pages are those of the program, of its prices, or of what is installed.

The cost table is in tests/pipeline/test_costs.py, the limits of an import in tests/cli/test_import_docs.py. The
commands that the pages of benchmarks name have written them.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from cli.login import _WAIT_MINUTES
from cli.status import cost
from cli.status.gathering import _OVERDUE_HOURS
from handlers.extract.event import MAX_CONTINUATIONS
from handlers.extract.spotify.budget import RUN_REQUESTS, STREAM_REQUESTS
from handlers.login_lifetime import WARN_FROM_DAYS
from handlers.publish.handler import _DEPLOYMENT_WAITS
from handlers.streams import STREAMS
from local.output_log import LOG_BYTES
from pipeline.alarms import ALARMS
from pipeline.queues import _RETENTION_SECONDS
from tests.cli.report.test_report import MOST_BYTES
from tests.docs_commands import ROOT

_TIMES = re.compile(r"\b(?:\d+|two|three|four|five|some) (?:second|minute)s?\b|\ba minute\b|half an hour")
"""How long something takes on a machine."""
ALARM = {alarm.name: alarm for alarm in ALARMS}
WORDS = {4: "four", 10: "ten"}


def words_of(page: str) -> str:
    return " ".join((ROOT / page).read_text("utf-8").split())


def dollars(amount: float) -> str:
    return f"{amount:.5f}".rstrip("0").rstrip(".")


FIGURES = (
    ("docs/deploy.md", f"for at most {WORDS[_WAIT_MINUTES]} minutes, the command listens"),
    ("docs/deploy.md", f"{dollars(cost.TB_SCANNED)} dollars per TB"),
    ("docs/deploy.md", f"at least {cost.QUERY_MINIMUM_BYTES / 1e6:.0f} MB"),
    ("docs/deploy.md", f"which is {dollars(cost.QUERY_MINIMUM_BYTES / 1e12 * cost.TB_SCANNED)} dollars"),
    ("docs/deploy.md", f"A crawl is billed for at least {WORDS[round(cost.CRAWL_MINIMUM_HOURS * 60)]} minutes"),
    ("docs/deploy.md", f"dead-letter queues for {_RETENTION_SECONDS / 86_400:.0f} days"),
    ("docs/deploy.md", f"at most {MAX_CONTINUATIONS} times"),
    ("docs/deploy.md", f"({RUN_REQUESTS:,}, of which {STREAM_REQUESTS:,} for one stream: "),
    ("docs/deploy.md", f"{STREAM_REQUESTS:,} pages of {STREAMS['saved_tracks'].page_size} are "),
    ("docs/deploy.md", f" are {STREAM_REQUESTS * (STREAMS['saved_tracks'].page_size or 0):,} saved tracks"),
    ("docs/deploy.md", f"from day {WARN_FROM_DAYS} on"),
    ("docs/operating.md", f"for {_OVERDUE_HOURS['hourly']} hours (hourly) or {_OVERDUE_HOURS['daily']} hours (daily)"),
    ("docs/operating.md", f"A crawl is billed for {WORDS[round(cost.CRAWL_MINIMUM_HOURS * 60)]} minutes at least"),
    ("docs/local-cloud.md", f"at least its last {LOG_BYTES / 1e6:.0f} MB"),
    ("docs/decisions.md", f"waits up to {sum(_DEPLOYMENT_WAITS)} seconds for permissions"),
    ("docs/decisions.md", f"and in the tests never more than {WORDS[MOST_BYTES // 1_000_000]}"),
    ("docs/runbook.md", f"more than {ALARM['slow-functions'].threshold * 100:.0f} % of its timeout"),
    ("docs/runbook.md", f"No daily run was complete in the last {ALARM['no-good-run'].periods} hours"),
    ("docs/runbook.md", f"More than {ALARM['rejected-records'].threshold:.0f} % of a day's records"),
    ("docs/runbook.md", f"more than {ALARM['bytes-scanned'].threshold / 1e9:.0f} GB in a day, about one dollar"),
    ("docs/runbook.md", f"dead letters expire after {_RETENTION_SECONDS / 86_400:.0f} days"),
)
"""Page and a part of it, with the values of the program."""


@pytest.mark.parametrize(("page", "part"), FIGURES)
def test_a_figure_is_the_programs(page: str, part: str) -> None:
    assert part in words_of(page)


def test_what_is_about_a_dollar_is() -> None:
    assert ALARM["bytes-scanned"].threshold / 1e12 * cost.TB_SCANNED == 1


def test_nothing_on_the_front_page_promises_a_time() -> None:
    """Times depend on the machine and the network; the commands print what they took."""
    assert _TIMES.findall(words_of("README.md")) == ["some minutes"]


@pytest.mark.slow
def test_the_packages_fit_into_the_disk_space_that_the_front_page_names() -> None:
    [named] = re.findall(r"`make` and ([\d.]+) GB of disk", words_of("README.md"))
    sizes = [os.lstat(Path(parent, name)).st_blocks for parent, _, names in os.walk(sys.prefix) for name in names]
    assert 0.7 * float(named) * 1e9 < 512 * sum(sizes) < float(named) * 1e9
