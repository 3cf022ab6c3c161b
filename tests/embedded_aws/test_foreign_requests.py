"""Requests as a browser sends them for a foreign page: refused by AWS and Spotify alike, without any CORS header."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.embedded_aws.hostile import HIDDEN, ON_AWS, ON_SPOTIFY, Attack, Target, target
from tests.embedded_aws.wire import send, signed
from tests.thoroughness import sampled

EVERY = [*(("aws", attack) for attack in ON_AWS), *(("spotify", attack) for attack in ON_SPOTIFY)]
NAMES = [f"{server}: {attack.name}" for server, attack in EVERY]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Target]:
    with target() as running:
        yield running


def url_of(cloud: Target, server: str) -> str:
    return cloud.aws.url if server == "aws" else cloud.spotify.accounts_url.rstrip("/")


FOREIGN = {
    "another origin": {"Origin": "https://evil.example"},
    "another port of this machine": {"Origin": "http://127.0.0.1:1"},
    "a file, or a sandboxed frame": {"Origin": "null"},
    "an image of a foreign page": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "a name that leads here": {"Host": "evil.example:{port}"},
    "a name that leads here, and its origin": {"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"},
    "a name that begins like the server's": {"Host": "127.0.0.1.evil.example:{port}"},
    "the server's name without its port": {"Host": "127.0.0.1"},
    "another address of this machine": {"Host": "0.0.0.0:{port}"},
}
CASES = [
    pytest.param(server, attack, foreign, id=f"{name}-{foreign}")
    for (server, attack), name in zip(EVERY, NAMES, strict=True)
    for foreign in FOREIGN
]
QUICK = [case for case in CASES if case.values[1] in (ON_AWS[0], ON_SPOTIFY[0]) or case.values[2] == "another origin"]
"""Every attack from one place, and one attack on each server from every place."""


@pytest.mark.parametrize(("server", "attack", "foreign"), sampled(CASES, QUICK))
def test_a_foreign_page_reads_and_changes_nothing(cloud: Target, server: str, attack: Attack, foreign: str) -> None:
    before, url = cloud.state(), url_of(cloud, server)
    sent = {name: value.format(port=urlsplit(url).port) for name, value in FOREIGN[foreign].items()}
    body = attack.body.encode()
    answer = send(url, attack.method, attack.target, headers=attack.headers | sent, body=body)
    assert answer.status == 403 or (answer.status == 400 and b"AccessDenied" in answer.body)
    assert HIDDEN.encode() not in answer.body
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    asked = {"Access-Control-Request-Method": attack.method, "Access-Control-Request-Headers": "authorization"}
    preflight = send(url, "OPTIONS", attack.target, headers=asked | sent)
    assert preflight.status == 403
    assert not [name for name in preflight.headers if name.startswith("access-control-")]
    assert cloud.state() == before


@pytest.mark.parametrize("attack", sampled([pytest.param(attack, id=attack.name) for attack in ON_AWS], 4))
def test_a_page_without_a_signature_reads_and_changes_nothing(cloud: Target, attack: Attack) -> None:
    """Browsers send no Origin with images, forms of old and links."""
    before = cloud.state()
    answer = send(cloud.aws.url, attack.method, attack.target, headers=attack.headers, body=attack.body.encode())
    assert answer.status >= 400
    assert HIDDEN.encode() not in answer.body
    assert cloud.state() == before


def test_even_the_owner_may_not_come_from_a_foreign_page(cloud: Target) -> None:
    aws = cloud.aws
    for headers, status in (({}, 200), ({"Origin": aws.url}, 200), ({"Origin": "https://evil.example"}, 403)):
        given = signed(aws.url, aws.owner, "GET", "/private-bucket/a.txt", headers=headers)
        answer = send(aws.url, "GET", "/private-bucket/a.txt", headers=given)
        assert answer.status == status
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_buckets_own_cors_rules_open_nothing(cloud: Target) -> None:
    s3 = cloud.aws.client("s3")
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]
    s3.put_bucket_cors(Bucket="private-bucket", CORSConfiguration={"CORSRules": rules})
    address = s3.generate_presigned_url("get_object", {"Bucket": "private-bucket", "Key": "a.txt"})
    for headers in ({"Origin": "https://evil.example"}, {"Origin": cloud.aws.url}, {}):
        answer = send(cloud.aws.url, "GET", address.removeprefix(cloud.aws.url), headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert (answer.body == HIDDEN.encode()) == (headers.get("Origin") in {None, cloud.aws.url})
    s3.delete_bucket_cors(Bucket="private-bucket")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_the_loopbacks_own_names_are_answered(cloud: Target, name: str) -> None:
    for server, target_ in (("aws", "/private-bucket/a.txt"), ("spotify", "/v1/me")):
        url = url_of(cloud, server)
        host = f"{name}:{urlsplit(url).port}"
        headers = signed(url, cloud.aws.owner, "GET", target_, headers={"Host": host})
        if server == "spotify":
            headers = {"Host": host}
        assert send(url, "GET", target_, headers=headers).status == (200 if server == "aws" else 401)


def test_a_link_leads_to_the_page_that_asks_for_consent(cloud: Target) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    query = f"client_id={cloud.spotify.client_id}&response_type=code&redirect_uri=http://127.0.0.1:8888/callback"
    answer = send(url_of(cloud, "spotify"), "GET", f"/authorize?{query}", headers=followed)
    assert (answer.status, answer.headers["location"].partition("?code=")[0]) == (302, "http://127.0.0.1:8888/callback")


def test_refusals_have_the_form_of_their_service(cloud: Target) -> None:
    evil = {"Origin": "https://evil.example"}
    for attack in ON_AWS:
        answer = send(cloud.aws.url, attack.method, attack.target, headers=attack.headers | evil, body=b"")
        assert b"A page of another origin may not use this server." in answer.body
        assert b"AccessDenied" in answer.body
    answer = send(url_of(cloud, "spotify"), "GET", "/v1/me", headers=evil)
    assert answer.body == b"A page of another origin may not use this server."
