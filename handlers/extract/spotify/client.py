"""The Web API through spotipy: requests, their retries and their errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import sleep
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import requests
import spotipy
from spotipy.exceptions import SpotifyException
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOAuth, SpotifyOauthError

from handlers.extract import times
from handlers.extract.logs import LOG
from handlers.extract.spotify import session
from handlers.extract.spotify.budget import Budget
from handlers.extract.spotify.credentials import LOGIN_COMMANDS
from handlers.extract.spotify.errors import (
    AppForbiddenError,
    ForbiddenError,
    LockedError,
    LoginError,
    MalformedResponseError,
    NotFoundError,
    OutOfTimeError,
    RefusedError,
    SpotifyError,
    UnavailableError,
)
from handlers.extract.spotify.pacing import Pace
from handlers.extract.spotify.tokens import AppTokens, UserTokens
from handlers.login_secret import Credentials
from handlers.streams import AuthMode

MAX_WAIT_SECONDS = 30.0
"""Longest `Retry-After` to wait for; a longer one locks the stream's quota group."""
UNKNOWN_LOCK = timedelta(hours=24)
"""How long a group is locked if Spotify names no time; users report 6 to 24 hours."""
RESERVE_SECONDS = 120.0
"""Time that must be left to the invocation to start a request: enough for the longest one with its retries, and then
to upload, save state and write the manifest."""
ROTATION_SECONDS = 2.0
"""How long another run may take from receiving a new refresh token to writing it into the secret."""

_MAX_ADOPTIONS = 5
_MAX_LOCK_SECONDS = 7 * 24 * 3600.0
_WAITS = 5
_BACKOFF_SECONDS = (1.0, 2.0, 4.0)
_MALFORMED_TRIES = 3
_OUT_OF_TIME = "The invocation ran out of time: the next run reads it again."
# Required by spotipy, but used only for a login.
_REDIRECT_URI = "http://127.0.0.1:8888/callback"


@dataclass(frozen=True, kw_only=True)
class Response:
    """Spotify's response to one request."""

    value: Any
    """The parsed JSON."""
    path: str
    """Path below the API's base URL."""
    params: Mapping[str, str]
    extracted_at: datetime


class SpotifyClient:
    """A logged-in client that keeps to pace and budget and counts its requests.

    Args:
        credentials: the app and the consent.
        on_rotation: called with the old and the new refresh token when Spotify rotates it.
        api_url: base URL of the Web API, ending with a slash; no request leaves it.
        accounts_url: base URL of the token endpoint, ending with a slash.
        remaining: returns the seconds left to the invocation.
        auth_mode: `user` refreshes the consent's token, `app` logs in the app alone.
        budget: budget of all requests to the Web API; by default that of a run.
        reload: reads the login again after Spotify has rejected the refresh token; returns None if there is none.
    """

    def __init__(
        self,
        credentials: Credentials,
        on_rotation: Callable[[str, str], None],
        api_url: str,
        accounts_url: str,
        remaining: Callable[[], float],
        *,
        auth_mode: AuthMode = "user",
        budget: Budget | None = None,
        reload: Callable[[], Credentials | None] = lambda: None,
    ) -> None:
        self.requests = 0
        """Requests to the Web API so far, including urllib3's retries but not token requests."""
        self._api_url = api_url
        self._remaining = remaining
        self._auth_mode = auth_mode
        self._credentials = credentials
        self._reload = reload
        self._adoptions = 0
        self._budget = budget or Budget()
        self._pace = Pace()
        self._must_stop = False
        """Whether Spotify demanded a wait that outlasts the invocation."""
        self._response: requests.Response | None = None
        self._cached: dict[str, Response | SpotifyError] = {}
        self._tokens = AppTokens() if auth_mode == "app" else UserTokens(credentials.refresh_token, on_rotation)
        http = session.new_session()
        http.hooks["response"].append(self._record)
        self._auth = _auth_manager(credentials, self._tokens, http)
        self._auth.OAUTH_TOKEN_URL = f"{accounts_url}api/token"
        self._spotify = spotipy.Spotify(requests_session=http, requests_timeout=session.TIMEOUTS)
        self._spotify.prefix = api_url

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Response:
        """Get a path below the API's base URL.

        Raises:
            SpotifyError: the request failed.
        """
        return self.follow(self._api_url + path + (f"?{urlencode(params)}" if params else ""))

    def get_cached(self, path: str) -> Response:
        """Get a path that the run needs more than once; cache the response or the error.

        Raises:
            SpotifyError: the request failed.
        """
        if path not in self._cached:
            try:
                self._cached[path] = self.get(path)
            except SpotifyError as error:
                self._cached[path] = error
        cached = self._cached[path]
        if isinstance(cached, SpotifyError):
            raise cached
        return cached

    def follow(self, url: str) -> Response:
        """Get an absolute URL, such as a page's `next` link.

        Raises:
            SpotifyError: the request failed.
        """
        if not _is_below(self._api_url, url):
            raise MalformedResponseError(
                "Spotify's response links to an address outside the Web API, which was not followed: "
                "check spotifyApiUrl."
            )
        value = self._get_with_retries(url)
        parts = urlsplit(url)
        path = parts.path.removeprefix(urlsplit(self._api_url).path)
        return Response(value=value, path=path, params=dict(parse_qsl(parts.query)), extracted_at=times.now())

    def wait_for_lock(self, seconds: float) -> bool:
        """Wait for a lock to end if the invocation has the time, and requests left; return whether it did.

        Raises:
            SpotifyError: there is no access token.
        """
        if self._must_stop or self._budget.is_exhausted or not self._has_time_for(seconds):
            return False
        # Before the wait, which a refused login would waste, and during which another run may rotate the refresh token.
        self._access_token()
        if not self._has_time_for(seconds):
            return False
        LOG.info("Waiting for a quota lock to end.", extra={"seconds": round(seconds)})
        sleep(seconds)
        return True

    def _get_with_retries(self, url: str) -> Any:
        waits = broken = 0
        renewed = False
        while True:
            try:
                return self._send(url)
            except _TooManyRequestsError as error:
                waits += 1
                seconds = error.wait_seconds(waits)
                if seconds is None:
                    raise LockedError(times.now() + UNKNOWN_LOCK) from error
                if error.quota or not _is_bearable(seconds, waits):
                    raise LockedError(times.now() + timedelta(seconds=seconds)) from error
                if not self._has_time_for(seconds):
                    self._must_stop = True
                    raise OutOfTimeError(_OUT_OF_TIME) from error
                LOG.info("Spotify asks for a wait (429).", extra={"seconds": round(seconds)})
                sleep(seconds)
            except MalformedResponseError:
                broken += 1
                if broken == _MALFORMED_TRIES:
                    raise
            except _UnauthorizedError as error:
                if renewed:
                    raise LoginError(
                        f"Spotify rejects its own access token (401): run `{LOGIN_COMMANDS[self._auth_mode]}` again."
                    ) from error
                renewed = True
                self._tokens.forget_access_token()

    def _has_time_for(self, seconds: float) -> bool:
        return seconds <= self._remaining() - RESERVE_SECONDS

    def _send(self, url: str) -> Any:
        # On its own spotipy accepts malformed responses as tokens, and prompts on the terminal.
        self._spotify.set_auth(self._access_token())
        self._check_time()
        self._budget.spend()
        self._pace.wait()
        self._response = None
        value: Any = None
        failure: SpotifyError | None = None
        try:
            # spotipy's only public method that accepts any URL.
            value = self._spotify.next({"next": url})
        except SpotifyException as error:
            failure = _status_error(error.http_status, error.headers, error.reason, str(error.msg))
        except requests.RequestException as error:
            failure = _transport_error(error)
        except RecursionError:
            failure = MalformedResponseError("Spotify's response is nested too deeply: the next run reads it again.")
        except AttributeError:
            # spotipy crashes on an error whose JSON body has another shape.
            response = self._last_response()
            if response is None or response.status_code < 400:
                raise
            failure = _status_error(response.status_code, response.headers, None, response.text)
        if self._last_response() is None:
            # No response at all; how often urllib3 tried is unknown.
            self.requests += 1
        # Raised outside the handlers, without their exceptions as context: those may quote secrets.
        if failure:
            raise failure
        if value is None:
            raise MalformedResponseError("Spotify's response is not valid JSON: the next run reads it again.")
        return value

    def _check_time(self) -> None:
        if self._must_stop or self._remaining() < RESERVE_SECONDS:
            raise OutOfTimeError(_OUT_OF_TIME)

    def _access_token(self) -> str:
        """Return the current access token or a new one.

        Raises:
            LoginError: Spotify refuses the login.
            UnavailableError: the token endpoint is unavailable.
        """
        waits = 0
        while True:
            self._check_time()
            try:
                return self._token()
            except _InvalidGrantError:
                if not self._adopt_newer_token():
                    raise
            except _TooManyRequestsError as error:
                waits += 1
                seconds = error.wait_seconds(waits)
                if seconds is None or not (_is_bearable(seconds, waits) and self._has_time_for(seconds)):
                    raise UnavailableError(
                        "Spotify issued no access token (HTTP 429): the next run tries again."
                    ) from error
                sleep(seconds)

    def _adopt_newer_token(self) -> bool:
        """Switch to a refresh token that another run has stored in the secret; return whether there is one.

        Raises:
            LoginError: only the next run can use the secret as it is now.
        """
        for seconds in (0.0, ROTATION_SECONDS):
            if seconds and self._has_time_for(seconds):
                sleep(seconds)
            current = self._reload()
            if current is None or not isinstance(self._tokens, UserTokens):
                return False
            if not current.is_same_login(self._credentials):
                # This may be another account, and the run has started with the previous one.
                raise LoginError("There was a new login during the run: the next run uses it.")
            if current.refresh_token == self._tokens.refresh_token:
                continue
            if self._adoptions == _MAX_ADOPTIONS:
                raise LoginError("Other runs keep replacing the refresh token: the next run uses the newest one.")
            self._adoptions += 1
            self._tokens.adopt(current.refresh_token)
            return True
        return False

    def _token(self) -> str:
        token: Any = None
        failure: SpotifyError | None = None
        self._response = None
        try:
            token = self._auth.get_access_token(as_dict=False)
        except SpotifyOauthError as error:
            failure = self._login_failure(error.error)
        except requests.RequestException as error:
            failure = UnavailableError(
                f"Spotify issued no access token ({type(error).__name__}): the next run tries again."
            )
        except (AttributeError, KeyError, RecursionError, TypeError):
            # spotipy crashes on a response of another shape.
            response = self._last_response()
            if response is not None and response.status_code >= 400:
                failure = self._login_failure(None)
        # As in `_send`.
        if failure:
            raise failure
        # requests accepts no other text in a header.
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token.strip():
            self._tokens.forget_access_token()
            raise UnavailableError("Spotify's access token is unusable: the next run tries again.")
        return token

    def _last_response(self) -> requests.Response | None:
        """Return the response to the last request; a method because mypy would narrow the attribute to None."""
        return self._response

    def _record(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self._response = response
        if response.url.startswith(self._api_url):
            tried = getattr(response.raw, "retries", None)
            retries = len(tried.history) if tried else 0
            self.requests += 1 + retries
            self._budget.charge(retries)

    def _login_failure(self, error: object) -> SpotifyError:
        response = self._last_response()
        status = 0 if response is None else response.status_code
        if response is not None and status == 429:
            return _TooManyRequestsError(_seconds(response.headers.get("Retry-After")), quota=False)
        if status >= 500:
            return UnavailableError(f"Spotify issued no access token (HTTP {status}): the next run tries again.")
        # Anything but a plain code may be an HTML page.
        code = error if isinstance(error, str) and re.fullmatch(r"[a-z_]{1,40}", error) else "no code"
        again = f"run `{LOGIN_COMMANDS[self._auth_mode]}` again"
        if code == "invalid_grant" and self._auth_mode == "user":
            return _InvalidGrantError(
                f"Spotify no longer accepts the refresh token (invalid_grant; it lasts six months): {again}."
            )
        return LoginError(
            f"Spotify refuses the app's login (HTTP {status}, {code}): check its client id and secret, then {again}."
        )


class _TooManyRequestsError(SpotifyError):
    def __init__(self, retry_after: float | None, *, quota: bool) -> None:
        super().__init__("429")
        self.retry_after = retry_after
        self.quota = quota

    def wait_seconds(self, waits: int) -> float | None:
        """Return the seconds to wait before retrying; None if they are unknown and it was retried often enough."""
        if self.retry_after is None and not self.quota and waits <= len(_BACKOFF_SECONDS):
            return _BACKOFF_SECONDS[waits - 1]
        return self.retry_after


class _UnauthorizedError(SpotifyError):
    pass


class _InvalidGrantError(LoginError):
    """The refresh token has expired, was revoked, or was replaced by a newer one."""


def _is_below(base: str, url: str) -> bool:
    """Return whether a URL is below a base URL, even after a client or server resolves `..` in its path."""
    if not url.startswith(base) or not url.isascii() or not url.isprintable() or " " in url:
        return False
    path = unquote(urlsplit(url).path).replace("\\", "/")
    return not {".", ".."} & set(path.split("/"))


def _is_bearable(seconds: float, waits: int) -> bool:
    return waits <= _WAITS and seconds <= MAX_WAIT_SECONDS


def _auth_manager(credentials: Credentials, tokens: AppTokens | UserTokens, http: requests.Session) -> Any:
    options = {
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "cache_handler": tokens,
        "requests_session": http,
        "requests_timeout": session.TIMEOUTS,
    }
    if isinstance(tokens, AppTokens):
        return SpotifyClientCredentials(**options)
    return SpotifyOAuth(**options, redirect_uri=_REDIRECT_URI, open_browser=False)


def _transport_error(error: requests.RequestException) -> SpotifyError:
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return MalformedResponseError("Spotify's response cannot be decompressed: the next run reads it again.")
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return MalformedResponseError("Spotify's response was cut off: the next run reads it again.")
    if isinstance(error, requests.TooManyRedirects):
        return RefusedError("Spotify redirects to another address, which is not followed: check spotifyApiUrl.")
    return UnavailableError(
        f"Spotify did not respond ({type(error).__name__}), even after retries: the next run tries again."
    )


def _status_error(status: int, headers: Mapping[str, str], reason: object, text: str) -> SpotifyError:
    if status == 429:
        return _TooManyRequestsError(_seconds(headers.get("Retry-After")), quota=reason == "QUOTA_EXCEEDED")
    if status == 401:
        return _UnauthorizedError("401")
    if status == 403:
        return _forbidden(text)
    if status == 404:
        return NotFoundError("Spotify does not find it (404): it may have been deleted.")
    if status >= 500:
        return UnavailableError(f"Spotify failed (HTTP {status}), even after retries: the next run tries again.")
    return RefusedError(f"Spotify rejects the request (HTTP {status}): the API may have changed, please report it.")


def _forbidden(text: str) -> ForbiddenError:
    if "premium" in text.lower():
        return AppForbiddenError(
            "Spotify refuses access (403): the app's owner needs an active Premium subscription; "
            "a new one takes some hours to take effect."
        )
    if "scope" in text.lower():
        return AppForbiddenError("Spotify refuses access (403): a scope is missing; run `spotify-etl login` again.")
    return ForbiddenError("Spotify refuses access (403): this app or user may not read it.")


def _seconds(text: str | None) -> float | None:
    """Parse a `Retry-After` in seconds; return None if it is missing, unreadable or implausibly large."""
    if text is None or not text.strip().isdecimal():
        return None
    seconds = float(text)
    return seconds if seconds <= _MAX_LOCK_SECONDS else None
