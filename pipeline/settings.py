"""The settings of a stack: their defaults, and which values are allowed.

What each setting means is documented in `SpotifyEtlPipelineArgs`. `make docs` writes the `config` section of
`Pulumi.yaml` and docs/settings.md from both.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import pulumi
import pulumi.runtime.config

from handlers.catalogue_uris import CatalogueUriError, parse_all
from handlers.streams import AUTH_MODES, READABLE_STREAMS, STREAMS, AuthMode, default_streams
from pipeline.nearest import nearest

NAMESPACE = "spotify-etl"
"""The part before the colon of every setting's key in a stack file."""

SettingType = Literal["array", "boolean", "integer", "string"]

LOG_RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""The values that CloudWatch Logs accepts: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html."""

MAX_CATALOGUE_URIS = 80
"""They must fit into the 4 KB of environment variables that Lambda allows:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_KMS_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MAX_DAYS = 36_500
_PIPELINE_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
"""The longest bucket name, which may have 63 characters, adds `-athena-results-` and seven random ones."""
_CRAWL_MARGIN = timedelta(minutes=30)
"""Time for a crawl, which usually takes two minutes, and for a crawler that was still busy."""
_PUBLISH_MARGIN = timedelta(minutes=30)
"""Time for publish, which may run for a quarter of an hour."""
_GRACE = timedelta(minutes=70)
"""An hour in which queries may still read replaced objects, and time for the compaction that replaced them."""
_LONGEST_SHOWN = 120


class SettingError(pulumi.RunError):
    """A wrong or unknown setting; Pulumi prints the message, one sentence, without a traceback."""


class _InvalidValueError(ValueError):
    """A value that a rule rejects; it has a message where `Rule.allowed` does not explain enough."""


def _misspelt(word: str, what: str, known: Iterable[str]) -> _InvalidValueError:
    near = nearest(word, known)
    return _InvalidValueError(f"{word!r} is not {what}; did you mean {near[0]}?") if near else _InvalidValueError()


@dataclass(frozen=True)
class Rule:
    """The type and the allowed values of a setting."""

    type: SettingType
    allowed: str
    """The allowed values, as the end of the sentence "it must be …"."""
    read: Callable[[Any], Any]
    """Converts what the configuration holds (text, or the value itself) to the value; raises `ValueError`."""


def _plain_number(value: Any) -> Any:
    """Return a whole number as an integer: programs in other languages send every number as a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _whole_number(value: Any) -> int:
    value = _plain_number(value)
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,12}", str(value)):
        raise _InvalidValueError
    return int(value)


def _days(minimum: int, reason: str = "") -> Rule:
    def read(value: Any) -> int:
        days = _whole_number(value)
        if not minimum <= days <= _MAX_DAYS:
            raise _InvalidValueError
        return days

    return Rule("integer", f"a whole number of days from {minimum} to {_MAX_DAYS}{reason}", read)


def _between(minimum: int, maximum: int, unit: str) -> Rule:
    def read(value: Any) -> int:
        number = _whole_number(value)
        if not minimum <= number <= maximum:
            raise _InvalidValueError
        return number

    return Rule("integer", f"a whole number of {unit} from {minimum} to {maximum}", read)


def _one_of(choices: tuple[Any, ...], setting_type: SettingType) -> Rule:
    def read(value: Any) -> Any:
        value = _plain_number(value)
        for choice in choices:
            if str(value) == str(choice) and not isinstance(value, bool):
                return choice
        raise _InvalidValueError

    return Rule(setting_type, "one of " + ", ".join(map(str, choices)), read)


def _read_flag(value: Any) -> bool:
    flags = {"true": True, "false": False}
    if str(value).lower() not in flags:
        raise _InvalidValueError
    return flags[str(value).lower()]


def _read_time_of_day(value: Any) -> str:
    if not _TIME_OF_DAY.fullmatch(str(value)):
        raise _InvalidValueError
    return str(value)


def _read_timezone(value: Any) -> str:
    name = str(value)
    if name != "UTC":
        try:
            zoneinfo.ZoneInfo(name)
        except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError) as error:
            places = [zone for zone in sorted(zoneinfo.available_timezones()) if "/" in zone]
            raise _misspelt(name, "a time zone of the IANA database", places) from error
    return name


def _read_streams(value: Any) -> tuple[str, ...]:
    names = _entries(value)
    if any(not isinstance(name, str) for name in names):
        raise _InvalidValueError
    for name in names:
        if name not in READABLE_STREAMS:
            raise _misspelt(name, "a stream", READABLE_STREAMS)
    if len(set(names)) != len(names):
        raise _InvalidValueError
    if "playlist_items" in names and "playlists" not in names:
        raise _InvalidValueError
    return tuple(name for name in STREAMS if name in names)


def _read_catalogue_uris(value: Any) -> tuple[str, ...]:
    try:
        uris = parse_all(_entries(value))
    except CatalogueUriError as error:
        raise _InvalidValueError(str(error)) from error
    if len(uris) > MAX_CATALOGUE_URIS:
        raise _InvalidValueError
    return tuple(map(str, uris))


def _entries(value: Any) -> Sequence[Any]:
    try:
        entries = json.loads(value) if isinstance(value, str) else value
    except RecursionError as error:
        raise _InvalidValueError from error
    if not isinstance(entries, (list, tuple)):
        raise _InvalidValueError
    return entries


def _read_email(value: Any) -> str:
    if value != "" and not _EMAIL.fullmatch(str(value)):
        raise _InvalidValueError
    return str(value)


def _read_url(value: Any) -> str:
    url = str(value)
    parts = urlsplit(url)
    loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
    plain = not (parts.query or parts.fragment or parts.username or parts.password) and not re.search(r"\s", url)
    if not (plain and parts.hostname and (loopback or parts.scheme == "https")):
        raise _InvalidValueError
    return url if url.endswith("/") else url + "/"


def _read_kms_key_arn(value: Any) -> str:
    if value != "" and not _KMS_KEY_ARN.fullmatch(str(value)):
        raise _InvalidValueError
    return str(value)


_STREAM_NAMES = Rule(
    "array",
    "empty or a list of one or more of "
    + ", ".join(READABLE_STREAMS)
    + ", each at most once, and with playlists if it has playlist_items",
    _read_streams,
)
_CATALOGUE_URIS = Rule(
    "array",
    f"a list of at most {MAX_CATALOGUE_URIS} URIs or open.spotify.com links of artists, albums and tracks",
    _read_catalogue_uris,
)
_TIME = Rule("string", 'a quoted time of day from "00:00" to "23:59"', _read_time_of_day)
_TIMEZONE = Rule("string", "a time zone of the IANA database, for instance Europe/Berlin", _read_timezone)
_FLAG = Rule("boolean", "true or false", _read_flag)
_URL = Rule("string", "an https URL (or http on a loopback address) without user, query or fragment", _read_url)
_EMAIL_OR_EMPTY = Rule("string", "an e-mail address, or empty", _read_email)
_KMS_KEY_ARN_OR_EMPTY = Rule(
    "string", "empty or the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>)", _read_kms_key_arn
)


def _setting(default: Any, rule: Rule) -> Any:
    return field(default=default, metadata={"rule": rule})


@dataclass(frozen=True)
class Settings:
    """The checked settings of a stack, each with a safe and cheap default.

    Raises:
        SettingError: a value is not allowed.
    """

    auth_mode: AuthMode = _setting("user", _one_of(AUTH_MODES, "string"))  # noqa: RUF009 - it makes a field
    streams: tuple[str, ...] = _setting((), _STREAM_NAMES)
    """The streams that are read; never empty once the settings are checked."""
    catalogue_uris: tuple[str, ...] = _setting((), _CATALOGUE_URIS)
    """URIs without duplicates, whatever form they were given in."""
    daily_at: str = _setting("06:00", _TIME)
    crawl_delay_minutes: int = _setting(45, _between(20, 720, "minutes"))
    timezone: str = _setting("UTC", _TIMEZONE)
    schedules_enabled: bool = _setting(True, _FLAG)
    raw_retention_days: int = _setting(90, _days(14, ", because a dead letter can wait 14 days for its raw object"))
    transformed_retention_days: int = _setting(90, _days(14, ", because views need two full reads"))
    plays_retention_days: int = _setting(3650, _days(14))
    results_retention_days: int = _setting(7, _days(1))
    log_retention_days: int = _setting(30, _one_of(LOG_RETENTION_DAYS, "integer"))
    athena_scan_limit_mb: int = _setting(1000, _between(11, 10_000_000, "megabytes"))
    architecture: str = _setting("arm64", _one_of(("arm64", "x86_64"), "string"))
    kms_key_arn: pulumi.Input[str] = _setting("", _KMS_KEY_ARN_OR_EMPTY)  # noqa: RUF009 - it makes a field
    """Other than all other settings, it may be the output of a key that the same program creates."""
    alert_email: str = _setting("", _EMAIL_OR_EMPTY)
    monthly_budget_usd: int = _setting(0, _between(0, 1_000_000, "US dollars"))
    force_destroy: bool = _setting(False, _FLAG)
    spotify_api_url: str = _setting("https://api.spotify.com/v1/", _URL)
    spotify_accounts_url: str = _setting("https://accounts.spotify.com/", _URL)

    def __post_init__(self) -> None:
        for setting in dataclasses.fields(self):
            value = _checked(key(setting), setting.metadata["rule"], getattr(self, setting.name))
            object.__setattr__(self, setting.name, value)
        streams = self.streams or _default_streams(self.auth_mode, self.catalogue_uris)
        _check_together(self.auth_mode, streams, self.catalogue_uris)
        object.__setattr__(self, "streams", streams)

    @property
    def daily_time(self) -> time:
        """The time of day of the daily run, in `timezone`."""
        return time.fromisoformat(self.daily_at)

    @property
    def crawl_time(self) -> time:
        """The time of day of the crawl, in `timezone`; it may fall on the next day."""
        return _later(self.daily_time, timedelta(minutes=self.crawl_delay_minutes))

    @property
    def publish_time(self) -> time:
        """The time of day at which views are published in case the event of the crawl was lost, in `timezone`."""
        return _later(self.crawl_time, _CRAWL_MARGIN)

    @property
    def compact_time(self) -> time:
        """The time of day of the compaction, in `timezone`: after publish, whose queries it would only slow down."""
        return _later(self.publish_time, _PUBLISH_MARGIN)

    @property
    def deletion_time(self) -> time:
        """The time of day, in `timezone`, at which no query reads what the compaction has replaced."""
        return _later(self.compact_time, _GRACE)


def key(setting: dataclasses.Field[Any]) -> str:
    """Return the key of a setting in a stack file, without its namespace: `dailyAt` for `daily_at`."""
    head, *tail = setting.name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def read_settings(config: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of the current stack.

    Args:
        config: the stack's whole configuration by full key; by default, what Pulumi passes to the program.

    Raises:
        SettingError: a key is unknown or its value is not allowed.
    """
    known = {key(setting): setting.name for setting in dataclasses.fields(Settings)}
    given = _stack_config() if config is None else config
    ours = {name.partition(":")[2]: value for name, value in given.items() if name.startswith(f"{NAMESPACE}:")}
    _check_names(ours, known)
    settings = Settings(**{known[name]: value for name, value in ours.items()})
    for name in ours:
        if _is_secret(name):
            raise SettingError(
                f"The setting {NAMESPACE}:{name} is a secret, but settings are in plain text in the stack's state: set "
                "it without --secret, or not at all."
            )
    _check_key_region(settings.kms_key_arn, given.get("aws:region") or os.environ.get("AWS_REGION", ""))
    return settings


def settings_from_arguments(arguments: Mapping[str, Any]) -> Settings:
    """Return the settings that a program passes to the component; `None` stands for the default.

    Raises:
        SettingError: a name is unknown or its value is not allowed.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    _check_names(given, (setting.name for setting in dataclasses.fields(Settings)))
    return Settings(**given)


def check_pipeline_name(name: str) -> None:
    """Check the component's name, with which the names of all its resources begin.

    Raises:
        SettingError: AWS would not accept the names.
    """
    if not _PIPELINE_NAME.fullmatch(name):
        raise SettingError(
            f"The pipeline's name {_cut(repr(name))} is not allowed: it must be at most 40 lower-case letters, digits "
            "and hyphens, and begin with a letter, because the names of buckets begin with it."
        )


def _later(moment: time, by: timedelta) -> time:
    """Return a later time of day, which may be on the next day."""
    return (datetime.combine(datetime(2000, 1, 1, tzinfo=UTC), moment) + by).time()


def _stack_config() -> dict[str, Any]:
    # pulumi.Config returns known keys only; a misspelt one shows up in the map that it reads.
    return pulumi.runtime.config.CONFIG.get() or pulumi.runtime.config.get_config_env()


def _check_names(given: Mapping[str, Any], known: Iterable[str]) -> None:
    names = list(known)
    for name, value in given.items():
        if name not in names:
            near = " or ".join(nearest(name, names))
            hint = f"did you mean {near}?" if near else "docs/settings.md lists the settings."
            raise SettingError(f"The setting {NAMESPACE}:{name} = {_shown(name, value)} is unknown: {hint}")


def _check_key_region(kms_key_arn: pulumi.Input[str], region: str) -> None:
    if isinstance(kms_key_arn, str) and kms_key_arn and region and kms_key_arn.split(":")[3] != region:
        raise _not_allowed("kmsKeyArn", kms_key_arn, f"it must be a key in the stack's region, {region}")


def _checked(name: str, rule: Rule, value: Any) -> Any:
    if isinstance(value, pulumi.Output):
        if rule is _KMS_KEY_ARN_OR_EMPTY:
            return value
        raise SettingError(
            f"The setting {NAMESPACE}:{name} must be a plain value, not an output, because it decides what is created."
        )
    try:
        return rule.read(value)
    except ValueError as error:
        if isinstance(error, _InvalidValueError) and error.args and not _is_secret(name):
            raise SettingError(f"The setting {NAMESPACE}:{name} is not allowed: {error}") from None
        raise _not_allowed(name, value, f"it must be {rule.allowed}") from None


def _default_streams(auth_mode: AuthMode, catalogue_uris: tuple[str, ...]) -> tuple[str, ...]:
    chosen = {*default_streams(auth_mode), *(("catalogue",) if catalogue_uris else ())}
    return tuple(name for name in STREAMS if name in chosen)


def _check_together(auth_mode: AuthMode, streams: tuple[str, ...], catalogue_uris: tuple[str, ...]) -> None:
    """Check settings that depend on each other.

    Raises:
        SettingError: two settings contradict each other.
    """
    if auth_mode == "app" and any(STREAMS[name].needs_user for name in streams):
        readable = ", ".join(default_streams("app"))
        raise _not_allowed(
            "streams", list(streams), f"it must be empty or [{readable}] if authMode is app, which has no user"
        )
    if "catalogue" in streams and not catalogue_uris:
        raise _not_allowed(
            "catalogueUris",
            [],
            "it must name an artist, album or track if streams includes catalogue or authMode is app",
        )
    if catalogue_uris and "catalogue" not in streams:
        raise _not_allowed(
            "catalogueUris",
            list(catalogue_uris),
            "it must be empty if streams is set without catalogue; add catalogue to streams to have them read",
        )


def _not_allowed(name: str, value: Any, rule: str) -> SettingError:
    return SettingError(f"The setting {NAMESPACE}:{name} = {_shown(name, value)} is not allowed: {rule}.")


def _shown(name: str, value: Any) -> str:
    return "[secret]" if _is_secret(name) else _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _is_secret(name: str) -> bool:
    # Someone may have stored a secret under the wrong key.
    return pulumi.runtime.config.is_config_secret(f"{NAMESPACE}:{name}")
