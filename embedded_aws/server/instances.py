"""moto's list of all instances, which would keep every message and every deleted object for as long as it runs."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.core.common_models import BaseModel
from moto.s3.models import FakeKey, FakeMultipart


class _Existing(weakref.WeakSet[Any]):
    """Instances that still exist."""

    def append(self, instance: Any) -> None:
        """Add an instance, as moto adds one to its list."""
        self.add(instance)


@contextmanager
def forgotten_instances() -> Iterator[None]:
    """Let instances go in this context once nothing else refers to them; moto lists only those that it needs itself."""

    def new(kind: type, *_args: Any, **_options: Any) -> Any:
        instance: Any = object.__new__(kind)
        if kind in listed:
            listed[kind].append(instance)
        return instance

    listed = {kind: _Existing() for kind in (FakeKey, FakeMultipart)}
    with ExitStack() as patches:
        patches.enter_context(patch.object(BaseModel, "__new__", new))
        for kind, instances in listed.items():
            patches.enter_context(patch.object(kind, "instances_tracked", instances))
        # moto warns of each object that only its list held.
        patches.enter_context(patch.object(FakeKey, "__del__", FakeKey.dispose))
        yield
