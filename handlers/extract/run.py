"""One run: the streams it covers, one after the other, and the manifest at its end."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from handlers import layout
from handlers.extract import times
from handlers.extract.configuration import Configuration
from handlers.extract.continuation import RemainingWork, remaining_work
from handlers.extract.event import Event
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
from handlers.extract.spotify.credentials import (
    Credentials,
    MalformedSecretError,
    NotLoggedInError,
    ScopeError,
    Secret,
    missing_scopes,
)
from handlers.extract.spotify.errors import LoginError, SpotifyError
from handlers.extract.spotify.quota_locks import QuotaLocks
from handlers.raw.bucket import RawBucket
from handlers.streams import STREAMS, Stream


def run(
    event: Event,
    configuration: Configuration,
    secret: Secret,
    bucket: RawBucket,
    remaining: Callable[[], float],
    on_login: Callable[[Credentials], None],
) -> tuple[Manifest, layout.ManifestKey]:
    """Read what the event asks for and write the manifest; a manifest is written also when the run crashes.

    Args:
        event: what is asked for.
        configuration: the environment of the function.
        secret: where the login is.
        bucket: the raw bucket.
        remaining: seconds that the invocation may still take.
        on_login: is told of the present login before anything is asked.

    Raises:
        Exception: whatever is neither Spotify's failure nor that of the login.
    """
    started_at = times.now()
    unit_log = UnitLog(continues=event.may_continue)
    due = [STREAMS[name] for name in configuration.streams if event.covers(STREAMS[name])]
    crash: Exception | None = None
    try:
        left = remaining_work(event, bucket)
        if left:
            due = [stream for stream in due if left.covers(stream.name)]
        _read_all(due, event, left, configuration, secret, bucket, remaining, on_login, unit_log)
    except NotLoggedInError:
        unit_log.note_skipped(due, "not_logged_in")
    except MalformedSecretError as error:
        unit_log.note_end(due, str(error))
    except LoginError as error:
        unit_log.note_end(due, str(error), error)
    except Exception as error:  # noqa: BLE001 - it is raised again once the manifest tells of it
        crash = error
        unit_log.note_end(due, f"The run crashed ({type(error).__name__}): the function's log says where.")
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
            ask=STREAMS["profile"] in due,
            locks=locks,
            auth_mode=configuration.auth_mode,
        )
    except LoginError:
        raise
    except SpotifyError as error:
        for stream in due:
            unit_log.note_failure(stream, error)
        return
    unit_log.account_id = account.id
    with tempfile.TemporaryDirectory() as folder:
        work = RunContext(
            client,
            bucket,
            Path(folder),
            unit_log,
            account,
            run_id=event.run_id,
            scheduled_at=event.scheduled_at,
            full=event.full,
            retention_days=configuration.transformed_retention_days,
            locks=locks,
            catalogue=configuration.catalogue_uris,
            covers_unit=left.covers_unit if left else None,
        )
        for stream in due:
            with budget.stream(stream.name):
                _read(work, stream, credentials)


def _read(work: RunContext, stream: Stream, credentials: Credentials) -> None:
    if missing := missing_scopes(credentials, stream):
        work.unit_log.note_failure(stream, ScopeError(stream, missing))
        return
    match stream.mode:
        case "snapshot" if stream.name == "playlists":
            _read_playlists(work, stream)
        case "snapshot":
            read_snapshot(work, stream)
        case "append":
            read_append(work, stream)
        case "incremental":
            read_incremental(work, stream)
        case "per_playlist":
            read_per_playlist(work, stream)
        case "catalogue":
            read_catalogue(work, stream)
        case "import":
            raise ValueError("an import is nothing that the function reads")


def _read_playlists(work: RunContext, stream: Stream) -> None:
    observer = ListingObserver()
    unit = read_snapshot(work, stream, observer)
    is_short = isinstance(unit.error, ShortReadError)
    if unit.error and not is_short:
        work.listing = unit.error
    elif (unit.read_complete or is_short) and observer.whole:
        observer.listing.is_short = is_short
        work.listing = observer.listing
