"""Speed-ups of moto's S3 and Secrets Manager."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import moto.s3.urls
import pytest
from moto import backend_index
from moto.s3.models import S3Backend

SERVICES = frozenset({"s3", "secretsmanager", "sts"})
"""The services that are mocked in this process."""


@contextmanager
def addresses_loaded_once() -> Iterator[None]:
    """Limit moto to the addresses of `SERVICES`, and load those of S3 once.

    Otherwise it registers the addresses of every service whenever a mock starts, tries them for every request, and
    compiles a module for every request to S3.
    """
    few = [(service, pattern) for service, pattern in backend_index.backend_url_patterns if service in SERVICES]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_index, "backend_url_patterns", few)
        patch.setattr(S3Backend, "_url_module", moto.s3.urls)
        yield
