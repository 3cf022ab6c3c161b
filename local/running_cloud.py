"""How other processes find the embedded cloud that `spotify-etl local up` keeps running."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Self

FOLDER_VARIABLE = "SPOTIFY_ETL_LOCAL_FOLDER"
"""Environment variable that chooses another working folder, for instance if the project's folder is read-only."""
_FILE = "running.json"
_LOCK = "running.lock"
_TRIES = 5
_TRY_SECONDS = 0.05


class AlreadyRunningError(Exception):
    """Another local cloud is running, or starting."""


def working_folder() -> Path:
    """Return where the local cloud keeps its files, whatever folder a command is run in."""
    return Path(os.environ.get(FOLDER_VARIABLE) or Path(__file__).resolve().parents[1] / ".local").absolute()


WORKING_FOLDER = working_folder()
"""That folder as it was when the command was started."""


@contextmanager
def only_one(folder: Path | None = None) -> Iterator[None]:
    """Let no other process start a local cloud during this context.

    Raises:
        AlreadyRunningError: another process is in such a context.
        OSError: the folder cannot be written to.
    """
    folder = folder or working_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Released by the system if the process is killed; child processes do not inherit it.
    with (folder / _LOCK).open("a") as lock:
        # `is_running` holds it for a moment.
        for _ in range(_TRIES):
            if _locks(lock, fcntl.LOCK_EX):
                break
            time.sleep(_TRY_SECONDS)
        else:
            raise AlreadyRunningError
        yield


def is_running(folder: Path | None = None) -> bool:
    """Return whether any process is in the context of `only_one`."""
    try:
        with ((folder or working_folder()) / _LOCK).open() as lock:
            return not _locks(lock, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


@dataclass(frozen=True, kw_only=True)
class RunningCloud:
    """An embedded cloud that runs in another process."""

    pid: int
    since: str
    """When it was started, in real time, in ISO 8601."""
    data: str
    """Its data folder, absolute."""
    url: str
    """The endpoint of every AWS service."""
    region: str
    access_key_id: str
    """Access key of the account's owner."""
    secret_access_key: str
    control: str
    """Address of the control socket."""
    control_key: str
    """Key that the control socket expects, in hexadecimal."""
    spotify: str
    """Which Spotify it reads: `simulated` or `live`."""
    accounts_url: str
    """Base URL of the Spotify accounts service."""
    outputs: Mapping[str, Any]
    """Outputs of the deployed stack; empty if nothing was deployed."""

    @classmethod
    def find(cls, folder: Path | None = None) -> Self | None:
        """Return the cloud that is running; None if none is. There is one at a time, whatever its data folder."""
        folder = folder or working_folder()
        try:
            found = cls(**json.loads((folder / _FILE).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        if not _is_alive(found.pid):
            return None
        # The id of a killed process may be that of another one by now, or the killed process not be reaped yet.
        return None if (folder / _LOCK).exists() and not is_running(folder) else found

    def publish(self, folder: Path | None = None) -> None:
        """Write the file that `find` reads; only the user can read it, since it holds keys."""
        folder = folder or working_folder()
        temporary = folder / f".{_FILE}.{os.getpid()}"
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(asdict(self)), "utf-8")
        temporary.replace(folder / _FILE)

    @staticmethod
    def withdraw(folder: Path | None = None) -> None:
        """Remove that file."""
        with contextlib.suppress(FileNotFoundError):
            ((folder or working_folder()) / _FILE).unlink()


def _locks(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
