"""Prints the status for people, or as JSON."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import datetime

from rich.console import Console

from cli.errors import CommandError
from cli.presentation import pluralize, print_line, print_tables, table, write_line
from cli.status.gathering import gather_status
from cli.status.parts import COMPACTION_DAYS, RUN_DAYS, LoginStatus, PipelineStatus
from cli.targets import Target

_BULLET = "  • "


def show_status(target: Target, *, as_json: bool, console: Console) -> None:
    """Print the status.

    Args:
        target: the pipeline.
        as_json: whether to print JSON.
        console: where to print for people.

    Raises:
        CommandError: the pipeline is not healthy, or AWS refused a request.
    """
    target.announce(Console(stderr=True) if as_json else console)
    status = gather_status(target)
    if as_json:
        for line in json.dumps(dataclasses.asdict(status), indent=2, ensure_ascii=False).splitlines():
            write_line(sys.stdout, line)
    else:
        _print(status, console)
    if not status.healthy:
        count = len(status.problems)
        raise CommandError(f"The pipeline is not healthy: it has {pluralize(count, 'problem')}.")


def _print(status: PipelineStatus, console: Console) -> None:
    print_line(console, f"Status at {_time(status.at)} UTC: ", _verdict(status))
    for problem in status.problems:
        print_line(console, (_BULLET, "bold red"), problem)
    print_line(console)
    if status.runs:
        rows = [(run.run_id, run.status, run.requests, run.records, run.reason or "") for run in status.runs]
        columns = ("run", "status", "requests", "records", "reason")
        print_tables(console, table(f"Last runs, of {RUN_DAYS} days", columns, rows))
    else:
        print_line(console, f"There was no run in the last {RUN_DAYS} days: `spotify-etl extract` starts one.")
    print_tables(
        console, table("Streams", ("stream", "last read (UTC)", "hours", "status", "reason"), _streams(status))
    )
    for name, text in _lines(status):
        print_line(console, (f"{name:<10}", "bold"), text)


def _streams(status: PipelineStatus) -> list[tuple[object, ...]]:
    return [
        (
            stream.stream,
            _time(stream.last_good_at) or "-",
            stream.age_hours,
            stream.last_status,
            stream.last_reason or "",
        )
        for stream in status.streams
    ]


def _verdict(status: PipelineStatus) -> tuple[str, str]:
    if status.healthy:
        return "healthy", "bold green"
    return pluralize(len(status.problems), "problem"), "bold red"


def _lines(status: PipelineStatus) -> list[tuple[str, str]]:
    letters = {step: count for step, count in status.queue.dead_letters.items() if count}
    dead = ", ".join(f"{count} of {step}" for step, count in letters.items()) or "none"
    lines = [
        ("Login", _login(status.login)),
        ("Locks", "; ".join(f"{lock.group} until {_time(lock.until)} UTC" for lock in status.locks) or "none"),
        ("Queue", f"{status.queue.waiting} waiting, {status.queue.in_flight} in flight; dead letters: {dead}"),
        ("Alarms", ", ".join(alarm.name for alarm in status.alarms) or "none is on"),
        ("Schedules", _schedules(status)),
        ("Rejected", _rejected(status)),
        ("Crawl", _crawl(status)),
        ("Compact", _compaction(status)),
    ]
    if cost := status.cost:
        items = ", ".join(f"{item.what} ${item.usd:.2f} ({item.usage})" for item in cost.items if item.usd >= 0.005)
        lines.append(("Cost", f"about ${cost.usd:.2f} in {cost.month} so far{f': {items}' if items else ''}"))
        lines.append(("", f"({cost.assumptions})"))
    else:
        lines.append(("Cost", "none: this cloud runs on your machine"))
    return lines


def _login(login: LoginStatus) -> str:
    match login.state:
        case "missing":
            return "none"
        case "unreadable":
            return "unreadable"
        case "unknown":
            return "of unknown age: log in again to have its end shown"
    if login.ends_on is None:
        return "the app's own; it does not end"
    verb = "ended" if login.state == "expired" else "ends"
    return f"{pluralize(login.age_days or 0, 'day')} old, {verb} on {login.ends_on}"


def _schedules(status: PipelineStatus) -> str:
    if not status.schedules:
        return "none"
    shown = [
        f"{one.starts} {one.expression} {one.timezone}{'' if one.enabled else ' (off)'}" for one in status.schedules
    ]
    return "; ".join(shown)


def _rejected(status: PipelineStatus) -> str:
    if status.rejected.records is None:
        return f"not known: {status.rejected.unknown_because}"
    records = status.rejected.records
    what = ", ".join(f"{count:,} {reason}" for reason, count in records.items())
    total = pluralize(sum(records.values()), "record")
    details = f" ({what}); `spotify-etl query rejected_records_by_reason`" if what else ""
    return f"{total} in {status.rejected.days} days{details}"


def _crawl(status: PipelineStatus) -> str:
    crawl = status.crawl
    if crawl.state == "never":
        return "none so far"
    when = f" at {_time(crawl.started_at)} UTC" if crawl.started_at else ""
    hours = f", {crawl.dpu_hours:.2f} DPU hours" if crawl.dpu_hours is not None else ""
    return f"{crawl.state}{when}{hours}"


def _compaction(status: PipelineStatus) -> str:
    last = status.compaction
    if last.at is None:
        return f"none in the last {COMPACTION_DAYS} days"
    parts = [f"{pluralize(last.partitions, 'partition')} at {_time(last.at)} UTC"]
    if last.waiting:
        parts.append(f"{last.waiting:,} with originals that wait for an hour")
    if last.left_alone:
        parts.append(f"{pluralize(last.left_alone, 'object')} left alone")
    if not last.complete:
        parts.append("not complete; `spotify-etl compact` goes on")
    return ", ".join(parts)


def _time(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}" if text else ""
