"""The function's environment variables."""

from __future__ import annotations

import pytest

from handlers.catalogue_uris import CatalogueUri
from handlers.extract.configuration import Configuration, ConfigurationError

ID = "4Z8W4fKeB5YxbusRsdQVPb"
ENVIRONMENT = {
    "RAW_BUCKET": "raw",
    "SPOTIFY_SECRET_ARN": "arn:secret",
    "STREAMS": "saved_albums,profile",
    "SPOTIFY_API_URL": "https://api.spotify.com/v1",
    "SPOTIFY_ACCOUNTS_URL": "https://accounts.spotify.com/",
    "TRANSFORMED_RETENTION_DAYS": "90",
    "AUTH_MODE": "user",
    "CATALOGUE_URIS": "",
}


def test_environment_is_read() -> None:
    uris = f"spotify:artist:{ID} spotify:track:{ID} spotify:artist:{ID}"
    assert Configuration.from_environment({**ENVIRONMENT, "CATALOGUE_URIS": uris}) == Configuration(
        raw_bucket="raw",
        secret_arn="arn:secret",
        streams=("profile", "saved_albums"),
        api_url="https://api.spotify.com/v1/",
        accounts_url="https://accounts.spotify.com/",
        transformed_retention_days=90,
        auth_mode="user",
        catalogue_uris=(CatalogueUri("artist", ID), CatalogueUri("track", ID)),
    )


def test_app_without_a_user_reads_the_catalogue() -> None:
    configuration = Configuration.from_environment({**ENVIRONMENT, "AUTH_MODE": "app", "STREAMS": "catalogue"})
    assert (configuration.auth_mode, configuration.streams) == ("app", ("catalogue",))


@pytest.mark.parametrize("name", sorted(set(ENVIRONMENT) - {"CATALOGUE_URIS"}))
def test_missing_variable_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"variable {name} is missing: deploy the stack again"):
        Configuration.from_environment({key: value for key, value in ENVIRONMENT.items() if key != name})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"STREAMS": "profile,nonsense"}, "STREAMS contains 'nonsense', which is not one of profile, recently_played"),
        ({"STREAMS": "streaming_history"}, "STREAMS contains 'streaming_history', which is not one of profile"),
        (
            {"STREAMS": "profile,catalogue", "AUTH_MODE": "app"},
            "STREAMS contains 'profile', which needs a user's login: AUTH_MODE app can read only catalogue.",
        ),
        ({"AUTH_MODE": "App"}, "AUTH_MODE is 'App' instead of user or app."),
        (
            {"CATALOGUE_URIS": f"spotify:track:{ID} {ID}"},
            f"CATALOGUE_URIS is invalid: '{ID}' is an id without a kind",
        ),
        ({"TRANSFORMED_RETENTION_DAYS": "0"}, "TRANSFORMED_RETENTION_DAYS is '0' instead of a number of days."),
    ],
)
def test_wrong_variable_is_said_in_a_sentence(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Configuration.from_environment({**ENVIRONMENT, **changes})
    assert sentence in str(raised.value)
