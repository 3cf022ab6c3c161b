"""A run: reads the streams that it covers one after another, then writes the manifest."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from handlers import layout
from handlers.extract import times
from handlers.extract.configuration import Configuration
from handlers.extract.continuation import RemainingWork, remaining_work
from handlers.extract.event import Event
from handlers.extract.logs import LOG
from handlers.extract.manifest import Manifest
from handlers.extract.reads.append import read_append
from handlers.extract.reads.catalogue import read_catalogue
from handlers.extract.reads.incremental import read_incremental
from handlers.extract.reads.per_playlist import read_per_playlist
from handlers.extract.reads.playlists import ListingObserver
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.shortfall import ShortReadError
from handlers.extract.reads.snapshot import read_snapshot
from handlers.extract.reads.state import open_state
from handlers.extract.reads.unit_log import UnitLog
from handlers.extract.spotify.account import identify
from handlers.extract.spotify.budget import RUN_REQUESTS, STREAM_REQUESTS, Budget
from handlers.extract.spotify.client import SpotifyClient
from handlers.extract.spotify.credentials import ScopeError, Secret, missing_scopes
from handlers.extract.spotify.errors import LoginError, SpotifyError
from handlers.extract.spotify.quota_locks import QuotaLocks
from handlers.login_secret import Credentials, MalformedSecretError, NotLoggedInError
from handlers.raw.bucket import RawBucket
from handlers.streams import STREAMS, Stream

NOT_LOGGED_IN = "not_logged_in"
"""Reason of a run before the first login, which is no failure."""


def run(
    event: Event,
    configuration: Configuration,
    secret: Secret,
    bucket: RawBucket,
    remaining: Callable[[], float],
    on_login: Callable[[Credentials], None],
) -> tuple[Manifest, layout.ManifestKey]:
    """Read what the event covers and write the manifest, even if the run crashes.

    Args:
        event: what to read.
        configuration: the function's environment.
        secret: holds the login.
        bucket: the raw bucket.
        remaining: returns the seconds left to the invocation.
        on_login: called with the credentials before the first request.

    Returns:
        The manifest and its key.

    Raises:
        Exception: anything that is neither Spotify's failure nor the login's.
    """
    started_at = times.now()
    unit_log = UnitLog(continues=event.may_continue)
    due = [STREAMS[name] for name in configuration.streams if event.covers(STREAMS[name])]
    crash: Exception | None = None
    try:
        left = remaining_work(event, bucket)
        if left:
            due = [stream for stream in due if left.has_stream(stream.name)]
        _read_all(due, event, left, configuration, secret, bucket, remaining, on_login, unit_log)
    except NotLoggedInError:
        unit_log.add_skipped(due, NOT_LOGGED_IN)
    except MalformedSecretError as error:
        unit_log.end_early(due, str(error))
    except LoginError as error:
        unit_log.end_early(due, str(error), error)
    except Exception as error:  # noqa: BLE001 - raised again once the manifest records it
        crash = error
        unit_log.end_early(due, f"The run crashed ({type(error).__name__}): see the function's log.")
    manifest = Manifest.of(event, unit_log, started_at)
    key = manifest.write(bucket)
    if crash:
        raise crash
    return manifest, key


def _read_all(
    due: list[Stream],
    event: Event,
    left: RemainingWork | None,
    configuration: Configuration,
    secret: Secret,
    bucket: RawBucket,
    remaining: Callable[[], float],
    on_login: Callable[[Credentials], None],
    unit_log: UnitLog,
) -> None:
    if not due:
        return
    credentials = secret.read(configuration.auth_mode)
    on_login(credentials)
    budget = Budget(RUN_REQUESTS, STREAM_REQUESTS, left.requests if left else None)
    client = SpotifyClient(
        credentials,
        secret.replace_token,
        configuration.api_url,
        configuration.accounts_url,
        remaining,
        auth_mode=configuration.auth_mode,
        budget=budget,
        reload=lambda: secret.reload(configuration.auth_mode),
    )
    locks = QuotaLocks(open_state(bucket, layout.LOCKS_STATE_KEY), client.wait_for_lock)
    unit_log.count_requests = lambda: client.requests
    try:
        account = identify(
            client,
            open_state(bucket, layout.LOGIN_STATE_KEY),
            credentials.fingerprint,
            refresh=STREAMS["profile"] in due,
            locks=locks,
            auth_mode=configuration.auth_mode,
        )
    except LoginError:
        raise
    except SpotifyError as error:
        for stream in due:
            unit_log.add_failed(stream, error)
        return
    unit_log.account_id = account.id
    with tempfile.TemporaryDirectory() as folder:
        context = RunContext(
            client=client,
            bucket=bucket,
            folder=Path(folder),
            unit_log=unit_log,
            account=account,
            run_id=event.run_id,
            scheduled_at=event.scheduled_at,
            full=event.full,
            retention_days=configuration.transformed_retention_days,
            locks=locks,
            catalogue=configuration.catalogue_uris,
            has_unit=left.has_unit if left else None,
        )
        for stream in due:
            with budget.stream(stream.name):
                _read(context, stream, credentials)
            _log_read(stream, unit_log)


def _log_read(stream: Stream, unit_log: UnitLog) -> None:
    units = [unit for unit in unit_log.units if unit.stream == stream.name]
    counted = {
        "units": dict(Counter(unit.status for unit in units)),
        "requests": sum(unit.requests for unit in units),
        "records": sum(unit.records for unit in units),
    }
    LOG.info("Stream read.", extra={"stream": stream.name, **counted})


def _read(context: RunContext, stream: Stream, credentials: Credentials) -> None:
    if missing := missing_scopes(credentials, stream):
        context.unit_log.add_failed(stream, ScopeError(stream, missing))
        return
    match stream.mode:
        case "snapshot" if stream.name == "playlists":
            _read_playlists(context, stream)
        case "snapshot":
            read_snapshot(context, stream)
        case "append":
            read_append(context, stream)
        case "incremental":
            read_incremental(context, stream)
        case "per_playlist":
            read_per_playlist(context, stream)
        case "catalogue":
            read_catalogue(context, stream)
        case "import":
            raise ValueError("the function does not read imports")


def _read_playlists(context: RunContext, stream: Stream) -> None:
    observer = ListingObserver()
    unit = read_snapshot(context, stream, observer)
    is_short = isinstance(unit.error, ShortReadError)
    if unit.error and not is_short:
        context.listing = unit.error
    elif (unit.read_complete or is_short) and observer.whole:
        observer.listing.is_short = is_short
        context.listing = observer.listing
