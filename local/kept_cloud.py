"""A cloud that stays: the embedded AWS in real time on a fixed port, with its data, and a Spotify to read."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from embedded_aws import (
    DataDamagedError,
    DataError,
    DataVersionError,
    DeploymentError,
    EmbeddedAws,
    PortInUseError,
    Step,
)
from embedded_aws.clock import real_now
from embedded_aws.runtime.pending import PendingWork
from embedded_aws.runtime.simulation import StopSignal
from local.cloud import deploy_program
from local.cloud_folder import CloudFolder, CloudRecord
from spotify_simulator import Library, Simulator

__all__ = [
    "DataDamagedError",
    "DataError",
    "DataVersionError",
    "DeploymentError",
    "KeptCloud",
    "PortInUseError",
    "Step",
    "StopSignal",
]

SPOTIFY_ACCOUNTS_URL = "https://accounts.spotify.com/"
"""Base URL of Spotify's own accounts service."""
_AT_ONCE = timedelta(hours=1)
"""Simulated time after which `advance` asks whether to go on."""


class KeptCloud:
    """The cloud of a data folder; use it as a context manager.

    Only one can run in a process, as with `EmbeddedAws`.

    Args:
        folder: the data folder.
        record: what is written in it.
    """

    def __init__(self, folder: CloudFolder, record: CloudRecord) -> None:
        self.record = record
        self._folder = folder
        start = datetime.fromisoformat(record.start)
        self._aws = EmbeddedAws(
            folder.work, start=start, region=record.region, port=record.port, data=folder.account, any_python=True
        )
        self.spotify: Simulator | None = None
        """The simulated Spotify; None if the cloud reads Spotify itself."""
        if record.spotify == "simulated":
            self.spotify = Simulator(
                Library.seeded(record.seed, start=start, timezone=record.timezone),
                lambda: self._aws.now,
                port=record.spotify_port,
                client=(record.client_id, record.client_secret),
            )
        self.since = real_now()
        """When it was started, in real time."""
        self.server = self._aws.server
        """The server of the embedded AWS, with its URL and the owner's keys."""
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start.

        Raises:
            DataError: the account cannot be read.
            PortInUseError: a port is in use.
        """
        with ExitStack() as starting:
            # Functions must stop before the services that they call.
            if self.spotify is not None:
                starting.callback(self.spotify.stop)
                self._start_spotify(self.spotify)
            starting.enter_context(self._aws)
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, with everything saved."""
        self._running.close()

    @property
    def now(self) -> datetime:
        """The simulated time, UTC."""
        return self._aws.now

    @property
    def accounts_url(self) -> str:
        """Base URL of the accounts service of the Spotify that is read."""
        return SPOTIFY_ACCOUNTS_URL if self.spotify is None else self.spotify.accounts_url

    def pending(self) -> PendingWork:
        """Return what is still to do."""
        return self._aws.pending()

    def client(self, service: str) -> Any:
        """Return a boto3 client with the account owner's credentials, which allow everything."""
        return self._aws.client(service)

    def deploy(self, project: Path, settings: Mapping[str, str]) -> dict[str, Any]:
        """Deploy a project's program, with its own settings for the stack `local` and these.

        Returns:
            The stack's outputs.

        Raises:
            DeploymentError: the program failed, or needs a resource that cannot be created here.
        """
        return deploy_program(self._aws, project, settings, self.spotify)

    def save_deployment(self, outputs: Mapping[str, Any], program: str) -> None:
        """Record that the deployment is complete.

        Args:
            outputs: of the stack.
            program: digest of what was deployed.
        """
        self.record = dataclasses.replace(self.record, outputs=outputs, program=program)
        self._folder.write(self.record)

    def serve(self, until: StopSignal, on_step: Callable[[Step], None]) -> None:
        """Do everything when it is due, in real time, as `EmbeddedAws.serve` does."""
        self._aws.serve(until, on_step)

    def advance(self, span: timedelta, until: Callable[[], bool]) -> bool:
        """Let simulated time pass at once, while another thread is in `serve`.

        Args:
            span: how much.
            until: returns whether to give up; called for every simulated hour.

        Returns:
            Whether all of it passed.
        """
        end = self.now + span
        while (left := end - self.now) > timedelta():
            if until():
                return False
            self._aws.advance(min(left, _AT_ONCE))
        return True

    def _start_spotify(self, spotify: Simulator) -> None:
        try:
            spotify.start()
        except OSError as error:
            raise PortInUseError(
                f"Port {self.record.spotify_port} of 127.0.0.1 cannot be used ({os.strerror(error.errno or 0)}): stop"
                " the program that uses it, or choose another port."
            ) from error
