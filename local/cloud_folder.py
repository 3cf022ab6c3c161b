"""The data folder of a local cloud: what was started, in `cloud.json`, and the account of the embedded AWS."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from local.output_log import earlier_log, set_aside

FORMAT = 1
"""Version of `cloud.json`."""
STACK_FILE = "Pulumi.local.yaml"
"""Configuration of the stack `local`, in the project and in the folder of an empty cloud."""
_RECORD = "cloud.json"
_ACCOUNT = "account"
_WORK = "work"
_PULUMI = "pulumi"
_LOG = "log.txt"


class CloudFolderError(Exception):
    """The folder cannot be used: it is not writable, or its disk is full."""


class ForeignFolderError(CloudFolderError):
    """The folder holds somebody else's files."""


class UnreadableFolderError(CloudFolderError):
    """The folder is damaged, or another version wrote it."""


@dataclass(frozen=True, kw_only=True)
class CloudRecord:
    """What a local cloud is: settled when it is started for the first time."""

    region: str
    port: int
    """Port of AWS; the simulated Spotify has the next one. Deployed functions know both."""
    spotify: str
    """Which Spotify it reads: `simulated` or `live`."""
    empty: bool
    """Whether nothing is to be deployed."""
    timezone: str
    """Time zone of the listener, an IANA name."""
    seed: int
    """Seed of the simulated listener."""
    start: str
    """Simulated time of the first start, in ISO 8601."""
    client_id: str
    """Id of the app that the simulated Spotify knows."""
    client_secret: str
    program: str = ""
    """Digest of the program that was deployed; empty until then."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Outputs of the deployed stack; empty until then."""

    @property
    def spotify_port(self) -> int:
        """Port of the simulated Spotify."""
        return self.port + 1


class CloudFolder:
    """A data folder, which may not exist yet.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.account = self.path / _ACCOUNT
        """Folder of the account of the embedded AWS."""
        self.work = self.path / _WORK
        """Folder for unpacked functions and other working files, emptied at each start."""
        self.pulumi = self.path / _PULUMI
        """Pulumi's state, if `pulumi up` deploys into an empty cloud."""
        self.stack_file = self.path / STACK_FILE
        """Configuration of that stack, with this cloud's ports."""
        self.log = self.path / _LOG
        """Output of a cloud in the background."""

    def read(self) -> CloudRecord | None:
        """Return what the folder holds; None if it is empty or does not exist.

        Raises:
            ForeignFolderError: it holds something else.
            UnreadableFolderError: it is damaged, or another version wrote it.
            CloudFolderError: it cannot be read.
        """
        try:
            text = (self.path / _RECORD).read_text("utf-8")
        except FileNotFoundError:
            self._check_is_free()
            return None
        except (OSError, ValueError) as error:
            raise self._unusable(error) from error
        try:
            content = json.loads(text)
            found = content.pop("format")
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise UnreadableFolderError(f"{self.path / _RECORD} is damaged") from error
        if found != FORMAT:
            raise UnreadableFolderError(f"Another version of spotify-etl wrote the data folder {self.path}")
        try:
            return CloudRecord(**content)
        except TypeError as error:
            raise UnreadableFolderError(f"{self.path / _RECORD} is damaged") from error

    def write(self, record: CloudRecord) -> None:
        """Write what the folder holds; only the user can read it, since it has a secret.

        Raises:
            CloudFolderError: it cannot be written.
        """
        temporary = self.path / f".{_RECORD}"
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary.touch(mode=0o600)
            temporary.write_text(json.dumps({"format": FORMAT, **asdict(record)}, indent=1), "utf-8")
            temporary.replace(self.path / _RECORD)
        except OSError as error:
            raise self._unusable(error) from error

    def prepare_stack(self, configuration: str) -> None:
        """Write the configuration of a stack, and create the folder for its state.

        Raises:
            CloudFolderError: they cannot be written.
        """
        try:
            self.pulumi.mkdir(exist_ok=True, mode=0o700)
            self.stack_file.write_text(configuration, "utf-8")
        except OSError as error:
            raise self._unusable(error) from error

    def delete_account(self) -> None:
        """Delete the account.

        Raises:
            CloudFolderError: it cannot be deleted.
        """
        self._delete(self.account)

    def clear_work(self) -> None:
        """Delete the working files that a killed process left behind.

        Raises:
            CloudFolderError: they cannot be deleted.
        """
        self._delete(self.work)

    def exists(self) -> bool:
        """Return whether the folder holds the data of a local cloud.

        Raises:
            CloudFolderError: it cannot be read, or holds something else.
        """
        if (self.path / _RECORD).exists() or self.log.exists():
            return True
        self._check_is_free()
        return False

    def open_log(self) -> IO[bytes]:
        """Open the log, to append to it.

        Raises:
            CloudFolderError: it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            set_aside(self.log)
            return self.log.open("ab")
        except OSError as error:
            raise self._unusable(error) from error

    def forget(self) -> None:
        """Delete everything but the log.

        Raises:
            CloudFolderError: it cannot be deleted.
        """
        # The record last: without it, what is left would be somebody else's.
        for name in (_ACCOUNT, _WORK, _PULUMI, STACK_FILE, f".{_RECORD}", _RECORD):
            self._delete(self.path / name)

    def delete(self) -> None:
        """Delete everything that local clouds write here, and the folder if nothing else is in it.

        Raises:
            CloudFolderError: it cannot be deleted.
        """
        self.forget()
        self._delete(earlier_log(self.log))
        self._delete(self.log)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def _delete(self, path: Path) -> None:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def _check_is_free(self) -> None:
        try:
            names = {entry.name for entry in self.path.iterdir()} if self.path.exists() else set()
        except OSError as error:
            raise self._unusable(error) from error
        if names - {_LOG, earlier_log(self.log).name, f".{_RECORD}"}:
            raise ForeignFolderError(f"{self.path} holds other files and is not the data folder of a local cloud")

    def _unusable(self, error: OSError | ValueError) -> CloudFolderError:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return CloudFolderError(f"The data folder {self.path} cannot be used ({reason})")
