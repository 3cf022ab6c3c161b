"""Speed-ups of moto."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import moto.backend_index
import moto.s3.urls
import pytest
from moto.s3.models import S3Backend


@contextmanager
def addresses_loaded_once() -> Iterator[None]:
    """Prevent moto from compiling a module for every request to S3."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3Backend, "_url_module", moto.s3.urls)
        yield


@contextmanager
def services_limited_to(*services: str) -> Iterator[None]:
    """Prevent moto from matching every request against the addresses of all services, and from registering them."""
    patterns = [one for one in moto.backend_index.backend_url_patterns if one[0] in services]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moto.backend_index, "backend_url_patterns", patterns)
        yield
