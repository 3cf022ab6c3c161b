"""A cloud that stays, within one process: what is there after it ended and started again."""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests

from cli.local_cloud.simulated_login import restore_login, store_login
from local.cloud_folder import CloudFolder, CloudRecord
from local.kept_cloud import KeptCloud, PortInUseError
from spotify_simulator import Library, Simulator
from tests.cli.local_cloud.process import free_ports
from tests.local.test_cloud_folder import RECORD


@pytest.fixture
def record() -> CloudRecord:
    return dataclasses.replace(RECORD, port=free_ports(), empty=True)


@contextmanager
def serving(cloud: KeptCloud) -> Iterator[None]:
    ended = threading.Event()
    thread = threading.Thread(target=cloud.serve, args=(ended, lambda _step: None))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def refreshed(cloud: KeptCloud, secret: dict[str, str]) -> str:
    """Return a new access token of the login in a secret, as the extract function gets one."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{cloud.accounts_url}api/token",
            data={"grant_type": "refresh_token", "refresh_token": secret["refresh_token"]},
            auth=(secret["client_id"], secret["client_secret"]),
            timeout=10,
        )
        answer.raise_for_status()
        return str(answer.json()["access_token"])


def test_it_comes_back_with_its_data_time_and_login(tmp_path: Path, record: CloudRecord) -> None:
    folder = CloudFolder(tmp_path / "data")
    folder.write(record)
    with KeptCloud(folder, record) as cloud, serving(cloud):
        assert cloud.spotify is not None
        assert cloud.server.url == f"http://127.0.0.1:{record.port}"
        assert cloud.accounts_url == f"http://127.0.0.1:{record.port + 1}/"
        assert abs(cloud.now - datetime.fromisoformat(record.start)) < timedelta(minutes=5)
        cloud.client("sqs").create_queue(QueueName="kept")
        cloud.client("secretsmanager").create_secret(Name="login", SecretString="-")
        store_login(cloud.spotify, cloud.client, "login", ("playlists",), cloud.now)
        assert cloud.advance(timedelta(days=1, minutes=1), lambda: False)
        assert not cloud.advance(timedelta(days=9), lambda: True), "it gives up when asked to"
        owner, now = cloud.server.owner, cloud.now
        assert now - datetime.fromisoformat(record.start) > timedelta(days=1)
        cloud.save_deployment({"output": 1}, "digest")

    found = folder.read()
    assert found is not None
    assert (found.outputs, found.program) == ({"output": 1}, "digest")
    with KeptCloud(folder, found) as cloud:
        assert cloud.spotify is not None
        assert cloud.server.owner == owner, "the keys of other tools still work"
        assert timedelta() < cloud.now - now < timedelta(minutes=5), "time goes on"
        assert cloud.client("sqs").get_queue_url(QueueName="kept")["QueueUrl"]
        secret = json.loads(cloud.client("secretsmanager").get_secret_value(SecretId="login")["SecretString"])
        with pytest.raises(requests.HTTPError, match="400"):
            refreshed(cloud, secret)
        restore_login(cloud.spotify, cloud.client, "login")
        assert refreshed(cloud, secret)


@pytest.mark.parametrize("content", ["not json", "[]", "{}", '{"refresh_token": "x", "scope": null}'])
def test_a_secret_that_somebody_changed_is_ignored(content: str) -> None:
    class Secrets:
        class exceptions:  # noqa: N801 - boto3's name
            ResourceNotFoundException = KeyError

        def get_secret_value(self, **_arguments: str) -> dict[str, str]:
            return {"SecretString": content}

    start = datetime.fromisoformat(RECORD.start)
    library = Library.seeded(1, start=start, saved_tracks=1, playlists=1, saved_albums=1, plays_per_day=1)
    restore_login(Simulator(library, lambda: start), lambda _service: Secrets(), "login")


@pytest.mark.parametrize("which", [0, 1])
def test_a_port_in_use(tmp_path: Path, record: CloudRecord, which: int) -> None:
    folder = CloudFolder(tmp_path / "data")
    folder.write(record)
    port = record.port + which
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(PortInUseError, match=rf"Port {port} of 127\.0\.0\.1 cannot be used"),
        KeptCloud(folder, record),
    ):
        pytest.fail("started")
    with KeptCloud(folder, record) as cloud:
        assert cloud.client("sqs").list_queues().get("QueueUrls", []) == []


def test_with_spotify_itself_nothing_is_simulated(tmp_path: Path, record: CloudRecord) -> None:
    cloud = KeptCloud(CloudFolder(tmp_path), dataclasses.replace(record, spotify="live"))
    assert cloud.spotify is None
    assert cloud.accounts_url == "https://accounts.spotify.com/"
