"""Checks of the login, its scopes and Spotify's locks."""

from __future__ import annotations

from collections.abc import Iterator

from cli.doctor.check import Check
from cli.pipeline_functions import DeployedFunction, deployed_function
from cli.secret_login import replace_token, stored_login
from cli.spotify_accounts import SpotifyApp, TokenRefusedError, check_app, refresh_consent
from cli.status.gathering import active_locks
from cli.targets import Target
from handlers.login_lifetime import LIFETIME_DAYS, WARN_FROM_DAYS
from handlers.login_secret import Credentials, MalformedSecretError, NotLoggedInError
from handlers.streams import STREAMS, scopes


def check_spotify(target: Target) -> Iterator[Check]:
    """Yield the state of the secret, whether Spotify accepts it, its scopes, and what Spotify has locked."""
    function = deployed_function(target, "extract")
    app_only = function.environment.get("AUTH_MODE") == "app"
    command = f"spotify-etl login{' --app' if app_only else ''}"
    name = target.outputs["spotify_secret_name"]
    try:
        login = stored_login(target, "app" if app_only else "user")
    except NotLoggedInError:
        yield Check("fail", "Secret", f"{name} is empty: run `{command}`.")
    except MalformedSecretError as error:
        yield Check("fail", "Secret", f"{name} is not what `{command}` writes ({error}): run it again.")
    else:
        yield Check("ok", "Secret", f"{name} is filled")
        yield from _check_login(target, function, login, command)
    yield from _check_locks(target, function)


def _check_login(target: Target, function: DeployedFunction, login: Credentials, command: str) -> Iterator[Check]:
    app = SpotifyApp(login.client_id, login.client_secret)
    accounts_url = function.environment["SPOTIFY_ACCOUNTS_URL"]
    app_only = command.endswith("--app")
    try:
        if app_only:
            check_app(app, accounts_url)
        else:
            token = refresh_consent(app, login.refresh_token, accounts_url)
            if token != login.refresh_token:
                replace_token(target, login.refresh_token, token)
    except TokenRefusedError as error:
        yield Check("fail", "Spotify login", f"Spotify refuses it ({error}): run `{command}`.")
    else:
        yield Check("ok", "Spotify login", f"Spotify accepts it{_age(login.ends_on)}")
    if app_only:
        return
    days = (function.asked_at - login.authorized_at).days if login.authorized_at else None
    if days is not None and WARN_FROM_DAYS <= days < LIFETIME_DAYS:
        yield Check("warn", "Spotify login", f"It ends on {login.ends_on}: run `{command}` before that.")
    yield _scopes(login.scopes, function.environment.get("STREAMS", ""), command)


def _check_locks(target: Target, function: DeployedFunction) -> Iterator[Check]:
    locks = active_locks(target, function.asked_at)
    for lock in locks:
        until = lock.until[:16].replace("T", " ")
        yield Check(
            "warn", "Spotify quota", f"{lock.group} is locked until {until} UTC: the next run after that continues."
        )
    if not locks:
        yield Check("ok", "Spotify quota", "nothing is locked")


def _age(ends_on: object) -> str:
    return f"; it ends on {ends_on}" if ends_on else ""


def _scopes(granted: frozenset[str] | None, streams: str, command: str) -> Check:
    names = tuple(name for name in streams.split(",") if name in STREAMS)
    if granted is None:
        return Check(
            "warn", "Scopes", f"The secret does not say which were granted: run `{command}` to have them shown."
        )
    missing = sorted(set(scopes(names)) - granted)
    if not missing:
        return Check("ok", "Scopes", "enough for every stream that the stack reads")
    lacking = [name for name in names if set(STREAMS[name].scopes) - granted]
    return Check(
        "fail",
        "Scopes",
        f"{', '.join(missing)} missing, so {', '.join(lacking)} cannot be read: run `{command} --streams "
        f"{','.join(names)}`.",
    )
