"""The data folder that commands use, and its errors as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cli.errors import CommandError
from local.cloud_folder import CloudFolderError
from local.running_cloud import WORKING_FOLDER

DATA = WORKING_FOLDER / "cloud"
"""The data folder unless another one is chosen."""


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
