"""The data folder that commands use, and its errors as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.errors import CommandError
from local.cloud_folder import CloudFolder, CloudFolderError
from local.running_cloud import working_folder


def cloud_folder(data: Path | None) -> CloudFolder:
    """Return the data folder that an option names, by default the one in the working folder."""
    return CloudFolder(data or working_folder() / "cloud")


@contextmanager
def folder_errors() -> Iterator[None]:
    """Turn an error of the data folder into a sentence with the next step.

    Raises:
        CommandError: there was one.
    """
    try:
        yield
    except CloudFolderError as error:
        raise CommandError(f"{error}: choose another folder with --data, or delete it.") from error
