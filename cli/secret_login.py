"""The login in the stack's secret, as commands look at it."""

from __future__ import annotations

from cli.errors import CommandError
from cli.targets import Target, aws_errors
from handlers.login_secret import Credentials, NotLoggedInError, read_content, read_credentials, with_token
from handlers.streams import AuthMode


def stored_login(target: Target, auth_mode: AuthMode) -> Credentials:
    """Return the login in the target's secret.

    Raises:
        NotLoggedInError: the secret is empty, as the stack creates it.
        MalformedSecretError: it is not what `spotify-etl login` writes; the message says why.
        CommandError: AWS refused the request.
    """
    client = target.client("secretsmanager")
    name = target.outputs["spotify_secret_name"]
    try:
        with aws_errors():
            text = client.get_secret_value(SecretId=name).get("SecretString", "")
    except CommandError as error:
        # A secret without a value has the same error code as a missing secret; only the message differs.
        if "staging label" in str(error):
            raise NotLoggedInError from error
        raise
    return read_credentials(read_content(text), auth_mode)


def replace_token(target: Target, old: str, new: str) -> None:
    """Store a refresh token that Spotify has replaced, unless another login was stored meanwhile.

    Raises:
        CommandError: AWS refused a request.
    """
    client, name = target.client("secretsmanager"), target.outputs["spotify_secret_name"]
    with aws_errors("run `spotify-etl login` if the next run fails with invalid_grant"):
        content = read_content(client.get_secret_value(SecretId=name)["SecretString"])
        if text := with_token(content, old, new):
            client.put_secret_value(SecretId=name, SecretString=text)
