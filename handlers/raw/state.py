"""State: small JSON objects that one run leaves for the next, updated by conditional writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from handlers.raw.bucket import ConflictError, RawBucket

_TRIES = 10

Content = dict[str, Any]


class StateError(Exception):
    """Other runs keep changing the state."""


class StateFile:
    """A state object, loaded on first use.

    Args:
        bucket: the raw bucket.
        key: key of the object.
        on_unreadable: called with the key if the content is not a JSON object; it then counts as empty.
    """

    def __init__(self, bucket: RawBucket, key: str, on_unreadable: Callable[[str], None] = lambda _: None) -> None:
        self._bucket = bucket
        self._key = key
        self._on_unreadable = on_unreadable
        self._loaded = False
        self._content: Content = {}
        self._etag: str | None = None

    @property
    def content(self) -> Content:
        """The stored content; empty if the object is missing or unreadable."""
        if not self._loaded:
            self._load()
        return self._content

    def update(self, change: Callable[[Content], Content]) -> None:
        """Apply `change` to the content and store the result; repeat on newer content if another run was first.

        Raises:
            StateError: other runs were first every time.
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
        raise StateError(f"Other runs keep changing {self._key}: the next run reads again what is missing there.")

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
            self._on_unreadable(self._key)


class Slot:
    """The section of a state object that belongs to one unit.

    Args:
        state: the object.
        path: keys that lead to the section; none for the whole object.
        tidy: applied to the whole content with every change.
    """

    def __init__(self, state: StateFile, *path: str, tidy: Callable[[Content], Content] = lambda whole: whole) -> None:
        self._state = state
        self._path = path
        self._tidy = tidy

    @property
    def content(self) -> Content:
        """The stored section; empty if it is missing or not a JSON object."""
        part: object = self._state.content
        for name in self._path:
            part = part.get(name) if isinstance(part, dict) else None
        return part if isinstance(part, dict) else {}

    def update(self, change: Callable[[Content], Content]) -> None:
        """Apply `change` to the section; raise what `StateFile.update` and `change` raise."""
        self._state.update(lambda whole: self._tidy(_changed(whole, self._path, change)))


def _changed(whole: object, path: tuple[str, ...], change: Callable[[Content], Content]) -> Content:
    content = whole if isinstance(whole, dict) else {}
    if not path:
        return change(content)
    return {**content, path[0]: _changed(content.get(path[0]), path[1:], change)}
