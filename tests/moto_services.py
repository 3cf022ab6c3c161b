"""A speed-up of moto's start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto import backend_index


@contextmanager
def patterns_of(*services: str) -> Iterator[None]:
    """Let `mock_aws` register the addresses of a few services instead of every one."""
    patterns = [one for one in backend_index.backend_url_patterns if one[0] in services]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_index, "backend_url_patterns", patterns)
        yield
