"""The data folder that commands use, and its errors as sentences."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.errors import CommandError
from local.cloud_folder import CloudFolder, CloudFolderError, ForeignFolderError, UnreadableFolderError
from local.running_cloud import working_folder


def cloud_folder(data: Path | None) -> CloudFolder:
    """Return the data folder that an option names, by default the one in the working folder."""
    return CloudFolder(data or working_folder() / "cloud")


def reset_command(folder: CloudFolder) -> str:
    """Return the command that deletes a data folder."""
    usual = folder.path == cloud_folder(None).path
    return "spotify-etl local reset" if usual else f"spotify-etl local reset --data {shlex.quote(str(folder.path))}"


@contextmanager
def folder_errors(folder: CloudFolder) -> Iterator[None]:
    """Turn an error of a data folder into a sentence with the next step.

    Raises:
        CommandError: there was one.
    """
    try:
        yield
    except ForeignFolderError as error:
        raise CommandError(f"{error}: choose another folder with --data.") from error
    except UnreadableFolderError as error:
        raise CommandError(
            f"{error}: delete it with `{reset_command(folder)}`, or choose another folder with --data."
        ) from error
    except CloudFolderError as error:
        is_full = isinstance(error.__cause__, OSError) and error.__cause__.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "free some space on its disk, or choose" if is_full else "choose"
        raise CommandError(f"{error}: {advice} another folder with --data.") from error
