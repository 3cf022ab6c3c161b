"""AWS and Spotify in one process: the embedded AWS and the Spotify simulator on one clock."""

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

# Functions use the packages installed in this process's environment, so the layers need not contain them.
_LAYERS_OF_LOCKS = {"SPOTIFY_ETL_LAYERS": "locks"}
"""Environment of the program."""


class EmbeddedCloud:
    """A whole cloud on 127.0.0.1, on free ports and one simulated clock; use it as a context manager.

    Only one can run in a process, as with `EmbeddedAws`.

    Args:
        folder: where unpacked functions and other working files are kept while the cloud runs.
        start: the simulated moment at which it starts.
        library: the Spotify account's content.
        shape: how the Web API responds: as it has since February 2026 ("development") or as before ("extended").
        region: the AWS region.
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
        self._aws = EmbeddedAws(folder, start=start, region=region, any_python=True)
        self.spotify = Simulator(library, lambda: self._aws.now, shape=shape)
        """The simulator of the Spotify Web API."""
        self.server = self._aws.server
        """The server of the embedded AWS, with the owner's keys and its address."""
        self.log: list[Step] = self._aws.log
        """Every step of the AWS services, including those that failed."""
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start both."""
        with ExitStack() as starting:
            # Functions must stop before the services that they call.
            starting.enter_context(self.spotify)
            starting.enter_context(self._aws)
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop both, leaving no process, socket or working file behind."""
        self._running.close()

    @property
    def now(self) -> datetime:
        """The simulated moment, UTC."""
        return self._aws.now

    def client(self, service: str) -> Any:
        """Return a boto3 client with the account owner's credentials, which allow everything."""
        return self._aws.client(service)

    def deploy(self, project: Path, *, stack: str = "local", config: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Run a project's Pulumi program and create its resources, as `EmbeddedAws.deploy` does.

        Args:
            project: the folder with `__main__.py` and `Pulumi.yaml`.
            stack: the stack, whose `Pulumi.<stack>.yaml` configures it.
            config: settings that override the file's; Spotify's URLs are always the simulator's.

        Returns:
            The stack's outputs.

        Raises:
            DeploymentError: the program failed, or needs a resource that cannot be created here.
        """
        return deploy_program(self._aws, project, config or {}, self.spotify, stack=stack)

    def run_until(self, moment: datetime, on_step: Callable[[Step], None] | None = None) -> None:
        """Let simulated time pass, as `EmbeddedAws.run_until` does."""
        self._aws.run_until(moment, on_step)

    def drain(self) -> None:
        """Do everything that is due now, as `EmbeddedAws.drain` does."""
        self._aws.drain()


def deploy_program(
    aws: EmbeddedAws, project: Path, config: Mapping[str, str], spotify: Simulator | None, *, stack: str = "local"
) -> dict[str, Any]:
    """Deploy a project's program; with a simulated Spotify, its functions read that one.

    Raises:
        DeploymentError: the program failed, or needs a resource that cannot be created here.
    """
    addresses = {"spotifyApiUrl": spotify.api_url, "spotifyAccountsUrl": spotify.accounts_url} if spotify else {}
    return aws.deploy(project, stack=stack, config={**config, **addresses}, environment=_LAYERS_OF_LOCKS)
