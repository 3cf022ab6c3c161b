"""State: small JSON objects that one run leaves for the next, changed by conditional writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from handlers.raw.bucket import Bucket, ConflictError

_TRIES = 10

Content = dict[str, Any]


class StateError(Exception):
    """State that others keep changing."""


class StateFile:
    """One state object, loaded when it is first asked for.

    Args:
        bucket: the raw bucket.
        key: where the object lies.
        unreadable: is told the key where no JSON object lies there; it counts as empty.
    """

    def __init__(self, bucket: Bucket, key: str, unreadable: Callable[[str], None] = lambda _: None) -> None:
        self._bucket = bucket
        self._key = key
        self._unreadable = unreadable
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
            self._unreadable(self._key)


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
