"""The manifest of an invocation: the status and the reason that follow from its units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handlers import layout
from handlers.extract import times
from handlers.extract.event import Event
from handlers.extract.reads.unit_log import Unit, UnitLog
from handlers.extract.spotify.errors import ForbiddenError, UnavailableError
from handlers.raw.bucket import KeyTakenError, RawBucket
from handlers.raw.manifest import CONTINUED, RunStatus, put_manifest, summarize_reasons

FORBIDDEN_CHECKLIST = (
    "Spotify refuses every request (403): check that the app's owner has Premium, that the user is on the app's "
    "allowlist in Spotify's dashboard, and that every permission was granted in `spotify-etl login`."
)

_ATTEMPTS = 1000
"""As many as three digits can number, from 0."""


class AttemptsError(Exception):
    """The run has no attempt numbers left."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an invocation did."""

    event: Event
    started_at: datetime
    finished_at: datetime
    account_id: str | None
    units: tuple[Unit, ...]

    @classmethod
    def of(cls, event: Event, unit_log: UnitLog, started_at: datetime) -> Manifest:
        """Return the manifest of an invocation that ends now."""
        return cls(
            event=event,
            started_at=started_at,
            finished_at=times.now(),
            account_id=unit_log.account_id,
            units=tuple(unit_log.units),
        )

    @property
    def status(self) -> RunStatus:
        """`skipped` or `failed` if every unit is, `partial` if any is failed or partial, else `complete`."""
        statuses = {unit.status for unit in self.units}
        if statuses <= {"skipped"}:
            return "skipped"
        if statuses == {"failed"}:
            return "failed"
        return "partial" if statuses & {"failed", "partial"} else "complete"

    @property
    def reason(self) -> str | None:
        """Why the run is not complete: a sentence, or the code that its units share."""
        if self.status == "complete":
            return None
        if not self.units:
            return "nothing_due"
        incomplete = [unit for unit in self.units if unit.status in {"failed", "partial"}]
        if self.status == "failed" and all(isinstance(unit.error, ForbiddenError) for unit in incomplete):
            reasons = {unit.reason for unit in incomplete}
            specific = len(reasons) == 1 and len(incomplete) > 1 and "Premium" in str(incomplete[0].reason)
            return incomplete[0].reason if specific else FORBIDDEN_CHECKLIST
        return summarize_reasons(incomplete or self.units, len(self.units))

    @property
    def is_continued(self) -> bool:
        """Whether another invocation of the run has work left."""
        return any(unit.reason == CONTINUED for unit in self.units)

    @property
    def is_retryable(self) -> bool:
        """Whether every unit failed with a transient error, so that a retry of the run makes sense."""
        return self.status == "failed" and all(isinstance(unit.error, UnavailableError) for unit in self.units)

    def write(self, bucket: RawBucket) -> layout.ManifestKey:
        """Store the manifest under the run's first free attempt number and return its key.

        Raises:
            AttemptsError: all numbers are taken.
        """
        for attempt in range(_ATTEMPTS):
            key = layout.ManifestKey(self.event.run_id, attempt)
            try:
                put_manifest(
                    bucket,
                    key,
                    self.units,
                    trigger=self.event.trigger,
                    scheduled_at=self.event.scheduled_at,
                    started_at=self.started_at,
                    finished_at=self.finished_at,
                    account_id=self.account_id,
                    status=self.status,
                    reason=self.reason,
                )
            except KeyTakenError:
                continue
            return key
        raise AttemptsError(
            f"The run {self.event.run_id} has already been attempted {_ATTEMPTS} times: start a new run."
        )
