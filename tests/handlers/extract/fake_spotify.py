"""A small Web API on the loopback: lists in pages, a token endpoint, and faults on request."""

from __future__ import annotations

import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from handlers.streams import STREAMS

Json = dict[str, Any]


@dataclass
class Reply:
    """A prepared response, in place of the model's."""

    status: int = 200
    body: bytes | Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """Announce more bytes than are sent."""
    drips: bool = False
    """Send a byte every hundredth of a second."""
    resets: bool = False
    """Close the connection without a response."""
    silent_seconds: float = 0.0
    """Stay silent for this long, then close the connection."""

    @property
    def content(self) -> bytes:
        if self.status == 304:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


ScriptedReply = Reply | Callable[[Json], Json] | None
"""A prepared response, a change to the model's page, or None to serve the model's."""


class FakeSpotify:
    """What is served; tests change it between and during runs."""

    def __init__(self) -> None:
        self.profile: Json = {"id": "ana01", "account_id": "aB3dE5fG7h", "type": "user", "uri": "spotify:user:ana01"}
        self.lists: dict[str, list[Any]] = {
            stream.path: [] for stream in STREAMS.values() if stream.paging != "none" and stream.mode != "per_playlist"
        }
        """By path; for a top list also by `<path>?<time range>`, which takes precedence."""
        self.things: dict[str, Json] = {}
        """By path: artists, albums and tracks."""
        self.faults: dict[str, deque[ScriptedReply]] = {}
        """By path: what the next requests get."""
        self.always: dict[str, Reply] = {}
        """By path, or '' for all: what every request gets."""
        self.token_faults: deque[Reply] = deque()
        self.token_authorizations: list[str] = []
        self.on_request: Callable[[str], None] = lambda _: None
        self.refresh_token = "refresh-token-of-ana"
        self.rotate_to: str | None = None
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.token_calls = 0
        self.unknown: list[str] = []
        self._revoked: set[str] = set()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    def fault(self, path: str, *answers: ScriptedReply) -> None:
        self.faults.setdefault(path, deque()).extend(answers)

    def revoke_access_token(self) -> None:
        self._revoked.add(self._access_token)

    @property
    def _access_token(self) -> str:
        return f"access-token-{self.token_calls}"

    def token(self, form: Mapping[str, str]) -> Reply:
        self.token_calls += 1
        if self.token_faults:
            return self.token_faults.popleft()
        if form == {"grant_type": "client_credentials"}:
            return Reply(body={"access_token": self._access_token, "token_type": "Bearer", "expires_in": 3600})
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self.refresh_token:
            return Reply(400, {"error": "invalid_grant", "error_description": "Refresh token revoked"})
        answer: Json = {"access_token": self._access_token, "token_type": "Bearer", "expires_in": 3600, "scope": ""}
        if self.rotate_to:
            self.refresh_token, self.rotate_to = self.rotate_to, None
            answer["refresh_token"] = self.refresh_token
        return Reply(body=answer)

    def api(self, path: str, params: dict[str, str], authorization: str) -> Reply:
        self.requests.append((path, params))
        self.on_request(path)
        if authorization != f"Bearer {self._access_token}" or self._access_token in self._revoked:
            return Reply(401, {"error": {"status": 401, "message": "The access token expired"}})
        if fixed := self.always.get(path) or self.always.get(""):
            return fixed
        queued = self.faults.get(path)
        answer = queued.popleft() if queued else None
        if isinstance(answer, Reply):
            return answer
        page = self._model(path, params)
        if page is None:
            self.unknown.append(path)
            return Reply(404, {"error": {"status": 404, "message": "Not found"}})
        return Reply(body=answer(page) if answer else page)

    def _model(self, path: str, params: dict[str, str]) -> Json | None:
        if path == "me":
            return self.profile
        if path in self.things:
            return self.things[path]
        rows = self.lists.get(f"{path}?{params.get('time_range')}", self.lists.get(path))
        if rows is None:
            return None
        if path == "me/following":
            return {"artists": self._by_cursor(path, params, rows)}
        limit, offset = int(params["limit"]), int(params.get("offset", 0))
        more = {**params, "offset": str(offset + limit)}
        following = f"{self.url}v1/{path}?{urlencode(more)}" if offset + limit < len(rows) else None
        page: Json = {"items": rows[offset : offset + limit], "limit": limit, "next": following}
        return page if path.endswith("recently-played") else {**page, "offset": offset, "total": len(rows)}

    def _by_cursor(self, path: str, params: dict[str, str], rows: list[Any]) -> Json:
        limit = int(params["limit"])
        start = next((place for place, row in enumerate(rows, 1) if row["id"] == params.get("after")), 0)
        served = rows[start : start + limit]
        after = served[-1]["id"] if start + limit < len(rows) else None
        following = f"{self.url}v1/{path}?{urlencode({**params, 'after': after})}" if after else None
        return {
            "items": served,
            "limit": limit,
            "next": following,
            "cursors": {"after": after},
            "total": len(rows),
        }


class _Server(ThreadingHTTPServer):
    def __init__(self, fake: FakeSpotify) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that gives up on a response closes its connection.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: two would wait for each other's acknowledgement.
    wbufsize = -1

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/v1/")
        self._send(self.server.fake.api(path, dict(parse_qsl(parts.query)), self.headers.get("Authorization", "")))

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.server.fake.token_authorizations.append(self.headers.get("Authorization", ""))
        self._send(self.server.fake.token(form))

    def _send(self, reply: Reply) -> None:
        if reply.resets or reply.silent_seconds:
            threading.Event().wait(reply.silent_seconds)
            self.close_connection = True
            return
        body = reply.content
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + (10 if reply.cut else 0)))
        if reply.cut:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if reply.drips:
            self._drip(body)
        else:
            self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        self.close_connection = True
        with suppress(ConnectionError):
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                threading.Event().wait(0.01)

    def log_message(self, *_: Any) -> None:
        pass


def saved_track(number: int, added_at: str) -> Json:
    return {"added_at": added_at, "track": track(number)}


def track(number: int) -> Json:
    return {"id": f"track{number}", "type": "track", "uri": f"spotify:track:{number}", "name": f"Song {number} ☾"}


def play(number: int, played_at: str) -> Json:
    return {"track": track(number), "played_at": played_at, "context": None}


def artist(number: int) -> Json:
    return {"id": f"artist{number}", "type": "artist", "uri": f"spotify:artist:{number}", "name": f"Band {number}"}


def playlist(playlist_id: str, snapshot_id: str, owner: str = "ana01", *, collaborative: bool = False) -> Json:
    return {
        "id": playlist_id,
        "name": "Nuit d’été",
        "snapshot_id": snapshot_id,
        "owner": {"id": owner},
        "collaborative": collaborative,
        "items": {"total": 1},
        "type": "playlist",
    }


def entry(number: int) -> Json:
    return {"added_at": "2026-03-14T09:26:53Z", "is_local": False, "item": track(number)}
