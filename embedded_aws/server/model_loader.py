"""The loader of moto's service models."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from moto.core import utils
from moto.core.loaders import create_loader

_loader = functools.cache(create_loader)


@contextmanager
def one_model_loader() -> Iterator[None]:
    """Let moto load all models by one loader in this context.

    It creates a loader for each, and each looks through the folders of all services.
    """
    with patch.object(utils, "create_loader", _loader):
        yield
