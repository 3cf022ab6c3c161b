"""`spotify-etl local up`: keeps the embedded cloud running until Ctrl-C."""

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import tzlocal
from rich.console import Console

from cli.errors import CommandError
from cli.local_cloud.advance import time_line
from cli.local_cloud.folders import cloud_folder, folder_errors, reset_command
from cli.local_cloud.introduction import introduce
from cli.local_cloud.pulumi_stack import stack_configuration
from cli.local_cloud.simulated_login import restore_login, store_login
from cli.local_cloud.stepping import Stepping
from cli.presentation import print_line
from cli.project import PROJECT
from cli.text import quoted
from handlers.streams import READABLE_STREAMS
from local.cloud_folder import CloudFolder, CloudRecord
from local.control import ControlError, ControlServer
from local.kept_cloud import (
    DataDamagedError,
    DataError,
    DataVersionError,
    DeploymentError,
    KeptCloud,
    PortInUseError,
)
from local.ports import PORT
from local.program import program_digest
from local.running_cloud import FOLDER_VARIABLE, AlreadyRunningError, RunningCloud, only_one, working_folder

REGION = "eu-central-1"
"""The region of `Pulumi.local.yaml`."""
_SEED = 1


@dataclass(frozen=True, kw_only=True)
class UpOptions:
    """What the user asks for; what is empty or None is as it was, or the default for a new cloud."""

    data: Path | None = None
    port: int | None = None
    spotify: str = ""
    empty: bool = False
    timezone: str = ""
    advance: timedelta | None = None


def run_up(options: UpOptions, console: Console) -> None:
    """Start the cloud, and keep it running until Ctrl-C, SIGTERM or `local down`.

    Raises:
        CommandError: it cannot be started, or the last changes cannot be saved.
    """
    folder = cloud_folder(options.data)
    with _data_errors(), ExitStack() as running:
        running.enter_context(alone())
        record = settled(folder, options)
        running.enter_context(_sigterm_as_interrupt())
        with explained(folder, is_new=not folder.account.exists()):
            folder.clear_work()
            cloud = running.enter_context(KeptCloud(folder, record))
            if record.empty:
                folder.prepare_stack(stack_configuration(record))
            notice = _deploy_or_return(cloud, folder, console)
        ended = threading.Event()
        stepping = Stepping(cloud, console, ended, folder.log)
        control = running.enter_context(ControlServer(stepping.commands))
        running.callback(RunningCloud.withdraw)
        announced = _running(folder, cloud, control)
        announced.publish()
        introduce(announced, cloud.record, cloud.now, console)
        if notice:
            print_line(console, (notice, "yellow"))
        print_line(console)
        with _ended_by_signals(ended):
            _serve(cloud, stepping, ended, options.advance, console)
        # Before anything stops: other processes must not start anything more.
        RunningCloud.withdraw()
        stepping.wait()
    print_line(console, f"The local cloud has ended; its data are in {folder.path}.")


@contextmanager
def _data_errors() -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise CommandError(quoted(error)) from error


@contextmanager
def alone() -> Iterator[None]:
    """Be the only local cloud in this context.

    Raises:
        CommandError: there is another one, or the working folder cannot be written to.
    """
    with ExitStack() as only:
        try:
            only.enter_context(only_one())
        except AlreadyRunningError as error:
            raise CommandError(
                "A local cloud is already running, and there can be only one: `spotify-etl local status` shows it, and "
                "`spotify-etl local down` ends it."
            ) from error
        except OSError as error:
            raise CommandError(
                f"The folder {working_folder()} cannot be written to ({os.strerror(error.errno or 0)}): set "
                f"{FOLDER_VARIABLE} to another folder."
            ) from error
        yield


def settled(folder: CloudFolder, options: UpOptions) -> CloudRecord:
    """Return what the data folder holds; a new one gets what the options ask for.

    Raises:
        CommandError: the options contradict what it holds, or it cannot be used.
    """
    with folder_errors(folder):
        found = folder.read()
        if found is not None and (found.empty or found.program):
            _check(folder, found, options)
            return found
        # If its deployment was interrupted, nobody has been told about this account.
        folder.delete_account()
        record = CloudRecord(
            region=REGION,
            port=options.port or PORT,
            spotify=options.spotify or "simulated",
            empty=options.empty,
            timezone=options.timezone or _own_timezone(),
            seed=_SEED,
            start=datetime.now(UTC).isoformat(timespec="seconds"),
            client_id=secrets.token_hex(16),
            client_secret=secrets.token_hex(16),
        )
        folder.write(record)
        return record


@contextmanager
def explained(folder: CloudFolder, *, is_new: bool) -> Iterator[None]:
    """Turn what can go wrong while a cloud starts into a sentence with the next step.

    Args:
        folder: its data folder.
        is_new: whether it has never been started.

    Raises:
        CommandError: something did.
    """
    try:
        with folder_errors(folder):
            yield
    except PortInUseError as error:
        step = "stop the program that uses it"
        if is_new:
            # So that another port can be chosen.
            folder.forget()
            step += ", or choose another port with --port"
        raise CommandError(f"{quoted(error).partition(': ')[0]}: {step}.") from error
    except (DataDamagedError, DataVersionError) as error:
        raise CommandError(f"{quoted(error).rstrip('.')} (with `{reset_command(folder)}`).") from error
    except DeploymentError as error:
        raise CommandError(f"The program could not be deployed: {quoted(error)}") from error


def _check(folder: CloudFolder, found: CloudRecord, options: UpOptions) -> None:
    for name, wanted, is_so in (
        ("port", options.port, found.port),
        ("spotify", options.spotify, found.spotify),
        ("timezone", options.timezone, found.timezone),
        ("empty", options.empty, found.empty),
    ):
        if wanted and wanted != is_so:
            what = "was deployed into" if name == "empty" else f"was started with --{name} {is_so}"
            raise CommandError(
                f"The cloud in {folder.path} {what}, which cannot be changed: leave --{name} out, choose another "
                f"folder with --data, or delete this one with `{reset_command(folder)}`."
            )


def _own_timezone() -> str:
    try:
        return tzlocal.get_localzone_name() or "UTC"
    except (LookupError, OSError, ValueError):
        return "UTC"


def _deploy_or_return(cloud: KeptCloud, folder: CloudFolder, console: Console) -> str:
    """Deploy the program into a new cloud; return a notice if that in an earlier one is no longer the same."""
    record, spotify = cloud.record, cloud.spotify
    if record.empty:
        return ""
    settings = _settings(cloud)
    digest = program_digest(PROJECT, settings)
    if not record.program:
        with console.status("Deploying …"):
            outputs = cloud.deploy(PROJECT, settings)
        if spotify is not None:
            streams = tuple(READABLE_STREAMS)
            store_login(spotify, cloud.client, outputs["spotify_secret_name"], streams, cloud.now)
        cloud.save_deployment(outputs, digest)
        return ""
    if spotify is not None:
        restore_login(spotify, cloud.client, record.outputs["spotify_secret_name"])
    if record.program == digest:
        return ""
    return (
        "The program or its settings have changed since this cloud was deployed, which still runs the earlier ones: "
        f"to deploy the new ones, delete its data with `{reset_command(folder)}` and start it again."
    )


def _settings(cloud: KeptCloud) -> Mapping[str, str]:
    settings = {"timezone": cloud.record.timezone}
    if cloud.spotify is None:
        return settings
    catalogue = cloud.spotify.library.uris_to_ask_for()
    return {**settings, "streams": json.dumps(list(READABLE_STREAMS)), "catalogueUris": json.dumps(catalogue)}


def _running(folder: CloudFolder, cloud: KeptCloud, control: ControlServer) -> RunningCloud:
    owner = cloud.server.owner
    return RunningCloud(
        pid=os.getpid(),
        since=cloud.since.isoformat(timespec="seconds"),
        data=str(folder.path),
        url=cloud.server.url,
        region=cloud.record.region,
        access_key_id=owner.access_key_id,
        secret_access_key=owner.secret_access_key,
        control=control.address,
        control_key=control.key,
        spotify=cloud.record.spotify,
        accounts_url=cloud.accounts_url,
        outputs=cloud.record.outputs,
    )


def _serve(
    cloud: KeptCloud, stepping: Stepping, ended: threading.Event, advance: timedelta | None, console: Console
) -> None:
    if advance is not None:

        def let_time_pass() -> None:
            try:
                steps = stepping.advance(advance)
            except ControlError:
                return  # It was ended meanwhile.
            print_line(console, time_line(cloud.now, ZoneInfo(cloud.record.timezone), steps))

        threading.Thread(target=let_time_pass, daemon=True).start()
    cloud.serve(ended, stepping.on_step)


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _ended_by_signals(ended: threading.Event) -> Iterator[None]:
    """Set an event at the first Ctrl-C or SIGTERM; the next one interrupts whatever takes so long."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def end(_number: int, _frame: object) -> None:
        ended.set()
        for number in numbers:
            signal.signal(number, before[number])

    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, before[number])
