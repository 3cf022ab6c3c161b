"""`spotify-etl local reset`: deletes the data of the local cloud."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from cli.errors import CommandError
from cli.local_cloud.folders import cloud_folder, folder_errors
from cli.presentation import print_line, read_line
from local.running_cloud import AlreadyRunningError, only_one


def delete_data(console: Console, *, data: Path | None, yes: bool) -> None:
    """Delete a data folder after asking.

    Raises:
        CommandError: a local cloud is running, it is no data folder, or it cannot be deleted.
    """
    folder = cloud_folder(data)
    try:
        with only_one(), folder_errors():
            if not folder.exists():
                print_line(console, f"There is nothing to delete: {folder.path} has no data of a local cloud.")
                return
            if not yes:
                print_line(
                    console,
                    f"This deletes everything in the local cloud of {folder.path}: objects, tables, messages, logs "
                    "and the login.",
                )
                if read_line(console, "Delete it? [y/N] ").strip().lower() not in ("y", "yes"):
                    raise CommandError("Nothing was deleted: answer y, or pass --yes.")
            folder.delete()
    except AlreadyRunningError as error:
        raise CommandError("A local cloud is running: end it with `spotify-etl local down` first.") from error
    except EOFError as error:
        raise CommandError("Nothing was deleted, because nobody answered: pass --yes to delete it.") from error
    print_line(console, f"Deleted the local cloud's data in {folder.path}; `spotify-etl local up` starts a new one.")
