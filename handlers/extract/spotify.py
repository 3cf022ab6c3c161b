"""The Web API through spotipy: one request, its patience and its failures."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
import spotipy
from requests.adapters import HTTPAdapter
from spotipy.exceptions import SpotifyException
from spotipy.oauth2 import SpotifyOAuth, SpotifyOauthError
from urllib3.util import Retry

from handlers.extract import times
from handlers.extract.credentials import Credentials, TokenCache

MAX_WAIT_SECONDS = 30.0
"""The longest `Retry-After` that is waited for; a longer one locks the stream's quota group."""
UNKNOWN_LOCK = timedelta(hours=24)
"""How long a group is locked where Spotify names no time; reports speak of 6 to 24 hours."""
RESERVE_SECONDS = 120.0
"""Time left to the invocation below which no request is begun: the longest that one takes with its retries, and enough
to upload, save state and write the manifest."""

_TIMEOUTS = (3.05, 10.0)
_BODY_SECONDS = 10.0
_PART_BYTES = 64 * 1024
_MAX_LOCK_SECONDS = 7 * 24 * 3600.0
_WAITS = 5
_BACKOFF_SECONDS = (1.0, 2.0, 4.0)
_READS_OF_A_BROKEN_ANSWER = 3
_RETRY_BACKOFF = 0.5
# spotipy wants one and never uses it: only a login is redirected.
_REDIRECT_URI = "http://127.0.0.1:8888/callback"


class SpotifyError(Exception):
    """A request that Spotify did not answer as documented; the message is one sentence with what to do."""


class LoginError(SpotifyError):
    """Nothing works until somebody logs in again."""


class ForbiddenError(SpotifyError):
    """403: this app or user may not have it."""


class AppForbiddenError(ForbiddenError):
    """403 that speaks of the app or of its consent, and not of what was asked for."""


class NotFoundError(SpotifyError):
    """404: it is gone, or an algorithmic playlist."""


class RefusedError(SpotifyError):
    """Another 4xx."""


class BrokenAnswerError(SpotifyError):
    """An answer that is cut, is no JSON, or has another shape than documented."""


class UnavailableError(SpotifyError):
    """5xx, a reset connection or a time-out, after retries: the only failure that passes by itself."""


class OutOfTimeError(SpotifyError):
    """The invocation is about to end."""


class LockedError(SpotifyError):
    """429 for longer than an invocation should wait."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"Spotify takes no requests of this kind until {times.written(until)}.")
        self.until = until


@dataclass(frozen=True)
class Answer:
    """What Spotify served for one request."""

    value: Any
    path: str
    """Below the API's base URL."""
    params: Mapping[str, str]
    extracted_at: datetime


class SpotifyClient:
    """A logged-in client that counts its requests.

    Args:
        credentials: the app and the consent.
        rotated: called with the old and the new refresh token when Spotify rotates it.
        api_url: base URL of the Web API, with a slash at its end; no request leaves it.
        accounts_url: base URL of the token endpoint, with a slash at its end.
        remaining: seconds that the invocation may still take.
    """

    def __init__(
        self,
        credentials: Credentials,
        rotated: Callable[[str, str], None],
        api_url: str,
        accounts_url: str,
        remaining: Callable[[], float],
    ) -> None:
        self.requests = 0
        """Requests to the Web API so far, with urllib3's retries and without calls for a token."""
        self._api_url = api_url
        self._remaining = remaining
        self._response: requests.Response | None = None
        self._answers: dict[str, Answer | SpotifyError] = {}
        session = _session()
        session.hooks["response"] += [self._note, _bound_body]
        self._cache = TokenCache(credentials.refresh_token, rotated)
        self._auth = SpotifyOAuth(
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
            redirect_uri=_REDIRECT_URI,
            open_browser=False,
            cache_handler=self._cache,
            requests_session=session,
            requests_timeout=_TIMEOUTS,
        )
        self._auth.OAUTH_TOKEN_URL = f"{accounts_url}api/token"
        self._spotify = spotipy.Spotify(auth_manager=self._auth, requests_session=session, requests_timeout=_TIMEOUTS)
        self._spotify.prefix = api_url

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """Ask for a path below the API's base URL.

        Raises:
            SpotifyError: of the classes of this module the one that fits.
        """
        return self.follow(self._api_url + path + (f"?{urlencode(params)}" if params else ""))

    def get_once(self, path: str) -> Answer:
        """Ask for a path that the run needs more than once; the answer, or the failure, is kept.

        Raises:
            SpotifyError: of the classes of this module the one that fits.
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

    def follow(self, url: str) -> Answer:
        """Ask for a whole URL, as `next` gives them.

        Raises:
            SpotifyError: of the classes of this module the one that fits.
        """
        if not url.startswith(self._api_url):
            raise BrokenAnswerError(
                f"Spotify's answer points to {urlsplit(url).netloc or 'no host'} instead of the Web API's own host: "
                "nothing was read from there; check spotifyApiUrl."
            )
        value = self._patiently(url)
        parts = urlsplit(url)
        path = parts.path.removeprefix(urlsplit(self._api_url).path)
        return Answer(value, path, dict(parse_qsl(parts.query)), times.now())

    def _patiently(self, url: str) -> Any:
        waits = broken = 0
        renewed = False
        while True:
            try:
                return self._ask(url)
            except _TooManyRequestsError as error:
                waits += 1
                self._wait(error, waits)
            except BrokenAnswerError:
                broken += 1
                if broken == _READS_OF_A_BROKEN_ANSWER:
                    raise
            except _UnauthorizedError as error:
                if renewed:
                    raise LoginError(
                        "Spotify refuses its own access token (401): run `spotify-etl login` again."
                    ) from error
                renewed = True
                self._cache.forget_access_token()

    def _wait(self, error: _TooManyRequestsError, waits: int) -> None:
        """Sleep as long as Spotify asks, if that is short; of a bound number of times."""
        seconds = error.retry_after
        if seconds is None and not error.quota and waits <= len(_BACKOFF_SECONDS):
            seconds = _BACKOFF_SECONDS[waits - 1]
        if seconds is None:
            raise LockedError(times.now() + UNKNOWN_LOCK) from error
        if error.quota or waits > _WAITS or seconds > min(MAX_WAIT_SECONDS, self._remaining() - RESERVE_SECONDS):
            raise LockedError(times.now() + timedelta(seconds=seconds)) from error
        time.sleep(seconds)

    def _ask(self, url: str) -> Any:
        # Errors are raised without their cause: its text or arguments may quote what was sent.
        self._check_time()
        self._sign_in()
        self._check_time()
        self._response = None
        try:
            # The one public method of spotipy that takes any address.
            value = self._spotify.next({"next": url})
        except SpotifyException as error:
            raise _failure(error.http_status, error.headers, error.reason, str(error.msg)) from None
        except requests.exceptions.ContentDecodingError:
            raise BrokenAnswerError("Spotify's answer cannot be decompressed: the next run reads it again.") from None
        except requests.exceptions.ChunkedEncodingError:
            raise BrokenAnswerError("Spotify's answer broke off: the next run reads it again.") from None
        except requests.RequestException as error:
            # One that got no answer at all was not noted; how often urllib3 tried it is not known.
            if error.request is not None and str(error.request.url).startswith(self._api_url):
                self.requests += 1
            raise UnavailableError(
                f"Spotify did not answer ({type(error).__name__}), after retries: the next run tries again."
            ) from None
        except AttributeError:
            # spotipy trips over an error whose body is JSON of another shape.
            if self._response is None:
                raise
            raise _failure(self._response.status_code, self._response.headers, None, self._response.text) from None
        if value is None:
            raise BrokenAnswerError("Spotify's answer is no JSON: the next run reads it again.")
        return value

    def _check_time(self) -> None:
        if self._remaining() < RESERVE_SECONDS:
            raise OutOfTimeError("The invocation had no time left: the next run reads it again.")

    def _sign_in(self) -> None:
        """Have an access token at hand before spotipy needs one: it takes an odd answer for a token."""
        self._response = None
        try:
            token = self._auth.get_access_token(as_dict=False)
        except SpotifyOauthError as error:
            raise self._login_failure(error) from None
        except requests.RequestException as error:
            raise UnavailableError(
                f"Spotify gave no access token ({type(error).__name__}): the next run tries again."
            ) from None
        except (AttributeError, KeyError, TypeError):
            token = None
        if not isinstance(token, str) or not token:
            raise UnavailableError("Spotify's access token is unreadable: the next run tries again.")

    def _note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self._response = response
        if response.url.startswith(self._api_url):
            retries = getattr(response.raw, "retries", None)
            self.requests += 1 + len(retries.history if retries else ())

    def _login_failure(self, error: SpotifyOauthError) -> SpotifyError:
        status = self._response.status_code if self._response is not None else 0
        # Whatever is no plain code may be a page of HTML.
        code = error.error if isinstance(error.error, str) and re.fullmatch(r"[a-z_]{1,40}", error.error) else "no code"
        if status == 429 or status >= 500:
            return UnavailableError(f"Spotify gave no access token (HTTP {status}): the next run tries again.")
        if code == "invalid_grant":
            return LoginError(
                "Spotify no longer takes the refresh token (invalid_grant; it lasts six months): "
                "run `spotify-etl login` again."
            )
        return LoginError(
            f"Spotify refuses the app's login (HTTP {status}, {code}): "
            "check its client id and secret, then run `spotify-etl login` again."
        )


class _TooManyRequestsError(SpotifyError):
    def __init__(self, retry_after: float | None, quota: bool) -> None:
        super().__init__("429")
        self.retry_after = retry_after
        self.quota = quota


class _UnauthorizedError(SpotifyError):
    pass


def _session() -> requests.Session:
    """A session that tries again after 5xx, lost connections and time-outs, and never sleeps through a 429."""
    retry = Retry(
        total=3,
        connect=3,
        read=1,
        status=3,
        other=0,
        backoff_factor=_RETRY_BACKOFF,
        status_forcelist=(500, 502, 503, 504),
        # The one POST is for an access token, which may be asked for again.
        allowed_methods=frozenset({"GET", "POST"}),
        respect_retry_after_header=False,
        raise_on_status=False,
    )
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _bound_body(response: requests.Response, *_: Any, **__: Any) -> None:
    """Have the whole body arrive in time: the time-out of requests is one for each of its bytes."""
    raw: Any = response.raw

    def stream(*_: Any, **__: Any) -> Iterator[bytes]:
        end = time.monotonic() + _BODY_SECONDS
        while part := raw.read1(_PART_BYTES, decode_content=True):
            yield part
            if time.monotonic() > end:
                raise requests.ReadTimeout("The body took too long.")

    # What requests reads a body through, and whose errors it translates.
    raw.stream = stream


def _failure(status: int, headers: Mapping[str, str], reason: object, text: str) -> SpotifyError:
    if status == 429:
        return _TooManyRequestsError(_seconds(headers.get("Retry-After")), reason == "QUOTA_EXCEEDED")
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
