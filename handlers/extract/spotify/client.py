"""The Web API through spotipy: one request, its patience and its failures."""

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
from handlers.extract.spotify import session
from handlers.extract.spotify.budget import Budget
from handlers.extract.spotify.credentials import LOGIN_COMMANDS, Credentials
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
from handlers.streams import AuthMode

MAX_WAIT_SECONDS = 30.0
"""The longest `Retry-After` that is waited for; a longer one locks the stream's quota group."""
UNKNOWN_LOCK = timedelta(hours=24)
"""How long a group is locked where Spotify names no time; reports speak of 6 to 24 hours."""
RESERVE_SECONDS = 120.0
"""Time left to the invocation below which no request is begun: the longest that one takes with its retries, and enough
to upload, save state and write the manifest."""
ROTATION_SECONDS = 2.0
"""How long another run may take between getting a new refresh token and writing it into the secret."""

_ADOPTIONS = 5
_MAX_LOCK_SECONDS = 7 * 24 * 3600.0
_WAITS = 5
_BACKOFF_SECONDS = (1.0, 2.0, 4.0)
_READS_OF_A_BROKEN_ANSWER = 3
_OUT_OF_TIME = "The invocation had no time left: the next run reads it again."
# spotipy wants one and never uses it: only a login is redirected.
_REDIRECT_URI = "http://127.0.0.1:8888/callback"


@dataclass(frozen=True)
class Response:
    """What Spotify served for one request."""

    value: Any
    path: str
    """Below the API's base URL."""
    params: Mapping[str, str]
    extracted_at: datetime


class SpotifyClient:
    """A logged-in client that keeps pace and budget and counts its requests.

    Args:
        credentials: the app and the consent.
        on_rotation: called with the old and the new refresh token when Spotify rotates it.
        reload: gives the login as it is kept now, for a refresh token that Spotify no longer accepts; None: there is
            no other.
        api_url: base URL of the Web API, with a slash at its end; no request leaves it.
        accounts_url: base URL of the token endpoint, with a slash at its end.
        remaining: seconds that the invocation may still take.
        auth_mode: `user` refreshes the consent's token, `app` has the app alone log in.
        budget: what each request to the Web API is drawn on; None: of the limits of a run.
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
        """Requests to the Web API so far, with urllib3's retries and without calls for a token."""
        self._api_url = api_url
        self._remaining = remaining
        self._auth_mode = auth_mode
        self._credentials = credentials
        self._reread = reload
        self._adopted = 0
        self._budget = budget or Budget()
        self._pace = Pace()
        self._is_over = False
        """Whether Spotify asked for a wait that outlasts the invocation."""
        self._response: requests.Response | None = None
        self._answers: dict[str, Response | SpotifyError] = {}
        self._tokens = AppTokens() if auth_mode == "app" else UserTokens(credentials.refresh_token, rotated)
        http = session.new_session()
        http.hooks["response"].append(self._note)
        self._auth = _auth(credentials, self._tokens, http)
        self._auth.OAUTH_TOKEN_URL = f"{accounts_url}api/token"
        self._spotify = spotipy.Spotify(requests_session=http, requests_timeout=session.TIMEOUTS)
        self._spotify.prefix = api_url

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Response:
        """Ask for a path below the API's base URL.

        Raises:
            SpotifyError: of the classes of `errors` the one that fits.
        """
        return self.follow(self._api_url + path + (f"?{urlencode(params)}" if params else ""))

    def get_cached(self, path: str) -> Response:
        """Ask for a path that the run needs more than once; the answer, or the failure, is kept.

        Raises:
            SpotifyError: of the classes of `errors` the one that fits.
        """
        if path not in self._answers:
            try:
                self._answers[path] = self.get(path)
            except SpotifyError as error:
                self._answers[path] = error
        kept = self._answers[path]
        if isinstance(kept, SpotifyError):
            raise kept
        return kept

    def follow(self, url: str) -> Response:
        """Ask for a whole URL, as `next` gives them.

        Raises:
            SpotifyError: of the classes of `errors` the one that fits.
        """
        if not _is_below(self._api_url, url):
            raise MalformedResponseError(
                "Spotify's answer points to an address outside of the Web API: nothing was read from there; "
                "check spotifyApiUrl."
            )
        value = self._patiently(url)
        parts = urlsplit(url)
        path = parts.path.removeprefix(urlsplit(self._api_url).path)
        return Response(value, path, dict(parse_qsl(parts.query)), times.now())

    def wait_for_lock(self, seconds: float) -> bool:
        """Wait for a lock to end, if the invocation has the time, and requests for what comes then; whether it has.

        Raises:
            SpotifyError: there is no access token to ask with.
        """
        if self._is_over or self._budget.is_exhausted or not self._has_time_for(seconds):
            return False
        # Before the wait: a login that is refused is not waited for, and a refresh token may be rotated by another run
        # meanwhile.
        self._access_token()
        if not self._has_time_for(seconds):
            return False
        sleep(seconds)
        return True

    def _patiently(self, url: str) -> Any:
        waits = broken = 0
        renewed = False
        while True:
            try:
                return self._ask(url)
            except _TooManyRequestsError as error:
                waits += 1
                seconds = error.asks_for(waits)
                if seconds is None:
                    raise LockedError(times.now() + UNKNOWN_LOCK) from error
                if error.quota or not _is_short(seconds, waits):
                    raise LockedError(times.now() + timedelta(seconds=seconds)) from error
                if not self._has_time_for(seconds):
                    self._is_over = True
                    raise OutOfTimeError(_OUT_OF_TIME) from error
                sleep(seconds)
            except MalformedResponseError:
                broken += 1
                if broken == _READS_OF_A_BROKEN_ANSWER:
                    raise
            except _UnauthorizedError as error:
                if renewed:
                    raise LoginError(
                        f"Spotify refuses its own access token (401): run `{LOGIN_COMMANDS[self._auth_mode]}` again."
                    ) from error
                renewed = True
                self._tokens.forget_access_token()

    def _has_time_for(self, seconds: float) -> bool:
        return seconds <= self._remaining() - RESERVE_SECONDS

    def _ask(self, url: str) -> Any:
        # spotipy is handed the token: by itself it takes an odd answer for one, and asks on the terminal.
        self._spotify.set_auth(self._access_token())
        self._check_time()
        self._budget.spend()
        self._pace.wait()
        self._response = None
        value: Any = None
        failure: SpotifyError | None = None
        try:
            # The one public method of spotipy that takes any address.
            value = self._spotify.next({"next": url})
        except SpotifyException as error:
            failure = _failure(error.http_status, error.headers, error.reason, str(error.msg))
        except requests.RequestException as error:
            failure = _unanswered(error)
        except RecursionError:
            failure = MalformedResponseError("Spotify's answer is nested too deeply: the next run reads it again.")
        except AttributeError:
            # spotipy trips over an error whose body is JSON of another shape.
            response = self._noted()
            if response is None or response.status_code < 400:
                raise
            failure = _failure(response.status_code, response.headers, None, response.text)
        if self._noted() is None:
            # One that got no answer at all; how often urllib3 tried it is not known.
            self.requests += 1
        # Raised out here it has no context: that of an exception may quote what was sent.
        if failure:
            raise failure
        if value is None:
            raise MalformedResponseError("Spotify's answer is no JSON: the next run reads it again.")
        return value

    def _check_time(self) -> None:
        if self._is_over or self._remaining() < RESERVE_SECONDS:
            raise OutOfTimeError(_OUT_OF_TIME)

    def _access_token(self) -> str:
        """The access token at hand, or a new one.

        Raises:
            LoginError: the login is refused, which no other try changes.
            UnavailableError: the token endpoint does not work.
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
                seconds = error.asks_for(waits)
                if seconds is None or not (_is_short(seconds, waits) and self._has_time_for(seconds)):
                    raise UnavailableError(
                        "Spotify gave no access token (HTTP 429): the next run tries again."
                    ) from error
                sleep(seconds)

    def _adopt_newer_token(self) -> bool:
        """Go on with the refresh token that another run has put into the secret, if there is one.

        Raises:
            LoginError: the secret has changed in a way that only the next run can use.
        """
        for seconds in (0.0, ROTATION_SECONDS):
            if seconds and self._has_time_for(seconds):
                sleep(seconds)
            kept = self._reread()
            if kept is None or not isinstance(self._tokens, UserTokens):
                return False
            if not kept.is_same_login(self._credentials):
                # Its account may be another: what this run reads belongs to the one that it began with.
                raise LoginError("Somebody has logged in again meanwhile: the next run uses that login.")
            if kept.refresh_token == self._tokens.refresh_token:
                continue
            if self._adopted == _ADOPTIONS:
                raise LoginError("Other runs keep replacing the refresh token: the next run reads the newest one.")
            self._adopted += 1
            self._tokens.adopt(kept.refresh_token)
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
                f"Spotify gave no access token ({type(error).__name__}): the next run tries again."
            )
        except (AttributeError, KeyError, RecursionError, TypeError):
            # spotipy trips over an answer of another shape.
            response = self._noted()
            if response is not None and response.status_code >= 400:
                failure = self._login_failure(None)
        # As in `_ask`.
        if failure:
            raise failure
        # requests sends no other text in a header.
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token.strip():
            self._tokens.forget_access_token()
            raise UnavailableError("Spotify's access token is unreadable: the next run tries again.")
        return token

    def _noted(self) -> requests.Response | None:
        """What the latest request was answered."""
        return self._response

    def _note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self._response = response
        if response.url.startswith(self._api_url):
            tried = getattr(response.raw, "retries", None)
            retries = len(tried.history) if tried else 0
            self.requests += 1 + retries
            self._budget.charge(retries)

    def _login_failure(self, error: object) -> SpotifyError:
        response = self._noted()
        status = 0 if response is None else response.status_code
        if response is not None and status == 429:
            return _TooManyRequestsError(_seconds(response.headers.get("Retry-After")), quota=False)
        if status >= 500:
            return UnavailableError(f"Spotify gave no access token (HTTP {status}): the next run tries again.")
        # Whatever is no plain code may be a page of HTML.
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

    def asks_for(self, waits: int) -> float | None:
        """Seconds to wait before the next try; None: nobody knows, and it was tried often enough."""
        if self.retry_after is None and not self.quota and waits <= len(_BACKOFF_SECONDS):
            return _BACKOFF_SECONDS[waits - 1]
        return self.retry_after


class _UnauthorizedError(SpotifyError):
    pass


class _InvalidGrantError(LoginError):
    """The refresh token has expired, was revoked, or was replaced by a newer one."""


def _is_below(base: str, url: str) -> bool:
    """Whether a URL lies below a base URL, also once a client or server has resolved `..` in its path."""
    if not url.startswith(base) or not url.isascii() or not url.isprintable() or " " in url:
        return False
    path = unquote(urlsplit(url).path).replace("\\", "/")
    return not {".", ".."} & set(path.split("/"))


def _is_short(seconds: float, waits: int) -> bool:
    return waits <= _WAITS and seconds <= MAX_WAIT_SECONDS


def _auth(credentials: Credentials, tokens: AppTokens | UserTokens, http: requests.Session) -> Any:
    if isinstance(tokens, AppTokens):
        return SpotifyClientCredentials(
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
            cache_handler=tokens,
            requests_session=http,
            requests_timeout=session.TIMEOUTS,
        )
    return SpotifyOAuth(
        client_id=credentials.client_id,
        client_secret=credentials.client_secret,
        redirect_uri=_REDIRECT_URI,
        open_browser=False,
        cache_handler=tokens,
        requests_session=http,
        requests_timeout=session.TIMEOUTS,
    )


def _unanswered(error: requests.RequestException) -> SpotifyError:
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return MalformedResponseError("Spotify's answer cannot be decompressed: the next run reads it again.")
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return MalformedResponseError("Spotify's answer broke off: the next run reads it again.")
    if isinstance(error, requests.TooManyRedirects):
        return RefusedError("Spotify's answer leads to another address, which is not followed: check spotifyApiUrl.")
    return UnavailableError(
        f"Spotify did not answer ({type(error).__name__}), after retries: the next run tries again."
    )


def _failure(status: int, headers: Mapping[str, str], reason: object, text: str) -> SpotifyError:
    if status == 429:
        return _TooManyRequestsError(_seconds(headers.get("Retry-After")), quota=reason == "QUOTA_EXCEEDED")
    if status == 401:
        return _UnauthorizedError("401")
    if status == 403:
        return _forbidden(text)
    if status == 404:
        return NotFoundError("Spotify has no such thing any more (404): it may have been deleted.")
    if status >= 500:
        return UnavailableError(f"Spotify failed (HTTP {status}), after retries: the next run tries again.")
    return RefusedError(f"Spotify refuses the request (HTTP {status}): report it, the API may have changed.")


def _forbidden(text: str) -> ForbiddenError:
    if "premium" in text.lower():
        return AppForbiddenError(
            "Spotify refuses (403): the owner of the app needs an active Premium subscription, "
            "and a new one takes some hours to count."
        )
    if "scope" in text.lower():
        return AppForbiddenError("Spotify refuses (403): the consent lacks a scope; run `spotify-etl login` again.")
    return ForbiddenError("Spotify refuses (403): this app or user may not read it.")


def _seconds(text: str | None) -> float | None:
    """A `Retry-After` in seconds; None where it is missing, unreadable or beyond belief."""
    if text is None or not text.strip().isdecimal():
        return None
    seconds = float(text)
    return seconds if seconds <= _MAX_LOCK_SECONDS else None
