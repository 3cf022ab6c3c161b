"""A speed-up of moto's S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import moto.s3.urls
import pytest
from moto.s3.models import S3Backend


@contextmanager
def addresses_loaded_once() -> Iterator[None]:
    """Prevent moto from compiling a module for every request to S3."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3Backend, "_url_module", moto.s3.urls)
        yield
