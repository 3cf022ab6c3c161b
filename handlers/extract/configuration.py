"""The function's configuration: its environment variables, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.catalogue_uris import CatalogueUri, CatalogueUriError, parse_all
from handlers.streams import AUTH_MODES, READABLE_STREAMS, AuthMode


class ConfigurationError(ValueError):
    """An environment variable is missing or invalid."""


@dataclass(frozen=True)
class Configuration:
    """The checked environment of the function."""

    raw_bucket: str
    secret_arn: str
    streams: tuple[str, ...]
    """Enabled streams in the registry's order."""
    api_url: str
    """Ends with a slash."""
    accounts_url: str
    """Ends with a slash."""
    transformed_retention_days: int
    auth_mode: AuthMode
    catalogue_uris: tuple[CatalogueUri, ...]
    """Without duplicates."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Configuration:
        """Read and check the variables.

        Raises:
            ConfigurationError: a variable is missing or invalid; the message names it.
        """
        auth_mode = _auth_mode(environment)
        days = _variable(environment, "TRANSFORMED_RETENTION_DAYS")
        if not days.isdecimal() or int(days) < 1:
            raise ConfigurationError(f"TRANSFORMED_RETENTION_DAYS is {days!r} instead of a number of days.")
        return cls(
            raw_bucket=_variable(environment, "RAW_BUCKET"),
            secret_arn=_variable(environment, "SPOTIFY_SECRET_ARN"),
            streams=_streams(environment, auth_mode),
            api_url=_variable(environment, "SPOTIFY_API_URL").rstrip("/") + "/",
            accounts_url=_variable(environment, "SPOTIFY_ACCOUNTS_URL").rstrip("/") + "/",
            transformed_retention_days=int(days),
            auth_mode=auth_mode,
            catalogue_uris=_catalogue_uris(environment),
        )


def _auth_mode(environment: Mapping[str, str]) -> AuthMode:
    text = _variable(environment, "AUTH_MODE")
    for mode in AUTH_MODES:
        if text == mode:
            return mode
    raise ConfigurationError(f"AUTH_MODE is {text!r} instead of {' or '.join(AUTH_MODES)}.")


def _streams(environment: Mapping[str, str], auth_mode: AuthMode) -> tuple[str, ...]:
    names = {name.strip() for name in _variable(environment, "STREAMS").split(",") if name.strip()}
    if unknown := sorted(names - set(READABLE_STREAMS)):
        raise ConfigurationError(f"STREAMS contains {unknown[0]!r}, which is not one of {', '.join(READABLE_STREAMS)}.")
    streams = tuple(name for name in READABLE_STREAMS if name in names)
    if auth_mode == "app":
        for name in streams:
            if READABLE_STREAMS[name].needs_user:
                allowed = ", ".join(other for other, stream in READABLE_STREAMS.items() if not stream.needs_user)
                raise ConfigurationError(
                    f"STREAMS contains {name!r}, which needs a user's login: AUTH_MODE app can read only {allowed}."
                )
    return streams


def _catalogue_uris(environment: Mapping[str, str]) -> tuple[CatalogueUri, ...]:
    try:
        return parse_all(environment.get("CATALOGUE_URIS", "").split())
    except CatalogueUriError as error:
        raise ConfigurationError(f"CATALOGUE_URIS is invalid: {error}") from error


def _variable(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ConfigurationError(f"The environment variable {name} is missing: deploy the stack again.")
    return value
