"""How other processes find the embedded cloud that `spotify-etl local up` keeps running."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

WORKING_FOLDER = Path(__file__).resolve().parents[1] / ".local"
"""Where the demo and the local cloud keep their files, whatever folder a command is run in."""
_FILE = "running.json"


@dataclass(frozen=True, kw_only=True)
class RunningCloud:
    """An embedded cloud that runs in another process."""

    pid: int
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
    def find(cls, folder: Path = WORKING_FOLDER) -> Self | None:
        """Return the cloud that is running; None if none is. There is one at a time, whatever its data folder."""
        try:
            found = cls(**json.loads((folder / _FILE).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if _is_alive(found.pid) else None

    def publish(self, folder: Path = WORKING_FOLDER) -> None:
        """Write the file that `find` reads; only the user can read it, since it holds keys."""
        temporary = folder / f".{_FILE}.{os.getpid()}"
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(asdict(self)), "utf-8")
        temporary.replace(folder / _FILE)

    @staticmethod
    def withdraw(folder: Path = WORKING_FOLDER) -> None:
        """Remove that file."""
        with contextlib.suppress(FileNotFoundError):
            (folder / _FILE).unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
