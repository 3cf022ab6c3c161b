"""The problems in a status, each as one sentence with what to do."""

from __future__ import annotations

from cli.presentation import pluralize
from cli.status.parts import RUN_DAYS, PipelineStatus
from cli.text import quoted

_DEAD_LETTERS = {
    "extract": "runs were lost; see `spotify-etl logs --function extract`, run `spotify-etl extract`, then "
    "`spotify-etl replay --dead-letters`.",
    "transform": "see `spotify-etl logs --function transform`, then run `spotify-etl replay --dead-letters`.",
    "crawl": "the crawler did not start; run `spotify-etl crawl`, then `spotify-etl replay --dead-letters`.",
    "publish": "the views may be old; see `spotify-etl logs --function publish`, run `spotify-etl crawl`, then "
    "`spotify-etl replay --dead-letters`.",
    "compact": "queries are right, but slower; run `spotify-etl compact`, then `spotify-etl replay --dead-letters`.",
}


def problems(status: PipelineStatus) -> list[str]:
    """Return a sentence for each problem; none if the pipeline is healthy."""
    found = [*_login(status), *_streams(status)]
    found += [f"The alarm {alarm.name} is on: {quoted(alarm.description).rstrip('.')}." for alarm in status.alarms]
    for step, advice in _DEAD_LETTERS.items():
        if count := status.queue.dead_letters.get(step, 0):
            found.append(f"{pluralize(count, 'dead letter')} of {step}: {advice}")
    if not status.queue.consumed:
        found.append("The transform function does not read its queue: run `pulumi up`.")
    if status.crawl.state == "failed":
        why = quoted(status.crawl.error or "AWS gives no reason").rstrip(".")
        found.append(f"The last crawl failed ({why}): run `spotify-etl crawl`.")
    if status.crawl.deprecated_tables:
        found.append(
            f"The crawler has marked {', '.join(status.crawl.deprecated_tables)} as deprecated, so new partitions are "
            "missing: delete the table in Glue and run `spotify-etl crawl`, which creates it again."
        )
    return found


def _login(status: PipelineStatus) -> list[str]:
    login = status.login
    match login.state:
        case "missing":
            return ["Nobody has logged in to Spotify: run `spotify-etl login`."]
        case "unreadable":
            return ["The secret is not what `spotify-etl login` writes: run `spotify-etl login`."]
        case "expired":
            return [f"The login ended on {login.ends_on}: run `spotify-etl login`."]
        case "expires_soon":
            return [f"The login ends on {login.ends_on}: run `spotify-etl login` before that."]
    return []


def _streams(status: PipelineStatus) -> list[str]:
    if status.login.state in ("missing", "unreadable", "expired"):
        return []
    overdue = [stream for stream in status.streams if stream.overdue]
    found = []
    for reason in dict.fromkeys(stream.last_reason for stream in overdue):
        group = [stream for stream in overdue if stream.last_reason == reason]
        names = ", ".join(stream.stream for stream in group)
        ages = [stream.age_hours for stream in group if stream.age_hours is not None]
        since = f"for {max(ages):.0f} hours" if len(ages) == len(group) else f"in the last {RUN_DAYS} days"
        because = f" ({quoted(reason).rstrip('.')})" if reason else ""
        found.append(f"{names}: not read completely {since}{because}; run `spotify-etl extract`.")
    return found
