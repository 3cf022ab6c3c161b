"""The embedded AWS by its public API: started and stopped, one at a time, on its own clock."""

from __future__ import annotations

import http.client
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import embedded_aws
from embedded_aws import EmbeddedAws, ServerBusyError

START = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


def test_every_public_name_is_there() -> None:
    assert {name: getattr(embedded_aws, name).__name__ for name in embedded_aws.__all__} == {
        name: name for name in embedded_aws.__all__
    }
    with pytest.raises(AttributeError, match="no attribute 'Azure'"):
        _ = embedded_aws.Azure


def test_it_starts_empty_each_time_and_stops_as_often_as_asked(tmp_path: Path) -> None:
    aws = EmbeddedAws(tmp_path, start=START, region="us-west-2")
    aws.stop()
    for _ in range(2):
        aws.start()
        assert aws.client("sqs").list_queues().get("QueueUrls") is None
        aws.client("sqs").create_queue(QueueName="readings")
        address = aws.server.url.removeprefix("http://")
        aws.stop()
        aws.stop()
        with pytest.raises(OSError, match="refused"):
            http.client.HTTPConnection(address).request("GET", "/")


def test_one_at_a_time(tmp_path: Path) -> None:
    with EmbeddedAws(tmp_path, start=START) as aws:
        with pytest.raises(RuntimeError, match="call stop\\(\\) before start"):
            aws.start()
        other = EmbeddedAws(tmp_path, start=START)
        with pytest.raises(ServerBusyError):
            other.start()
        assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_time_passes_only_as_far_as_it_is_let(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    with EmbeddedAws(tmp_path, start=START) as aws:
        aws.run_until(START + timedelta(days=30))
        assert START + timedelta(days=30) <= aws.now < START + timedelta(days=31)
        aws.drain()
        assert aws.log == []
    assert before <= datetime.now(UTC) < before + timedelta(days=1)
