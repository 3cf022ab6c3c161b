"""Faults on demand: which requests go wrong and how, with a ready-made fault for every known failure."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from spotify_simulator.web.errors import NOT_REGISTERED, PREMIUM_REQUIRED

Action = Literal["answer", "reset", "hang", "cut", "break", "drip", "alter"]
Alteration = Callable[[Any, str], Any]
"""Returns the JSON to send, given the JSON of the real response and the URL of the request."""

_ACCOUNTS = "/api/token"


@dataclass
class Fault:
    """A rule that makes some requests fail; it counts the requests that it matches."""

    path: str
    """Part of the path; `''` matches every request, including those of the token endpoint."""
    nth: Collection[int] | None = None
    """Which of the matching requests fail, counting from 1; None means all."""
    action: Action = "answer"
    """`answer` sends status, headers and body instead of the real response, `reset` breaks the connection without a
    response, `hang` sends nothing until the client gives up. The others start from the real response: `cut` closes the
    connection in the middle of it, `break` resets it there, `drip` sends it slowly, `alter` changes it."""
    status: int = 500
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.5
    """Real time: how long `hang` waits at most before it breaks the connection, and how long `drip` takes."""
    alteration: Alteration | None = None
    """The change that `alter` makes."""
    matched: int = 0
    """Number of requests that have matched so far."""

    def applies_to(self, path: str) -> bool:
        """Count the request if it matches, and return whether it must fail."""
        if self.path not in path:
            return False
        self.matched += 1
        return self.nth is None or self.matched in self.nth


@dataclass(frozen=True)
class KnownFault:
    """A known failure; calling it with a path makes a `Fault` for `Simulator.faults`."""

    doc: str
    """What goes wrong."""
    source: str
    """Where it was seen or is documented."""
    transient: bool
    """Whether the same request succeeds when repeated: such a fault applies once by default, any other every time."""
    path: str | None
    """Path that it strikes by default."""
    settings: Mapping[str, Any]
    """Fields of the fault."""

    def __call__(self, path: str | None = None, *, nth: Collection[int] | None = None, **changes: Any) -> Fault:
        """Make a fault.

        Args:
            path: part of the path; optional for faults of the token endpoint.
            nth: which matching requests, instead of the first or all.
            changes: other fields of the fault, instead of the ready-made ones.

        Raises:
            ValueError: the path is missing.
        """
        path = self.path if path is None else path
        if path is None:
            raise ValueError("A fault of the Web API needs a path: pass part of one, such as 'me/albums'.")
        once = (1,) if self.transient else None
        return Fault(path, once if nth is None else nth, **{**self.settings, **changes})


_RATE_LIMITS = "https://developer.spotify.com/documentation/web-api/concepts/rate-limits"
_QUOTAS = "https://developer.spotify.com/documentation/web-api/concepts/quota-modes"
_API_CALLS = "https://developer.spotify.com/documentation/web-api/concepts/api-calls"
_REFRESH = "https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration"
_CODE_FLOW = "https://developer.spotify.com/documentation/web-api/tutorials/code-flow"
_HTTP = "https://www.rfc-editor.org/rfc/rfc9112#section-8"
_CODING = "https://www.rfc-editor.org/rfc/rfc9110#section-8.4"
_SHORT_PAGES = "https://github.com/spotify/web-api/issues/841"
_PARSING = "spotipy 2.26.0, Spotify._internal_call: a body that is not JSON becomes None"

_LIMITED = '{"error":{"status":429,"message":"API rate limit exceeded"}}'
_EXCEEDED = '{"error":{"status":429,"message":"Too many requests","reason":"QUOTA_EXCEEDED"}}'
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def _api(doc: str, source: str, *, transient: bool, **settings: Any) -> KnownFault:
    return KnownFault(doc, source, transient, None, settings)


def _token(doc: str, source: str, *, transient: bool, **settings: Any) -> KnownFault:
    return KnownFault(doc, source, transient, _ACCOUNTS, settings)


def _server_errors() -> Iterator[tuple[str, KnownFault]]:
    for status in (500, 502, 503, 504):
        phrase = HTTPStatus(status).phrase
        bodies = {
            "json": (json.dumps({"error": {"status": status, "message": phrase}}), _JSON),
            "html": (_PAGE.format(f"{status} {phrase}"), _HTML),
            "empty": ("", _PLAIN),
        }
        for kind, (body, headers) in bodies.items():
            yield (
                f"error_{status}_{kind}",
                _api(
                    f"{status} with a body of the kind {kind}.",
                    "https://github.com/spotipy-dev/spotipy/issues/805",
                    transient=True,
                    status=status,
                    body=body,
                    headers=headers,
                ),
            )


def _page_of(answer: Any) -> Any:
    """Return the page in a response, which may be in `artists` (followed artists) or in `items` (a playlist)."""
    if not isinstance(answer, dict) or "next" in answer:
        return answer
    return next((part for part in answer.values() if isinstance(part, dict) and "next" in part), {})


def _foreign_next(answer: Any, _url: str) -> Any:
    if isinstance(page := _page_of(answer), dict):
        page["next"] = "https://elsewhere.invalid/v1/me/tracks?offset=50&limit=50"
    return answer


def _circular_next(answer: Any, url: str) -> Any:
    if isinstance(page := _page_of(answer), dict):
        page["next"] = url
    return answer


def _ended_after(share: float) -> Alteration:
    """End a list after a fraction of a page's items; the total stays the same."""

    def end(answer: Any, _url: str) -> Any:
        page = _page_of(answer)
        if isinstance(page, dict) and isinstance(items := page.get("items"), list):
            page.update(items=items[: int(len(items) * share)], next=None)
        return answer

    return end


def _with_more_in_total(answer: Any, _url: str) -> Any:
    page = _page_of(answer)
    if isinstance(page, dict) and isinstance(total := page.get("total"), int):
        page["total"] = total + 3
    return answer


def _without_access_token(answer: Any, _url: str) -> Any:
    return {key: value for key, value in answer.items() if key != "access_token"}


FAULTS: dict[str, KnownFault] = {
    "rate_limit_short": _api(
        "429 for a few seconds, with Retry-After.",
        _RATE_LIMITS,
        transient=True,
        status=429,
        body=_LIMITED,
        headers={**_JSON, "Retry-After": "3"},
    ),
    "rate_limit_long": _api(
        "429 for a day, with Retry-After.",
        "https://github.com/spotDL/spotify-downloader/issues/2585",
        transient=False,
        status=429,
        body=_LIMITED,
        headers={**_JSON, "Retry-After": "86400"},
    ),
    "rate_limit_without_retry_after": _api(
        "429 without Retry-After.",
        _RATE_LIMITS,
        transient=True,
        status=429,
        body=_LIMITED,
        headers=_JSON,
    ),
    "rate_limit_unreadable_retry_after": _api(
        "429 whose Retry-After is not a number of seconds.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3",
        transient=True,
        status=429,
        body=_LIMITED,
        headers={**_JSON, "Retry-After": "in a while"},
    ),
    "rate_limit_plain_text": _api(
        "429 whose body is not JSON.",
        _RATE_LIMITS,
        transient=True,
        status=429,
        body="Too many requests",
        headers={**_PLAIN, "Retry-After": "3"},
    ),
    "quota_exceeded": _api(
        "429 because the daily quota is exhausted.",
        _QUOTAS,
        transient=False,
        status=429,
        body=_EXCEEDED,
        headers={**_JSON, "Retry-After": "72000"},
    ),
    "quota_exceeded_without_retry_after": _api(
        "429 of an exhausted quota, without Retry-After.",
        _QUOTAS,
        transient=False,
        status=429,
        body=_EXCEEDED,
        headers=_JSON,
    ),
    **dict(_server_errors()),
    "unavailable_with_retry_after": _api(
        "503 with Retry-After.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.6.4",
        transient=True,
        status=503,
        body='{"error":{"status":503,"message":"Service unavailable"}}',
        headers={**_JSON, "Retry-After": "5"},
    ),
    "reset": _api("The connection is reset before the response.", _HTTP, transient=True, action="reset"),
    "reset_in_body": _api("The connection is reset in the middle of the body.", _HTTP, transient=True, action="break"),
    "cut_body": _api("The body ends before its Content-Length.", _HTTP, transient=True, action="cut"),
    "no_answer": _api(
        "No response within the client's time-out.",
        "spotipy 2.26.0: requests.exceptions.ReadTimeout",
        transient=True,
        action="hang",
        seconds=1.0,
    ),
    "slow_drip": _api(
        "The response is correct but slow, with no single read long enough to time out.",
        "https://requests.readthedocs.io/en/latest/user/quickstart/#timeouts",
        transient=True,
        action="drip",
    ),
    "empty_body": _api("200 with an empty body.", _PARSING, transient=True, status=200, headers=_JSON),
    "html_body": _api(
        "200 with a web page.", _PARSING, transient=True, status=200, body=_PAGE.format("Spotify"), headers=_HTML
    ),
    "truncated_json": _api(
        "200 with truncated JSON in a complete body.",
        _PARSING,
        transient=True,
        status=200,
        body='{"href":"https://api.spotify.com/v1/me/tracks?offset=0&limit=50","items":[{"added_at":"2026-',
        headers=_JSON,
    ),
    "json_list": _api(
        "200 with a list instead of a page.", _API_CALLS, transient=True, status=200, body="[]", headers=_JSON
    ),
    "json_string": _api(
        "200 with a string instead of a page.", _API_CALLS, transient=True, status=200, body='"OK"', headers=_JSON
    ),
    "json_null": _api("200 with null.", _API_CALLS, transient=True, status=200, body="null", headers=_JSON),
    "json_empty_object": _api(
        "200 with an empty object.", _API_CALLS, transient=True, status=200, body="{}", headers=_JSON
    ),
    "gzip_garbage": _api(
        "200 whose body does not have the declared encoding.",
        _CODING,
        transient=True,
        status=200,
        body=b"\x1f\x8b\x08\x00not gzip at all",
        headers={**_JSON, "Content-Encoding": "gzip"},
    ),
    "access_token_expired": _api(
        "401 for an access token that the client believes to be valid.",
        _API_CALLS,
        transient=True,
        status=401,
        body='{"error":{"status":401,"message":"The access token expired"}}',
        headers=_JSON,
    ),
    "forbidden": _api(
        "403, as for someone else's playlist.",
        _API_CALLS,
        transient=False,
        status=403,
        body='{"error":{"status":403,"message":"Forbidden"}}',
        headers=_JSON,
    ),
    "forbidden_premium_required": _api(
        "403 for an app whose owner has no Premium subscription.",
        "https://github.com/zmb3/spotify/issues/301",
        transient=False,
        status=403,
        body=PREMIUM_REQUIRED,
        headers=_PLAIN,
    ),
    "forbidden_plain_text": _api(
        "403 for a user who is not registered for the app.",
        "https://github.com/spotipy-dev/spotipy/issues/1044",
        transient=False,
        status=403,
        body=NOT_REGISTERED,
        headers=_PLAIN,
    ),
    "not_found": _api(
        "404 for something that has been deleted.",
        _API_CALLS,
        transient=False,
        status=404,
        body='{"error":{"status":404,"message":"Resource not found"}}',
        headers=_JSON,
    ),
    "error_is_a_string": _api(
        "An error response whose `error` is a string, as from the accounts service.",
        "spotipy 2.26.0: AttributeError instead of SpotifyException",
        transient=True,
        status=502,
        body='{"error":"bad_gateway","error_description":"upstream"}',
        headers=_JSON,
    ),
    "next_elsewhere": _api(
        "A page whose next one is on another host.",
        "spotipy 2.26.0, Spotify.next: follows whatever address a page names, access token included",
        transient=False,
        action="alter",
        alteration=_foreign_next,
    ),
    "next_in_a_circle": _api(
        "A page that names itself as the next one.",
        "spotipy 2.26.0, Spotify.next: follows whatever address a page names",
        transient=False,
        action="alter",
        alteration=_circular_next,
    ),
    "page_ends_early": _api(
        "A page with half of its items that ends the list, though the total is larger.",
        _SHORT_PAGES,
        transient=True,
        action="alter",
        alteration=_ended_after(0.5),
    ),
    "page_ends_empty": _api(
        "A page without items that ends the list, though the total is larger.",
        _SHORT_PAGES,
        transient=True,
        action="alter",
        alteration=_ended_after(0),
    ),
    "list_ends_early": _api(
        "A list that ends in the middle of a page, on every request.",
        _SHORT_PAGES,
        transient=False,
        action="alter",
        alteration=_ended_after(0.5),
    ),
    "total_too_high": _api(
        "A list whose total is larger than the number of items served.",
        "https://github.com/spotify/web-api/issues/1327",
        transient=False,
        action="alter",
        alteration=_with_more_in_total,
    ),
    "token_refresh_token_expired": _token(
        "400 for a refresh token six months after the consent.",
        _REFRESH,
        transient=False,
        status=400,
        body='{"error":"invalid_grant","error_description":"Refresh token expired"}',
        headers=_JSON,
    ),
    "token_refresh_token_revoked": _token(
        "400 for a refresh token that the user has revoked.",
        "https://github.com/felix-hilden/tekore/issues/349",
        transient=False,
        status=400,
        body='{"error":"invalid_grant","error_description":"Refresh token revoked"}',
        headers=_JSON,
    ),
    "token_invalid_client": _token(
        "400 for a wrong client id or secret.",
        _CODE_FLOW,
        transient=False,
        status=400,
        body='{"error":"invalid_client","error_description":"Invalid client secret"}',
        headers=_JSON,
    ),
    "token_rate_limit": _token(
        "429 from the token endpoint.",
        _RATE_LIMITS,
        transient=True,
        status=429,
        body="Too many requests",
        headers={**_PLAIN, "Retry-After": "3"},
    ),
    "token_error_500_html": _token(
        "500 from the token endpoint, with a web page.",
        "spotipy 2.26.0: SpotifyOauthError with the page as its text",
        transient=True,
        status=500,
        body=_PAGE.format("500 Internal Server Error"),
        headers=_HTML,
    ),
    "token_reset": _token(
        "The token endpoint's connection is reset before the response.", _HTTP, transient=True, action="reset"
    ),
    "token_no_answer": _token(
        "The token endpoint does not respond within the client's time-out.",
        "spotipy 2.26.0: no time-out unless requests_timeout is given",
        transient=True,
        action="hang",
        seconds=1.0,
    ),
    "token_html_body": _token(
        "200 from the token endpoint, with a web page.",
        _CODE_FLOW,
        transient=True,
        status=200,
        body=_PAGE.format("Spotify"),
        headers=_HTML,
    ),
    "token_without_access_token": _token(
        "200 of the token endpoint without an access token.",
        _CODE_FLOW,
        transient=True,
        action="alter",
        alteration=_without_access_token,
    ),
}
"""Every known failure of the Web API and the accounts service, by name."""
