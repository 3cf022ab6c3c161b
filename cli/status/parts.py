"""What `status` shows: one class a subject. `spotify-etl status --json` prints their fields, so names are stable."""

from __future__ import annotations

from dataclasses import dataclass, field

RUN_DAYS = 8
"""How far back runs are looked at."""
COMPACTION_DAYS = 2
"""How far back compactions are looked at."""


@dataclass(frozen=True, kw_only=True)
class LastRun:
    """The newest run of one trigger."""

    trigger: str
    run_id: str
    status: str
    reason: str | None
    finished_at: str
    requests: int
    records: int


@dataclass(frozen=True, kw_only=True)
class StreamFreshness:
    """When a stream was last read completely."""

    stream: str
    schedule: str
    """`hourly` or `daily`."""
    last_good_at: str | None
    """End of the last run that read all of it; None if there is none among the runs of the last days."""
    age_hours: float | None
    last_status: str | None
    last_reason: str | None
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class LoginStatus:
    """The login in the stack's secret."""

    state: str
    """`ok`, `expires_soon`, `expired`, `missing`, `unreadable`; `unknown` if the secret does not say when it began."""
    authorized_at: str | None = None
    age_days: int | None = None
    ends_on: str | None = None
    """Date on which the login ends; None if it does not end, or nobody knows."""


@dataclass(frozen=True, kw_only=True)
class QueueStatus:
    """What waits in the queues."""

    waiting: int
    in_flight: int
    consumed: bool
    """Whether the transform function reads the queue."""
    dead_letters: dict[str, int]
    """Number of messages by step: extract, transform, crawl, publish, compact."""


@dataclass(frozen=True, kw_only=True)
class ScheduleStatus:
    """One of the stack's schedules."""

    starts: str
    """`daily run`, `hourly run`, `crawl`, `publish`, `compact`, or `deletion` of what a compaction has replaced."""
    enabled: bool
    expression: str
    timezone: str


@dataclass(frozen=True, kw_only=True)
class LockStatus:
    """A quota group that Spotify has locked."""

    group: str
    until: str


@dataclass(frozen=True, kw_only=True)
class AlarmStatus:
    """An alarm that is on."""

    name: str
    """As the runbook names it, such as `dead-letters`."""
    description: str
    """What it means, and where the runbook says what to do."""
    since: str | None


@dataclass(frozen=True, kw_only=True)
class RejectedStatus:
    """Records of the last days that could not become a row."""

    days: int
    records: dict[str, int] | None
    """Number by reason; None if it is not known."""
    unknown_because: str | None = None


@dataclass(frozen=True, kw_only=True)
class CrawlStatus:
    """The last crawl, and the tables that crawls have marked as deprecated."""

    state: str
    """`never`, `running`, `succeeded`, `failed` or `cancelled`."""
    started_at: str | None = None
    error: str | None = None
    dpu_hours: float | None = None
    deprecated_tables: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class CompactionStatus:
    """The last compaction, as its function logged it."""

    at: str | None = None
    """When it ended; None if there was none in the last days."""
    complete: bool = True
    """Whether it reached every partition, and none failed."""
    partitions: int = 0
    """How many were compacted."""
    waiting: int = 0
    """How many partitions have originals that wait to be deleted."""
    left_alone: int = 0
    """How many objects it could not fold."""


@dataclass(frozen=True, kw_only=True)
class CostItem:
    """One line of the estimate."""

    what: str
    usage: str
    usd: float


@dataclass(frozen=True, kw_only=True)
class CostStatus:
    """An estimate of this month's cost so far, at list prices."""

    month: str
    """`YYYY-MM`, in UTC."""
    usd: float
    items: list[CostItem]
    assumptions: str


@dataclass(frozen=True, kw_only=True)
class PipelineStatus:
    """Everything that `status` shows."""

    target: str
    at: str
    healthy: bool
    problems: list[str]
    """Each is a sentence that says what to do."""
    runs: list[LastRun]
    streams: list[StreamFreshness]
    schedules: list[ScheduleStatus]
    queue: QueueStatus
    login: LoginStatus
    locks: list[LockStatus]
    alarms: list[AlarmStatus]
    rejected: RejectedStatus
    crawl: CrawlStatus
    compaction: CompactionStatus
    cost: CostStatus | None
    """None for the local cloud, which costs nothing."""
