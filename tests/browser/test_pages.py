"""Pages in headless Chromium, from another origin or a name that resolves to this machine, against a running cloud."""

from __future__ import annotations

import html
import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.chromium import open_page
from tests.embedded_aws.hostile import HIDDEN, ON_AWS, ON_SPOTIFY, Attack, Target, target

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><pre id="results">nothing ran</pre><script>
const attacks = {attacks}, server = {server};
async function attempt(url, options) {
  try {
    const answer = await fetch(url, options);
    return [answer.type, answer.status, await answer.text()];
  } catch (error) {
    return ["error", 0, String(error)];
  }
}
(async () => {
  const results = {control: await attempt("/control", {})};
  for (const attack of attacks) {
    const options = {method: attack.method, headers: attack.headers, cache: "no-store"};
    if (attack.body) options.body = attack.body;
    results[attack.name] = await attempt(server + attack.target, options);
    // What needs no permission in advance is sent all the same, though its answer cannot be read.
    if (attack.method === "GET" || attack.method === "POST") {
      const blind = {method: attack.method, mode: "no-cors", cache: "no-store"};
      if (attack.body) blind.body = attack.body;
      results[attack.name + ", blindly"] = await attempt(server + attack.target, blind);
    }
  }
  document.getElementById("results").textContent = JSON.stringify(results);
  document.title = "done";
})();
</script>"""


@contextmanager
def evil(page: str, leads_to: str) -> Iterator[int]:
    """Serve a page at /page and forward all other requests unchanged, as if the name now resolved elsewhere.

    Args:
        page: HTML.
        leads_to: URL of the server that gets everything else, `Host` and all.

    Yields:
        The port.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in {"/page", "/control"}:
                self._answer(200, "text/html", page.encode() if self.path == "/page" else b"read")
            else:
                self._pass_on()

        def _pass_on(self) -> None:
            address = urlsplit(leads_to)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "connection":
                    connection.putheader(name, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            self._answer(answer.status, answer.getheader("Content-Type") or "text/plain", answer.read())
            connection.close()

        do_POST = do_PUT = do_DELETE = do_OPTIONS = _pass_on  # noqa: N815 - http.server's names

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def results_of(chromium: str, address: str, evil_port: int, profile: Path) -> dict[str, list[Any]]:
    """Open a page whose host name, whatever the port, leads to the evil server; return what its script found."""
    options = (f"--host-resolver-rules=MAP evil.example 127.0.0.1:{evil_port}", "--proxy-server=direct://")
    done = open_page(chromium, address, profile, *options)
    found = re.search(r'<pre id="results">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, f"Chromium showed no page: {done.stdout[-500:]} {done.stderr[-2000:]}"
    results: dict[str, list[Any]] = json.loads(html.unescape(found[1]))
    assert results.pop("control") == ["basic", 200, "read"]
    return results


def page_of(attacks: tuple[Attack, ...], server: str) -> str:
    content = json.dumps([asdict(attack) for attack in attacks]).replace("</", "<\\/")
    return PAGE.replace("{attacks}", content).replace("{server}", json.dumps(server))


@pytest.fixture(scope="module")
def cloud() -> Iterator[Target]:
    with target() as running:
        yield running


def servers(cloud: Target) -> list[tuple[str, tuple[Attack, ...]]]:
    return [(cloud.aws.url, ON_AWS), (cloud.spotify.accounts_url.rstrip("/"), ON_SPOTIFY)]


def test_a_page_of_another_origin_reads_and_changes_nothing(cloud: Target, chromium: str, tmp_path: Path) -> None:
    before = cloud.state()
    for number, (url, attacks) in enumerate(servers(cloud)):
        with evil(page_of(attacks, url), url) as port:
            address = "http://evil.example:8080/page"
            results = results_of(chromium, address, port, tmp_path / str(number))
        assert len(results) >= len(attacks)
        for name, (kind, status, text) in results.items():
            # A blind request was sent, or stopped by the browser; nobody may read any answer.
            assert (kind, status) in {("error", 0), ("opaque", 0)}, name
            assert kind == "error" or text == "", name
    assert cloud.state() == before


def test_a_page_whose_name_leads_to_this_machine_reads_and_changes_nothing(
    cloud: Target, chromium: str, tmp_path: Path
) -> None:
    before = cloud.state()
    for number, (url, attacks) in enumerate(servers(cloud)):
        own = f"http://evil.example:{urlsplit(url).port}"
        with evil(page_of(attacks, own), url) as port:
            results = results_of(chromium, f"{own}/page", port, tmp_path / str(number))
        assert len(results) >= len(attacks)
        for name, (kind, status, text) in results.items():
            # To the browser it is the page's own server: it lets the page read the refusal.
            assert (kind, "does not name this server" in text) == ("basic", True), name
            assert status in {400, 403}, name
            assert HIDDEN not in text
    assert cloud.state() == before
