"""Pickling moto's objects: without what cannot be kept, and without what is saved elsewhere.

S3 objects, log events and large contents have rows of their own; a reference takes their place.
"""

from __future__ import annotations

import io
import marshal
import pickle
import sys
import threading
import types
import uuid
import weakref
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from moto.athena.models import AthenaBackend
from moto.core.base_backend import BackendDict, BaseBackend
from moto.logs.models import LogsBackend, LogStream
from moto.s3.models import FakeKey
from moto.s3.utils import _VersionedKeyStore
from moto.sqs.models import Message, Queue
from moto.sts.models import AssumedRole
from moto.utilities.tagging_service import TaggingService

from embedded_aws.persistence.contents import KeptContent
from embedded_aws.persistence.data_folder import digest_of
from embedded_aws.services.athena.execution import QueryExecution

_LARGE = 4096
"""Bytes from which a value is kept as a content of its own."""

KEPT = "_embedded_aws_kept"
"""Attribute of a FakeKey: hash and size of its content as it was saved; of a LogStream: its id."""


PICKLE = "_embedded_aws_pickle"
"""Attribute of an instance of one of `CACHED`: its pickle, until an attribute is set."""


class _Content:
    """A reference to a content."""

    def __init__(self, name: bytes, size: int) -> None:
        self.name = name
        self.size = size


@dataclass(frozen=True)
class _Cached:
    """How instances of a class are pickled one by one, since most of them are as they were."""

    key: str
    """Attribute that identifies an instance."""
    without: frozenset[str] = frozenset()
    """Attributes that are saved elsewhere, or restored by `relink`."""


CACHED: dict[type, _Cached] = {
    Message: _Cached("id", frozenset({PICKLE})),
    LogStream: _Cached(KEPT, frozenset({PICKLE, "events", "log_group"})),
    QueryExecution: _Cached("id", frozenset({PICKLE, "workgroup"})),
    AssumedRole: _Cached("access_key_id", frozenset({PICKLE})),
}
"""Classes with many instances that change only when an attribute is set."""


class Digests:
    """Digests of large values, by identity: functions' archives are pickled again and again."""

    _SIZE = 1000

    def __init__(self) -> None:
        self._known: dict[int, tuple[bytes | str, bytes]] = {}

    def of(self, value: bytes | str) -> bytes:
        """Return a value's digest."""
        known = self._known.get(id(value))
        if known is None:
            if len(self._known) >= self._SIZE:
                self._known.clear()
            known = self._known[id(value)] = (value, digest_of(_encoded(value)))
        return known[1]


class StatePickler(pickle.Pickler):
    """Pickles one part, and collects the contents and log streams that it refers to.

    Args:
        is_kept: returns whether a content is already saved.
        digests: digests of large values that were pickled before.
    """

    def __init__(self, is_kept: Callable[[bytes], bool], digests: Digests) -> None:
        self._output = io.BytesIO()
        super().__init__(self._output, pickle.HIGHEST_PROTOCOL)
        self._is_kept = is_kept
        self._digests = digests
        self.contents: set[bytes] = set()
        """Hashes of the contents referred to."""
        self.new: dict[bytes, bytes] = {}
        """Contents that are not saved yet."""
        self.streams: dict[str, LogStream] = {}
        """Log streams by their ids."""
        self.types: set[type] = set()
        """Types of the values pickled, as far as they are not built in."""

    def pickled(self, value: Any) -> bytes:
        """Return a value's pickle."""
        self.dump(value)
        return self._output.getvalue()

    def persistent_id(self, value: Any) -> Any:
        """Return the reference to what is saved elsewhere; None for everything else."""
        kind = type(value)
        if kind is bytes or kind is str:
            return self._refer(value) if len(value) >= _LARGE else None
        if kind in CACHED:
            return self._one_by_one(kind, value)
        if kind is _Content:
            return ("content", value.name, value.size)
        if isinstance(value, BaseBackend):
            return ("backend", *part_of(value))
        return None

    def reducer_override(self, value: Any) -> Any:
        """Reduce what cannot be pickled, or is partly saved elsewhere."""
        kind = type(value)
        self.types.add(kind)
        reduce = _REDUCERS.get(kind)
        if reduce is not None:
            return reduce(self, value)
        if isinstance(value, defaultdict) and kind is not defaultdict:
            return _restored_defaultdict, (kind, value.default_factory), vars(value), None, iter(value.items())
        if hasattr(kind, "private_bytes"):
            return _private_key(value)
        return NotImplemented

    def _refer(self, value: bytes | str) -> tuple[str, bytes]:
        name = self._digests.of(value)
        self.contents.add(name)
        if not self._is_kept(name):
            self.new[name] = _encoded(value)
        return (type(value).__name__, name)

    def _one_by_one(self, kind: type, value: Any) -> tuple[str, str, str, bytes]:
        """Return the pickle of an instance as it was when an attribute was last set."""
        attributes = vars(value)
        if kind is LogStream:
            self.streams[attributes.setdefault(KEPT, uuid.uuid4().hex)] = value
        pickled = attributes.get(PICKLE)
        if pickled is None:
            without = CACHED[kind].without
            state = {name: each for name, each in attributes.items() if name not in without}
            pickled = attributes[PICKLE] = pickle.dumps(state, pickle.HIGHEST_PROTOCOL)
        return ("one", kind.__name__, attributes[CACHED[kind].key], pickled)

    def content_of(self, key: FakeKey) -> _Content | None:
        """Return the reference to an object's content; None if it was disposed of."""
        buffer = key._value_buffer  # noqa: SLF001 - moto offers a copy only
        kept = vars(key).get(KEPT)
        if kept is None:
            if buffer.closed:
                return None
            value = key.value
            kept = vars(key)[KEPT] = (digest_of(value), len(value))
            self.new[kept[0]] = value
        elif not self._is_kept(kept[0]) and not buffer.closed:
            self.new[kept[0]] = key.value
        self.contents.add(kept[0])
        return _Content(*kept)


class StateUnpickler(pickle.Unpickler):
    """Unpickles one part.

    Args:
        content: its pickle.
        read: returns the content with a hash.
    """

    def __init__(self, content: bytes, read: Callable[[bytes], bytes]) -> None:
        super().__init__(io.BytesIO(content))
        self._read = read
        self.contents: set[bytes] = set()
        """Hashes of the contents referred to."""
        self.streams: dict[str, LogStream] = {}
        """Log streams by their ids, still without events."""
        self._instances: dict[tuple[str, str], Any] = {}

    def persistent_load(self, reference: Any) -> Any:
        """Return what a reference stands for."""
        kind, *rest = reference
        if kind == "backend":
            return backend_of(*rest)
        if kind == "one":
            return self._instance(*rest)
        self.contents.add(rest[0])
        if kind == "content":
            return KeptContent(rest[0], rest[1], self._read)
        content = self._read(rest[0])
        return content if kind == "bytes" else content.decode("utf-8", "surrogatepass")

    def _instance(self, name: str, key: str, pickled: bytes) -> Any:
        """Return an instance, the same for all references to it."""
        if (name, key) not in self._instances:
            kind = next(kind for kind in CACHED if kind.__name__ == name)
            instance: Any = object.__new__(kind)
            self._instances[name, key] = instance
            vars(instance).update(pickle.loads(pickled))  # noqa: S301 - from the user's own folder
            vars(instance)[PICKLE] = pickled
            if isinstance(instance, LogStream):
                vars(instance)["events"] = []
                self.streams[key] = instance
        return self._instances[name, key]


_TRYING = threading.local()


def try_pickle(content: bytes, read: Callable[[bytes], bytes]) -> None:
    """Check that a pickle can be read; raises whatever keeps it from that."""
    _TRYING.is_set = True
    try:
        StateUnpickler(content, read).load()
    finally:
        _TRYING.is_set = False


def relink(backend: BaseBackend) -> None:
    """Restore what instances that are pickled one by one refer to."""
    if isinstance(backend, LogsBackend):
        for group in backend.groups.values():
            for stream in group.streams.values():
                vars(stream)["log_group"] = group
    elif isinstance(backend, AthenaBackend):
        for execution in backend.executions.values():
            if isinstance(execution, QueryExecution):
                # The workgroup may have been deleted since; its name still decides who may see the execution.
                existing = backend.work_groups.get(execution.group)
                vars(execution)["workgroup"] = existing or types.SimpleNamespace(name=execution.group)
                execution.interrupt()


def _encoded(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


def part_of(backend: BaseBackend) -> tuple[str, str, str, str]:
    """Return what names a backend: module and name of its class, account, and region or partition."""
    kind = type(backend)
    return (kind.__module__, kind.__qualname__, backend.account_id, backend.region_name)


def backend_of(module: str, name: str, account: str, region: str) -> Any:
    """Return the backend of a name; moto creates it if there is none."""
    __import__(module)
    kind = getattr(sys.modules[module], name)
    found = [one for one in vars(sys.modules[module]).values() if isinstance(one, BackendDict) and one.backend is kind]
    return found[0][account][region]


def _key(pickler: StatePickler, key: FakeKey) -> Any:
    state = dict(vars(key))
    content = pickler.content_of(key)
    for name in ("_value_buffer", "lock", KEPT):
        state.pop(name, None)
    return _restored_key, (type(key), state, content)


def _restored_key(kind: type[FakeKey], state: dict[str, Any], content: KeptContent | None) -> Any:
    key: Any = kind.__new__(kind)
    vars(key).update(state)
    vars(key)["lock"] = threading.Lock()
    if getattr(_TRYING, "is_set", False):
        # It is dropped at once; moto would warn of a key that was not disposed of.
        vars(key)["disposed"] = True
    if content is None:
        vars(key)["_value_buffer"] = closed = io.BytesIO()
        closed.close()
    else:
        vars(key)["_value_buffer"] = content
        vars(key)[KEPT] = (content.name, content.size)
    return key


def _queue(_pickler: StatePickler, queue: Queue) -> Any:
    # Receipts of deleted messages only make their second deletion succeed; they would pile up.
    return (*object.__reduce_ex__(queue, 2)[:2], {**vars(queue), "deleted_messages": set()})


def _tags(_pickler: StatePickler, tagger: TaggingService) -> Any:
    # Tags of S3 objects are saved with the objects.
    kept = {arn: tags for arn, tags in tagger.tags.items() if object_of(arn) is None}
    return (*object.__reduce_ex__(tagger, 2)[:2], {**vars(tagger), "tags": kept})


def object_of(arn: str) -> tuple[str, str] | None:
    """Return bucket and key of the object version that moto's ARN names; None for another ARN."""
    if not arn.startswith("arn:aws:s3:::") or arn.count("/") < 2:
        return None
    bucket, _, path = arn.removeprefix("arn:aws:s3:::").partition("/")
    return bucket, path.rpartition("/")[0]


def _function(_pickler: StatePickler, function: types.FunctionType) -> Any:
    if "<locals>" not in function.__qualname__ and "<lambda>" not in function.__qualname__:
        return NotImplemented
    if function.__closure__ or function.__defaults__ or function.__kwdefaults__:
        return NotImplemented
    return _restored_function, (function.__module__, marshal.dumps(function.__code__))


def _restored_function(module: str, code: bytes) -> types.FunctionType:
    __import__(module)
    return types.FunctionType(marshal.loads(code), vars(sys.modules[module]))  # noqa: S302 - like pickle itself


def _restored_defaultdict(kind: type[defaultdict[Any, Any]], factory: Callable[[], Any] | None) -> Any:
    # moto's subclasses have constructors of their own.
    restored = kind.__new__(kind)
    defaultdict.__init__(restored, factory)
    return restored


def _private_key(key: Any) -> Any:
    encoded = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return _restored_private_key, (encoded,)


def _restored_private_key(encoded: bytes) -> Any:
    return load_der_private_key(encoded, None)


def _weak_values(_pickler: StatePickler, values: weakref.WeakValueDictionary[Any, Any]) -> Any:
    return weakref.WeakValueDictionary, (dict(values),)


_REDUCERS: dict[type, Callable[[StatePickler, Any], Any]] = {
    FakeKey: _key,
    Queue: _queue,
    TaggingService: _tags,
    # Its content is in rows of its own.
    _VersionedKeyStore: lambda _pickler, _store: (_VersionedKeyStore, ()),
    types.FunctionType: _function,
    weakref.WeakValueDictionary: _weak_values,
    type(threading.Lock()): lambda _pickler, _lock: (threading.Lock, ()),
    type(threading.RLock()): lambda _pickler, _lock: (threading.RLock, ()),
    threading.Condition: lambda _pickler, _condition: (threading.Condition, ()),
    threading.Event: lambda _pickler, _event: (threading.Event, ()),
}
