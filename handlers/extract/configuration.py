"""What the function is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.streams import STREAMS


class ConfigurationError(ValueError):
    """An environment variable that is missing or wrong."""


@dataclass(frozen=True)
class Configuration:
    """The environment of the function, checked."""

    raw_bucket: str
    secret_arn: str
    streams: tuple[str, ...]
    """The enabled streams in the registry's order."""
    api_url: str
    """Ends with a slash."""
    accounts_url: str
    """Ends with a slash."""
    transformed_retention_days: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Configuration:
        """Read and check the variables.

        Raises:
            ConfigurationError: one is missing or wrong; the message names it.
        """
        names = {name.strip() for name in _variable(environment, "STREAMS").split(",") if name.strip()}
        if unknown := sorted(names - set(STREAMS)):
            raise ConfigurationError(f"STREAMS names {unknown[0]!r}, which is none of {', '.join(STREAMS)}.")
        days = _variable(environment, "TRANSFORMED_RETENTION_DAYS")
        if not days.isdecimal() or int(days) < 1:
            raise ConfigurationError(f"TRANSFORMED_RETENTION_DAYS is {days!r} instead of a number of days.")
        return cls(
            raw_bucket=_variable(environment, "RAW_BUCKET"),
            secret_arn=_variable(environment, "SPOTIFY_SECRET_ARN"),
            streams=tuple(name for name in STREAMS if name in names),
            api_url=_variable(environment, "SPOTIFY_API_URL").rstrip("/") + "/",
            accounts_url=_variable(environment, "SPOTIFY_ACCOUNTS_URL").rstrip("/") + "/",
            transformed_retention_days=int(days),
        )


def _variable(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ConfigurationError(f"The environment variable {name} is missing: deploy the stack again.")
    return value
