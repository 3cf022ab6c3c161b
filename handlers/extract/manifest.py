"""The manifest of a run in the making: what its units together say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handlers import layout
from handlers.extract import times
from handlers.extract.event import Event
from handlers.extract.reads.unit_log import CONTINUED, Unit, UnitLog
from handlers.extract.spotify.errors import ForbiddenError, UnavailableError
from handlers.raw.bucket import KeyTakenError, RawBucket
from handlers.raw.manifest import RunStatus, put_manifest, summarize_reasons

FORBIDDEN_CHECKLIST = (
    "Spotify refuses everything (403): check that the owner of the app has Premium, that the user is on the app's "
    "allow-list in Spotify's dashboard, and that `spotify-etl login` was given every consent it asked for."
)

_ATTEMPTS = 1000
"""What three digits number, from 0."""


class AttemptsError(Exception):
    """A run that was tried more often than its manifests can be numbered."""


@dataclass(frozen=True)
class Manifest:
    """What a run did, as far as it came."""

    event: Event
    started_at: datetime
    finished_at: datetime
    account_id: str | None
    units: tuple[Unit, ...]

    @classmethod
    def of(cls, event: Event, unit_log: UnitLog, started_at: datetime) -> Manifest:
        """The manifest of a run that ends now."""
        return cls(event, started_at, times.now(), unit_log.account_id, tuple(unit_log.units))

    @property
    def status(self) -> RunStatus:
        """`skipped` if every unit was, `failed` if all failed, `partial` if anything is missing, else `complete`."""
        statuses = {unit.status for unit in self.units}
        if statuses <= {"skipped"}:
            return "skipped"
        if statuses == {"failed"}:
            return "failed"
        return "partial" if statuses & {"failed", "partial"} else "complete"

    @property
    def reason(self) -> str | None:
        """Why the run is not complete, in a sentence or the one word of its units."""
        if self.status == "complete":
            return None
        if not self.units:
            return "nothing_due"
        lacking = [unit for unit in self.units if unit.status in {"failed", "partial"}]
        if lacking and self.status == "failed" and all(isinstance(unit.error, ForbiddenError) for unit in lacking):
            reasons = {unit.reason for unit in lacking}
            specific = len(reasons) == 1 and len(lacking) > 1 and "Premium" in str(lacking[0].reason)
            return lacking[0].reason if specific else FORBIDDEN_CHECKLIST
        return summarize_reasons(lacking or self.units, len(self.units))

    @property
    def continued(self) -> bool:
        """Whether something is left for another invocation of the run."""
        return any(unit.reason == CONTINUED for unit in self.units)

    @property
    def is_retryable(self) -> bool:
        """Whether all failed for what passes by itself, so that a retry of the run is worth its while."""
        return self.status == "failed" and all(isinstance(unit.error, UnavailableError) for unit in self.units)

    def write(self, bucket: RawBucket) -> layout.ManifestKey:
        """Put the manifest under the run's first free attempt number.

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
        raise AttemptsError(f"The run {self.event.run_id} was tried {_ATTEMPTS} times already.")
