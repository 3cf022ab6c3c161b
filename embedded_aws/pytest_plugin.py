"""A pytest fixture: an empty account for one test.

Put `pytest_plugins = ["embedded_aws.pytest_plugin"]` into the top-level `conftest.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import boto3
import pytest

from embedded_aws import EmbeddedAws


@pytest.fixture
def embedded_aws_start() -> datetime:
    """Provide the simulated time at which `embedded_aws` starts; override it for another one."""
    return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def embedded_aws_any_python() -> bool:
    """Provide whether functions may ask for any version of Python; override it to let them run in this one."""
    return False


@pytest.fixture
def embedded_aws(
    tmp_path: Path, embedded_aws_start: datetime, *, embedded_aws_any_python: bool
) -> Iterator[EmbeddedAws]:
    """Provide a running, empty account; clients that boto3 creates without arguments belong to its owner."""
    with EmbeddedAws(tmp_path / "embedded-aws", start=embedded_aws_start, any_python=embedded_aws_any_python) as aws:
        owner = aws.server.owner
        environment = {
            "AWS_ACCESS_KEY_ID": owner.access_key_id,
            "AWS_SECRET_ACCESS_KEY": owner.secret_access_key,
            "AWS_DEFAULT_REGION": aws.server.region,
            "AWS_ENDPOINT_URL": aws.server.url,
        }
        # boto3's session keeps the credentials that it has found first: those of another test, or of the user.
        with patch.dict(os.environ, environment), patch.object(boto3, "DEFAULT_SESSION", None):
            yield aws
