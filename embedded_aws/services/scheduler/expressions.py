"""When a schedule fires: AWS's `cron()`, `rate()` and `at()` expressions.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}

DayTest = Callable[[date], bool]


BEFORE = timedelta(microseconds=1)
"""Right before a firing."""


class ScheduleExpressionError(ValueError):
    """An expression that AWS would reject."""


class Expression(Protocol):
    """A schedule expression."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first firing strictly after a moment, in UTC; None if there is none."""


def latest_between(expression: Expression, after: datetime, until: datetime) -> datetime | None:
    """Return the last firing after one moment and not after another; None if there is none."""
    span, begin = timedelta(minutes=1), after
    while (begin := max(until - span, after)) > after:
        due = expression.next_after(begin)
        if due is not None and due <= until:
            break
        span *= 2
    latest = None
    while (due := expression.next_after(begin)) is not None and due <= until:
        latest = begin = due
    return latest


def parse(expression: str, *, timezone: str = "UTC", start: datetime) -> Expression:
    """Parse a schedule expression.

    Args:
        expression: `cron(…)`, `rate(…)` or `at(…)`.
        timezone: IANA name of the zone of `cron` and `at`.
        start: the moment from which `rate` counts.

    Raises:
        ScheduleExpressionError: it is none of the three, or invalid.
    """
    match = re.fullmatch(r"(cron|rate|at)\((.*)\)", expression.strip())
    if match is None:
        raise ScheduleExpressionError(f"{expression!r} is not a schedule expression: use cron(…), rate(…) or at(…).")
    kind, body = match.groups()
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        raise ScheduleExpressionError(
            f"{timezone!r} is not a time zone: use an IANA name such as Europe/Berlin."
        ) from error
    if kind == "cron":
        return Cron.parse(body, zone)
    if kind == "rate":
        return Rate.parse(body, start)
    return At.parse(body, zone)


@dataclass(frozen=True)
class At:
    """A single firing."""

    moment: datetime

    @classmethod
    def parse(cls, body: str, zone: ZoneInfo) -> At:
        """Parse `yyyy-mm-ddThh:mm:ss`, a local time in the zone."""
        try:
            local = datetime.strptime(body, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone)
        except ValueError as error:
            raise ScheduleExpressionError(f"at({body}) is not a valid time: write at(yyyy-mm-ddThh:mm:ss).") from error
        return cls(local.astimezone(UTC))

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the moment itself while it is in the future."""
        return self.moment if self.moment > moment else None


@dataclass(frozen=True)
class Rate:
    """A fixed interval; the first firing is one interval after the start."""

    start: datetime
    interval: timedelta

    @classmethod
    def parse(cls, body: str, start: datetime) -> Rate:
        """Parse `<number> minute(s)|hour(s)|day(s)`."""
        match = re.fullmatch(r"([1-9]\d*) (minute|hour|day)(s?)", body)
        if match is None or (match[1] == "1") == bool(match[3]):
            raise ScheduleExpressionError(f"rate({body}) is not a rate: write rate(1 hour) or rate(5 minutes).")
        return cls(start, int(match[1]) * _UNITS[match[2]])

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the start plus the next multiple of the interval."""
        passed = max((moment - self.start) // self.interval, 0)
        return self.start + (passed + 1) * self.interval


@dataclass(frozen=True)
class Cron:
    """Six fields: minutes, hours, day of month, month, day of week, year.

    A local time skipped by daylight saving does not fire; a repeated one fires once, the first time.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    is_day: DayTest
    zone: ZoneInfo

    @classmethod
    def parse(cls, body: str, zone: ZoneInfo) -> Cron:
        """Parse the six fields; exactly one of the two day fields must be `?`."""
        fields = body.split()
        if len(fields) != 6:
            raise ScheduleExpressionError(f"cron({body}) has {len(fields)} fields: AWS's cron has six.")
        minutes, hours, day_of_month, month, day_of_week, year = (field.upper() for field in fields)
        if (day_of_month == "?") == (day_of_week == "?"):
            raise ScheduleExpressionError(f"cron({body}) must have ? as either its day of month or its day of week.")
        return cls(
            minutes=_numbers(minutes, 0, 59),
            hours=_numbers(hours, 0, 23),
            months=_numbers(month, 1, 12, {name.upper(): number for name, number in _MONTHS.items()}),
            years=_numbers(year, 1970, 2199),
            is_day=_day_of_week(day_of_week) if day_of_month == "?" else _day_of_month(day_of_month),
            zone=zone,
        )

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first firing after a moment, searching day by day in local time."""
        day = moment.astimezone(self.zone).date()
        while day.year <= self.years[-1]:
            if day.year not in self.years:
                day = date(day.year + 1, 1, 1)
                continue
            if day.month not in self.months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            if self.is_day(day):
                # In UTC: local times are out of order when the clocks go back.
                due = [at for at in self._moments(day) if at > moment]
                if due:
                    return min(due)
            day += timedelta(days=1)
        return None

    def _moments(self, day: date) -> list[datetime]:
        moments = []
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                utc = local.astimezone(UTC)
                if utc.astimezone(self.zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                    moments.append(utc)
        return moments


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> tuple[int, ...]:
    """Return the sorted values that a field of numbers, ranges, steps and `*` allows."""
    found: set[int] = set()
    for part in field.split(","):
        spread, _, step = part.partition("/")
        first, _, last = spread.partition("-")
        try:
            if spread == "*":
                begin, end = low, high
            else:
                begin = _number(first, names)
                end = _number(last, names) if last else (high if step else begin)
            stride = int(step) if step else 1
        except ValueError as error:
            raise ScheduleExpressionError(f"{part!r} is not a value of a cron field.") from error
        if not (low <= begin <= end <= high and stride > 0):
            raise ScheduleExpressionError(f"{part!r} is outside the range {low}-{high} of its cron field.")
        found.update(range(begin, end + 1, stride))
    return tuple(sorted(found))


def _number(text: str, names: dict[str, int] | None) -> int:
    return names[text] if names and text in names else int(text)


def _day_of_month(field: str) -> DayTest:
    """Parse days of the month: `L` is the last day, `LW` the last weekday, `15W` the weekday nearest to the 15th."""
    if field == "L":
        return lambda day: day.day == _days_in_month(day)
    if field == "LW":
        return lambda day: (
            day.day == max(number for number in range(1, _days_in_month(day) + 1) if _is_weekday(day, number))
        )
    if match := re.fullmatch(r"(\d{1,2})W", field):
        wanted = int(match[1])
        if not 1 <= wanted <= 31:
            raise ScheduleExpressionError(f"{field!r} is not a day of the month.")
        return lambda day: wanted <= _days_in_month(day) and day.day == _nearest_weekday(day, wanted)
    days = _numbers(field, 1, 31)
    return lambda day: day.day in days


def _day_of_week(field: str) -> DayTest:
    """Parse days of the week: `1` or `SUN` to `7` or `SAT`; `6L` is the last Friday, `6#3` the third."""
    if field == "L":
        field = "7"
    if match := re.fullmatch(r"(\w+)#([1-5])", field):
        weekday, nth = _weekday(match[1]), int(match[2])
        return lambda day: _aws_weekday(day) == weekday and (day.day + 6) // 7 == nth
    if (match := re.fullmatch(r"(\w+)L", field)) and field not in _WEEKDAYS:
        last = _weekday(match[1])
        return lambda day: _aws_weekday(day) == last and day.day + 7 > _days_in_month(day)
    weekdays = _numbers(field, 1, 7, _WEEKDAYS)
    return lambda day: _aws_weekday(day) in weekdays


def _weekday(text: str) -> int:
    values: Sequence[int] = _numbers(text, 1, 7, _WEEKDAYS)
    return values[0]


def _aws_weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _days_in_month(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _is_weekday(day: date, number: int) -> bool:
    return day.replace(day=number).isoweekday() <= 5


def _nearest_weekday(day: date, wanted: int) -> int:
    """Return the weekday nearest to a day, within its month."""
    for number in (wanted, wanted - 1, wanted + 1, wanted - 2, wanted + 2):
        if 1 <= number <= _days_in_month(day) and _is_weekday(day, number):
            return number
    raise AssertionError("five days in a row include a weekday")
