"""The login of the simulated listener: stored in the stack's secret, and known again after a restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from handlers.streams import scopes
from spotify_simulator import Simulator


def store_login(
    spotify: Simulator, client: Callable[[str], Any], secret_name: str, streams: tuple[str, ...], now: datetime
) -> None:
    """Do what `spotify-etl login` does for these streams, with consent from the simulator instead of a browser."""
    consent = scopes(streams)
    secret = {
        "client_id": spotify.client_id,
        "client_secret": spotify.client_secret,
        "refresh_token": spotify.authorize(consent),
        "scope": " ".join(consent),
        "authorized_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
    }
    client("secretsmanager").put_secret_value(SecretId=secret_name, SecretString=json.dumps(secret))


def restore_login(spotify: Simulator, client: Callable[[str], Any], secret_name: str) -> None:
    """Let a simulator know the consent in the secret, which an earlier one gave; anything else in it is ignored."""
    secrets = client("secretsmanager")
    try:
        secret = json.loads(secrets.get_secret_value(SecretId=secret_name)["SecretString"])
        spotify.restore_consent(
            secret["refresh_token"], secret["scope"].split(), datetime.fromisoformat(secret["authorized_at"])
        )
    except (secrets.exceptions.ResourceNotFoundException, ValueError, KeyError, TypeError, AttributeError):
        # Whoever deleted or changed it will see that the extract asks for a login.
        return
