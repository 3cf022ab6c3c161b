"""Saving and restoring the whole account: moto's state, and what the services here add to it."""

from __future__ import annotations

import gc
import json
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moto.logs.models import LogEvent, LogStream
from moto.s3.models import FakeBucket, s3_backends

from embedded_aws.iam.principals import PARTITION
from embedded_aws.persistence.data_folder import DataFolder, digest_of
from embedded_aws.persistence.errors import DataDamagedError, DataNotSavedError
from embedded_aws.persistence.gate import Gate, Part
from embedded_aws.persistence.pickling import Digests, StatePickler, StateUnpickler, backend_of, relink, try_pickle
from embedded_aws.persistence.tracking import BACKEND, ChangedObjects, tracked

OWN = "own"
"""First element of the names of the parts that are the services' own state."""


@dataclass(frozen=True)
class OwnState:
    """State that a service keeps besides moto's."""

    save: Callable[[], Any]
    """Returns it, as something that can be pickled."""
    restore: Callable[[Any], None]


@dataclass
class _Row:
    """What a saved row refers to."""

    contents: frozenset[bytes] = frozenset()
    streams: frozenset[str] = frozenset()


@dataclass
class _Changes:
    """What one transaction writes."""

    states: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    """Name → digest and content."""
    objects: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    log_events: list[tuple[str, int, bytes]] = field(default_factory=list)
    contents: dict[bytes, bytes] = field(default_factory=dict)
    rows: dict[tuple[str, ...], _Row] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    """Log stream → events that are saved afterwards."""


class AccountStore:
    """Keeps one account in a data folder.

    Args:
        path: the data folder.
        gate: where changes are noted.
        own: name → state of the services.
    """

    def __init__(self, path: Path, gate: Gate, *, account_id: str, own: Mapping[str, OwnState]) -> None:
        self._path = path
        self._gate = gate
        self._account_id = account_id
        self._own = own
        self._objects = ChangedObjects()
        self._digests: dict[str, bytes] = {}
        self._rows: dict[tuple[str, ...], _Row] = {}
        self._uses: Counter[bytes | str] = Counter()
        self._kept: set[bytes] = set()
        self._large = Digests()
        self._tried: set[type] = set()
        self._lengths: dict[str, int] = {}
        self._opened = ExitStack()
        self._folder: DataFolder | None = None

    def open(self) -> None:
        """Open the data folder.

        Raises:
            DataError: it is in use, of another version, or damaged.
        """
        self._folder = DataFolder(self._path)
        self._opened.callback(self._folder.close)

    def identity(self, new: Mapping[str, str]) -> Mapping[str, str]:
        """Return the facts that never change, such as the owner's keys; a new folder gets those given."""
        assert self._folder is not None  # noqa: S101 - for the type checker: it is open
        kept = {name: self._folder.meta(name) for name in new}
        found = {name: value for name, value in kept.items() if value is not None}
        if len(found) == len(new):
            return found
        with self._folder.transaction():
            self._folder.put_meta(new)
        return new

    def own_state(self, name: str) -> Any:
        """Return the kept state of a service before anything is restored; None if there is none."""
        assert self._folder is not None  # noqa: S101 - for the type checker: it is open
        found = next((content for row, content in self._folder.states() if row == json.dumps([OWN, name])), None)
        return None if found is None else StateUnpickler(found, self._folder.read).load()

    def restore(self) -> None:
        """Restore what the folder keeps; from now on changes are saved.

        Raises:
            DataDamagedError: something cannot be read.
        """
        # Collecting garbage among ever more objects that all stay would take half of the time.
        gc.disable()
        try:
            self._restore()
        except DataDamagedError:
            raise
        except Exception as error:
            raise DataDamagedError(
                f"The data folder {self._path} is damaged ({type(error).__name__}: {error}): delete it to start again."
            ) from error
        finally:
            gc.enable()
        self._opened.enter_context(tracked(self._gate, self._objects))
        self._gate.save = self._save

    def close(self) -> None:
        """Save what is not saved yet, and close the folder."""
        try:
            if self._gate.save is not None:
                self._gate.settle()
        finally:
            self._gate.save = None
            self._opened.close()

    def _save(self, parts: frozenset[Part]) -> None:
        """Save parts and all changed objects in one transaction; nobody changes anything meanwhile."""
        assert self._folder is not None  # noqa: S101 - for the type checker: it is open
        changes = _Changes()
        buckets = self._buckets()
        stores = {id(bucket.keys): name for name, bucket in buckets.items()}
        objects = self._objects.take(stores)
        failed: dict[str, Exception] = {}
        try:
            for name, value in self._values(parts):
                try:
                    self._pickle_state(name, value, changes)
                except (TypeError, AttributeError, RecursionError, pickle.PicklingError) as error:
                    failed[name] = error
            for bucket, key in objects:
                self._pickle_object(buckets.get(bucket), bucket, key, changes)
            self._write(self._folder, changes)
        except BaseException:
            self._objects.put_back(objects)
            raise
        for name, reason in failed.items():
            self._roll_back(self._folder, name, reason)

    def _roll_back(self, folder: DataFolder, name: str, error: Exception) -> None:
        """Give a backend that cannot be pickled the state that was saved last.

        Raises:
            DataNotSavedError: always, with the reason.
        """
        part = json.loads(name)
        saved = next((content for row, content in folder.states() if row == name), None)
        if saved is not None:
            self._restore_state(part, StateUnpickler(saved, folder.read).load())
        else:
            backend_of(*part[1:]).reset()
        raise DataNotSavedError(
            f"The embedded AWS cannot keep this in its data folder ({error}): {part[1]} is as it was before."
        ) from error

    def _values(self, parts: Iterable[Part]) -> Iterable[tuple[str, Any]]:
        for part in parts:
            if part[0] == BACKEND:
                yield json.dumps(part), vars(backend_of(*part[1:]))
        for name, state in self._own.items():
            yield json.dumps([OWN, name]), state.save()
        yield json.dumps([OWN, "log event ids"]), LogEvent._event_id  # noqa: SLF001 - moto's counter

    def _pickle_state(self, name: str, value: Any, changes: _Changes) -> None:
        pickler = self._pickler()
        content = pickler.pickled(value)
        for identifier, stream in pickler.streams.items():
            saved = self._lengths.get(identifier, 0)
            if len(stream.events) > saved:
                changes.log_events.append((identifier, saved, pickle.dumps(stream.events[saved:])))
                changes.lengths[identifier] = len(stream.events)
        digest = digest_of(content)
        if self._digests.get(name) == digest:
            return
        if not pickler.types <= self._tried:
            # Some classes can be pickled, but not unpickled.
            try_pickle(content, lambda one: pickler.new.get(one) or changes.contents.get(one) or self._read(one))
            self._tried |= pickler.types
        changes.states[name] = (digest, content)
        changes.contents |= pickler.new
        changes.rows[name,] = _Row(frozenset(pickler.contents), frozenset(pickler.streams))

    def _pickle_object(self, bucket: FakeBucket | None, name: str, key: str, changes: _Changes) -> None:
        versions = bucket.keys.getlist(key) if bucket is not None else None
        if versions is None:
            changes.objects[name, key] = None
            changes.rows[name, key] = _Row()
            return
        tags = s3_backends[self._account_id][PARTITION].tagger.tags
        tagged = {one.arn: tags[one.arn] for one in versions if getattr(one, "arn", None) in tags}
        pickler = self._pickler()
        changes.objects[name, key] = pickler.pickled((versions, tagged))
        changes.contents |= pickler.new
        changes.rows[name, key] = _Row(frozenset(pickler.contents))

    def _pickler(self) -> StatePickler:
        return StatePickler(self._kept.__contains__, self._large)

    def _read(self, content: bytes) -> bytes:
        assert self._folder is not None  # noqa: S101 - for the type checker: it is open
        return self._folder.read(content)

    def _write(self, folder: DataFolder, changes: _Changes) -> None:
        uses = Counter[bytes | str]()
        for name, row in changes.rows.items():
            before = self._rows.get(name, _Row())
            uses.update((*row.contents, *row.streams))
            uses.subtract((*before.contents, *before.streams))
        unused = [one for one, change in uses.items() if change < 0 and self._uses[one] + change <= 0]
        with folder.transaction():
            for content in changes.contents.values():
                folder.put_content(content)
            for state, (digest, content) in changes.states.items():
                folder.put_state(state, digest, content)
            for (bucket, key), row_content in changes.objects.items():
                folder.put_object(bucket, key, row_content)
            for stream, first, content in changes.log_events:
                folder.put_log_events(stream, first, content)
            for one in unused:
                if isinstance(one, bytes):
                    folder.drop_content(one)
                else:
                    folder.drop_log_events(one)
        self._uses.update(uses)
        self._kept |= changes.contents.keys()
        self._kept.difference_update(unused)
        self._rows |= changes.rows
        self._lengths |= changes.lengths
        self._digests |= {name: digest for name, (digest, _) in changes.states.items()}

    def _restore(self) -> None:
        assert self._folder is not None  # noqa: S101 - for the type checker: it is open
        folder, streams = self._folder, dict[str, LogStream]()
        self._kept = folder.contents()
        for name, content in folder.states():
            unpickler = StateUnpickler(content, folder.read)
            self._restore_state(json.loads(name), unpickler.load())
            streams |= unpickler.streams
            self._digests[name] = digest_of(content)
            self._rows[name,] = _Row(frozenset(unpickler.contents), frozenset(unpickler.streams))
        for bucket, key, content in folder.objects():
            unpickler = StateUnpickler(content, folder.read)
            versions, tags = unpickler.load()
            self._restore_object(bucket, key, versions, tags)
            self._rows[bucket, key] = _Row(frozenset(unpickler.contents))
        for stream, content in folder.log_events():
            if stream in streams:
                streams[stream].events += pickle.loads(content)  # noqa: S301 - from the user's own folder
        self._lengths = {identifier: len(stream.events) for identifier, stream in streams.items()}
        for row in self._rows.values():
            self._uses.update((*row.contents, *row.streams))
        missing = {name for name in self._uses if isinstance(name, bytes)} - self._kept
        if missing:
            raise DataDamagedError(
                f"The data folder {self._path} is damaged ({len(missing)} contents are missing): delete it to start"
                " again."
            )
        unused = self._kept - self._uses.keys()
        with folder.transaction():
            for content in unused:
                folder.drop_content(content)
        self._kept -= unused

    def _restore_state(self, name: list[str], value: Any) -> None:
        if name[0] == BACKEND:
            backend = backend_of(*name[1:])
            vars(backend).clear()
            vars(backend).update(value)
            relink(backend)
            if "buckets" in value and name[1] == "moto.s3.models":
                s3_backends.bucket_accounts.update(dict.fromkeys(value["buckets"], (PARTITION, self._account_id)))
        elif name[1] in self._own:
            self._own[name[1]].restore(value)
        else:
            LogEvent._event_id = value  # noqa: SLF001 - moto's counter

    def _restore_object(self, bucket: str, key: str, versions: list[Any], tags: dict[str, Any]) -> None:
        backend = s3_backends[self._account_id][PARTITION]
        dict.__setitem__(backend.buckets[bucket].keys, key, versions)
        backend.tagger.tags.update(tags)

    def _buckets(self) -> dict[str, FakeBucket]:
        with self._gate.reading():
            buckets: dict[str, FakeBucket] = s3_backends[self._account_id][PARTITION].buckets
        return buckets
