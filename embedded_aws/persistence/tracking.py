"""Which parts of moto's state may have changed: every backend that was looked up, and every S3 object that was set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.core.base_backend import AccountSpecificBackend
from moto.s3.models import FakeKey
from moto.s3.utils import _VersionedKeyStore
from moto.utilities.tagging_service import TaggingService

from embedded_aws.persistence.gate import Gate
from embedded_aws.persistence.pickling import CACHED, KEPT, PICKLE, object_of

BACKEND = "backend"
"""First element of the names of parts that are moto's backends."""


class ChangedObjects:
    """S3 objects that may have changed since they were saved."""

    def __init__(self) -> None:
        self._set: set[tuple[int, str]] = set()
        self._modified: set[tuple[str, str]] = set()

    def set_in(self, store: _VersionedKeyStore, key: str) -> None:
        """Note that the versions of a key in a bucket's store were replaced."""
        self._set.add((id(store), key))

    def modified(self, bucket: str, key: str) -> None:
        """Note that a version of an object was modified."""
        self._modified.add((bucket, key))

    def take(self, stores: dict[int, str]) -> set[tuple[str, str]]:
        """Return bucket and key of every object that may have changed, and forget them.

        Args:
            stores: id of a bucket's store → bucket.
        """
        changed, modified = self._set, self._modified
        self._set, self._modified = set(), set()
        return modified | {(stores[store], key) for store, key in changed if store in stores}

    def put_back(self, objects: set[tuple[str, str]]) -> None:
        """Note objects again, because they could not be saved."""
        self._modified |= objects


@contextmanager
def tracked(gate: Gate, objects: ChangedObjects) -> Iterator[None]:
    """Note changes in this context."""
    with ExitStack() as patches:
        for owner, name, replacement in (
            (AccountSpecificBackend, "__getitem__", _noting_backends(gate)),
            (_VersionedKeyStore, "__setitem__", _noting_keys(_VersionedKeyStore.__setitem__, objects)),
            (_VersionedKeyStore, "setlist", _noting_keys(_VersionedKeyStore.setlist, objects)),
            (_VersionedKeyStore, "pop", _noting_keys(_VersionedKeyStore.pop, objects)),
            (_VersionedKeyStore, "__delitem__", _noting_keys(_VersionedKeyStore.__delitem__, objects)),
            (FakeKey, "__setattr__", _noting_attributes(objects)),
            (FakeKey, "set_metadata", _noting_metadata(objects)),
            (TaggingService, "tag_resource", _noting_tags(TaggingService.tag_resource, objects)),
            (
                TaggingService,
                "delete_all_tags_for_resource",
                _noting_tags(TaggingService.delete_all_tags_for_resource, objects),
            ),
        ):
            patches.enter_context(patch.object(owner, name, replacement))
        for kind in CACHED:
            patches.enter_context(patch.object(kind, "__setattr__", _drop_pickle))
        yield


def _noting_backends(gate: Gate) -> Callable[..., Any]:
    find = AccountSpecificBackend.__getitem__

    def getitem(backends: AccountSpecificBackend[Any], region: str) -> Any:
        kind = backends.backend
        backend = find(backends, region)
        gate.touch((BACKEND, kind.__module__, kind.__qualname__, backends.account_id, backend.region_name))
        return backend

    return getitem


def _noting_keys(change: Callable[..., Any], objects: ChangedObjects) -> Callable[..., Any]:
    def changed(store: _VersionedKeyStore, key: str, *values: Any) -> Any:
        objects.set_in(store, key)
        return change(store, key, *values)

    return changed


def _noting_attributes(objects: ChangedObjects) -> Callable[..., Any]:
    def set_attribute(key: FakeKey, name: str, value: Any) -> None:
        object.__setattr__(key, name, value)
        attributes = vars(key)
        if name == "value":
            attributes.pop(KEPT, None)
        if attributes.get("bucket_name"):
            objects.modified(attributes["bucket_name"], attributes["name"])

    return set_attribute


def _drop_pickle(instance: Any, name: str, value: Any) -> None:
    object.__setattr__(instance, name, value)
    vars(instance).pop(PICKLE, None)


def _noting_metadata(objects: ChangedObjects) -> Callable[..., Any]:
    change = FakeKey.set_metadata

    def set_metadata(key: FakeKey, metadata: Any, replace: bool = False) -> None:
        if key.bucket_name:
            objects.modified(key.bucket_name, key.name)
        change(key, metadata, replace)

    return set_metadata


def _noting_tags(change: Callable[..., Any], objects: ChangedObjects) -> Callable[..., Any]:
    def changed(tagger: TaggingService, arn: str, *values: Any) -> Any:
        tagged = object_of(arn)
        if tagged is not None:
            objects.modified(*tagged)
        return change(tagger, arn, *values)

    return changed
