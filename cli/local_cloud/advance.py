"""`spotify-etl local advance`: lets simulated time pass in the cloud that is running."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console

from cli.local_cloud.running import answers, running_cloud
from cli.local_cloud.step_lines import from_json, step_line, summary
from cli.presentation import print_line
from local.steps import Step


def advance(span: timedelta, console: Console) -> None:
    """Let simulated time pass, print every step, and at last what happened.

    Raises:
        CommandError: no local cloud is running, or it ended meanwhile.
    """
    running = running_cloud()
    (state,) = answers(running, "status")
    zone, steps, now = ZoneInfo(state["timezone"]), list[Step](), state["now"]
    # A run of a function may take minutes.
    for news in answers(running, "advance", seconds=None, span=span.total_seconds()):
        if "step" in news:
            steps.append(from_json(news["step"]))
            print_line(console, *step_line(steps[-1], zone))
        now = news.get("now", now)
    print_line(console, time_line(datetime.fromisoformat(now), zone, steps))


def time_line(now: datetime, zone: ZoneInfo, steps: list[Step]) -> str:
    """Return the sentence that ends the passing of time."""
    return f"It is {now.astimezone(zone):%a %d %b %Y %H:%M} in the local cloud: {summary(steps)}."
