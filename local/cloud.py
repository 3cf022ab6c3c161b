"""AWS and Spotify in one process: the embedded AWS with the simulator beside it, on one clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from embedded_aws import DeploymentError, EmbeddedAws, Step
from spotify_simulator import Library, Shape, Simulator

__all__ = ["DeploymentError", "EmbeddedCloud", "Step"]

# Functions find their packages in this process's own environment, so a layer need only name them.
_LAYERS_OF_LOCKS = {"SPOTIFY_ETL_LAYERS": "locks"}


class EmbeddedCloud:
    """A whole cloud on 127.0.0.1, on free ports and on one simulated clock; use it as a context manager.

    One at a time in a process, as of `EmbeddedAws`.

    Args:
        folder: where unpacked functions and other working files lie while the cloud runs.
        start: the simulated moment at which it starts.
        library: what Spotify knows.
        shape: how Spotify answers: as since February 2026 ("development") or as before ("extended").
        region: the AWS region.

    Attributes:
        spotify: the simulator of the Spotify Web API.
        server: the AWS behind it, for those who look inside.
        log: every step that AWS's services took, errors included.
    """

    def __init__(
        self,
        folder: Path,
        *,
        start: datetime,
        library: Library,
        shape: Shape = "development",
        region: str = "eu-central-1",
    ) -> None:
        self._aws = EmbeddedAws(folder, start=start, region=region)
        self.spotify = Simulator(library, lambda: self._aws.now, shape=shape)
        self.server = self._aws.server
        self.log: list[Step] = self._aws.log
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start both."""
        with ExitStack() as starting:
            # Functions end before what they call.
            starting.enter_context(self.spotify)
            starting.enter_context(self._aws)
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop both: no process, socket or working file stays."""
        self._running.close()

    @property
    def now(self) -> datetime:
        """The simulated moment, UTC."""
        return self._aws.now

    def client(self, service: str) -> Any:
        """A boto3 client of the account's owner, who may do everything."""
        return self._aws.client(service)

    def deploy(self, project: Path, *, stack: str = "local", config: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Run a project's Pulumi program and create what it asks for, as `EmbeddedAws.deploy` does.

        Args:
            project: folder of `__main__.py` and `Pulumi.yaml`.
            stack: whose `Pulumi.<stack>.yaml` configures it.
            config: settings that override the file's; Spotify's addresses are always the simulator's.

        Returns:
            The stack's outputs.

        Raises:
            DeploymentError: the program ended with an error, or asks for what cannot be created here.
        """
        addresses = {"spotifyApiUrl": self.spotify.api_url, "spotifyAccountsUrl": self.spotify.accounts_url}
        return self._aws.deploy(
            project, stack=stack, config={**(config or {}), **addresses}, environment=_LAYERS_OF_LOCKS
        )

    def run_until(self, moment: datetime, on_step: Callable[[Step], None] | None = None) -> None:
        """Let simulated time pass, as `EmbeddedAws.run_until` does."""
        self._aws.run_until(moment, on_step)

    def drain(self) -> None:
        """Do all that is due now, as `EmbeddedAws.drain` does."""
        self._aws.drain()
