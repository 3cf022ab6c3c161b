"""What one run leaves for the next: small JSON objects, changed by conditional writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from handlers.extract import times
from handlers.extract.logs import logger
from handlers.extract.storage import Bucket, ConflictError

_TRIES = 10

Content = dict[str, Any]


class StateError(Exception):
    """State that others keep changing."""


class LeftToAnotherError(Exception):
    """Another run has gone on with the same read, which is left to it; the message is the unit's reason."""

    def __init__(self) -> None:
        super().__init__("Another run reads the same at this moment: it was left to that one.")


class StateFile:
    """One state object, loaded when it is first asked for."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._loaded = False
        self._content: Content = {}
        self._etag: str | None = None

    @property
    def content(self) -> Content:
        """What the object holds; empty where there is none or it is unreadable."""
        if not self._loaded:
            self._load()
        return self._content

    def update(self, change: Callable[[Content], Content]) -> None:
        """Replace the content by what `change` makes of it; called again on what another run has written meanwhile.

        Raises:
            StateError: others were first each time.
        """
        for _ in range(_TRIES):
            new = change(self.content)
            if new == self._content:
                return
            try:
                body = json.dumps(new, sort_keys=True).encode()
                self._etag = self._bucket.replace(self._key, body, "application/json", self._etag)
            except ConflictError:
                self._load()
            else:
                self._content = new
                return
        raise StateError(f"Other runs keep changing {self._key}: the next run reads again what it does not hold.")

    def _load(self) -> None:
        self._loaded = True
        self._content, self._etag = {}, None
        stored = self._bucket.get(self._key)
        if stored is None:
            return
        body, self._etag = stored
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if isinstance(content, dict):
            self._content = content
        else:
            logger.warning("State is unreadable: all is read as for the first time.", extra={"key": self._key})


class Slot:
    """The part of a state object that belongs to one unit.

    Args:
        state: the object.
        path: names that lead to the part; without any it is the whole.
        tidy: is applied to the whole content with every change.
    """

    def __init__(self, state: StateFile, *path: str, tidy: Callable[[Content], Content] = lambda whole: whole) -> None:
        self._state = state
        self._path = path
        self._tidy = tidy

    @property
    def content(self) -> Content:
        """What the part holds; empty where there is none or it is no object."""
        part: object = self._state.content
        for name in self._path:
            part = part.get(name) if isinstance(part, dict) else None
        return part if isinstance(part, dict) else {}

    def update(self, change: Callable[[Content], Content]) -> None:
        """Replace the part as `StateFile.update` replaces the whole; raises as that and as `change` do."""
        self._state.update(lambda whole: self._tidy(_changed(whole, self._path, change)))


def _changed(whole: object, path: tuple[str, ...], change: Callable[[Content], Content]) -> Content:
    content = whole if isinstance(whole, dict) else {}
    if not path:
        return change(content)
    return {**content, path[0]: _changed(content.get(path[0]), path[1:], change)}


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
            and times.parsed(content.get("begun_at"))
            and times.parsed(content.get("extracted_at"))
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


def newer(content: object, read: CompleteRead) -> bool:
    """Whether a read that state holds ended after this one."""
    held = CompleteRead.parse(content)
    return held is not None and held.extracted > read.extracted


def _moment(text: str) -> datetime:
    moment = times.parsed(text)
    if moment is None:
        raise ValueError(f"{text!r} is no time")
    return moment
