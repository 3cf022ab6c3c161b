"""What the extractor keeps in state: of each stream or unit the last complete read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from handlers.extract import times
from handlers.extract.logs import LOG
from handlers.raw.bucket import RawBucket
from handlers.raw.state import Content, StateFile


class ConcurrentReadError(Exception):
    """Another run has gone on with the same read, which is left to it; the message is the unit's reason."""

    def __init__(self) -> None:
        super().__init__("Another run reads the same at this moment: it was left to that one.")


def open_state(bucket: RawBucket, key: str) -> StateFile:
    """A state object; the log says where one is unreadable."""
    return StateFile(bucket, key, _warn)


@dataclass(frozen=True)
class CompleteRead:
    """A finished pass over a stream or a playlist, as state keeps it and `unchanged` units repeat it."""

    read_id: str
    mode: str
    """`full` or `incremental`."""
    keys: tuple[str, ...]
    records: int
    begun_at: str
    extracted_at: str
    """When it ended."""

    def content(self) -> Content:
        """The form in which state holds it."""
        return {**asdict(self), "keys": list(self.keys)}

    @classmethod
    def parse(cls, content: object) -> CompleteRead | None:
        """What state holds; None where it is something else, so that all is read again."""
        if not isinstance(content, dict):
            return None
        read_id, mode, keys, records = (content.get(name) for name in ("read_id", "mode", "keys", "records"))
        if not (
            isinstance(read_id, str)
            and mode in ("full", "incremental")
            and isinstance(keys, list)
            and all(isinstance(key, str) for key in keys)
            and type(records) is int
            and times.parse(content.get("begun_at"))
            and times.parse(content.get("extracted_at"))
        ):
            return None
        return cls(read_id, mode, tuple(keys), records, content["begun_at"], content["extracted_at"])

    @property
    def begun(self) -> datetime:
        """When its first record was read."""
        return _moment(self.begun_at)

    @property
    def extracted(self) -> datetime:
        """When it ended."""
        return _moment(self.extracted_at)


def is_superseded(content: object, read: CompleteRead) -> bool:
    """Whether a read that state holds ended after this one."""
    held = CompleteRead.parse(content)
    return held is not None and held.extracted > read.extracted


def _moment(text: str) -> datetime:
    moment = times.parse(text)
    if moment is None:
        raise ValueError(f"{text!r} is no time")
    return moment


def _warn(key: str) -> None:
    LOG.warning("State is unreadable: all is read as for the first time.", extra={"key": key})
