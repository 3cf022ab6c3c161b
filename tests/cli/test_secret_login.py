"""What commands see of the secret."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from cli.errors import CommandError
from cli.secret_login import replace_token, stored_login
from handlers.login_secret import MalformedSecretError, NotLoggedInError
from tests.cli.operated_stack import OperatedStack

LOGIN = {
    "client_id": "id",
    "client_secret": "s3cret",
    "refresh_token": "tok3n",
    "scope": "user-library-read user-top-read",
    "authorized_at": "2026-11-01T05:00:00Z",
}


def fill(stack: OperatedStack, content: object) -> OperatedStack:
    text = content if isinstance(content, str) else json.dumps(content)
    stack.clients["secretsmanager"].create_secret(Name="secret-1", SecretString=text)
    return stack


def test_login_is_read(operated_stack: OperatedStack) -> None:
    login = stored_login(fill(operated_stack, LOGIN).target, "user")
    assert login.scopes == frozenset({"user-library-read", "user-top-read"})
    assert login.authorized_at == datetime(2026, 11, 1, 5, tzinfo=UTC)
    assert login.ends_on == date(2027, 5, 3)
    assert "s3cret" not in repr(login)
    assert "tok3n" not in repr(login)


def test_app_alone_does_not_end(operated_stack: OperatedStack) -> None:
    assert stored_login(fill(operated_stack, {"client_id": "id", "client_secret": "s"}).target, "app").ends_on is None


def test_secret_without_a_value_is_no_login(operated_stack: OperatedStack) -> None:
    operated_stack.clients["secretsmanager"].create_secret(Name="secret-1")
    with pytest.raises(NotLoggedInError):
        stored_login(operated_stack.target, "user")


@pytest.mark.parametrize("content", ["", " ", "{}"])
def test_empty_secret_is_no_login(operated_stack: OperatedStack, content: str) -> None:
    operated_stack.clients["secretsmanager"].create_secret(Name="secret-1", SecretString=content or " ")
    with pytest.raises(NotLoggedInError):
        stored_login(operated_stack.target, "user")


@pytest.mark.parametrize(
    "content",
    [
        "tok3n",
        [1],
        {"client_id": "id"},
        {**LOGIN, "client_id": 1},
        {**LOGIN, "client_secret": "tok3n é"},
        {**LOGIN, "refresh_token": ""},
    ],
)
def test_anything_else_is_unreadable_and_not_quoted(operated_stack: OperatedStack, content: object) -> None:
    with pytest.raises(MalformedSecretError) as error:
        stored_login(fill(operated_stack, content).target, "user")
    assert "tok3n" not in str(error.value)


def test_missing_secret_is_an_error(operated_stack: OperatedStack) -> None:
    with pytest.raises(CommandError, match=r"^AWS refused a request or did not respond \("):
        stored_login(operated_stack.target, "user")


def test_replaced_token_is_stored_unless_a_newer_login_was(operated_stack: OperatedStack) -> None:
    target = fill(operated_stack, LOGIN).target
    replace_token(target, "another", "new")
    assert stored_login(target, "user").refresh_token == "tok3n"
    replace_token(target, "tok3n", "new")
    assert stored_login(target, "user").refresh_token == "new"
