"""The charts of the report: what is drawn against what. Colours and fonts are the page's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

Values = Sequence[dict[str, Any]]

_HEIGHT = 200
_MONTH = "%b %Y"


def listens_by_week(values: Values) -> alt.Chart:
    """Chart `week` (date) against `listens`."""
    return _encoded(
        _chart(values).mark_area(interpolate="step-after"),
        x=alt.X("week:T", title=None, axis=alt.Axis(labelOverlap=True, tickCount=8)),
        y=alt.Y("listens:Q", title="Listens per week"),
        tooltip=[
            alt.Tooltip("week:T", title="Week from", format="%-d %b %Y"),
            alt.Tooltip("listens:Q", title="Listens", format=","),
        ],
    )


def hours_by_year(values: Values) -> alt.Chart:
    """Chart `year` against `hours`."""
    return _encoded(
        _chart(values).mark_bar(),
        x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("hours:Q", title="Hours"),
        tooltip=[
            alt.Tooltip("year:O", title="Year"),
            alt.Tooltip("hours:Q", title="Hours", format=",.0f"),
            alt.Tooltip("listens:Q", title="Listens", format=","),
        ],
    )


def clock(values: Values) -> alt.Chart:
    """Chart `hour` (0 to 23) and `weekday` (1 is Monday) against `listens` as a heat map."""
    # 1 January 2024 was a Monday, so the name of its weekday comes in the reader's language.
    weekday = alt.Axis(labelExpr="timeFormat(datetime(2024, 0, datum.value), '%a')", ticks=False, domain=False)
    return _encoded(
        _chart(values, height=170).mark_rect(cornerRadius=2),
        x=alt.X("hour:O", title=None, axis=alt.Axis(labelAngle=0, ticks=False, domain=False, labelOverlap=True)),
        y=alt.Y("weekday:O", title=None, axis=weekday),
        color=alt.Color("listens:Q", legend=None),
        tooltip=[
            alt.Tooltip("day:N", title="Day"),
            alt.Tooltip("hour:O", title="Hour"),
            alt.Tooltip("listens:Q", title="Listens", format=","),
        ],
    )


def by_month(values: Values, column: str, title: str) -> alt.Chart:
    """Chart `month` (date) against a column as bars."""
    return _encoded(
        _chart(values).mark_bar(),
        x=alt.X("yearmonth(month):T", title=None, axis=alt.Axis(labelOverlap=True, tickCount=8)),
        y=alt.Y(f"{column}:Q", title=title),
        tooltip=[
            alt.Tooltip("month:T", title="Month", format=_MONTH),
            alt.Tooltip(f"{column}:Q", title=title, format=","),
        ],
    )


def share_by_month(values: Values, column: str, title: str) -> alt.Chart:
    """Chart `month` (date) against a column in percent as a line."""
    return _encoded(
        _chart(values).mark_line(point=len(values) == 1),
        x=alt.X("month:T", title=None, axis=alt.Axis(labelOverlap=True, tickCount=8)),
        y=alt.Y(f"{column}:Q", title=title, scale=alt.Scale(zero=True)),
        tooltip=[
            alt.Tooltip("month:T", title="Month", format=_MONTH),
            alt.Tooltip(f"{column}:Q", title=title, format=".1f"),
        ],
    )


def tracks_by_decade(values: Values) -> alt.Chart:
    """Chart `decade` against `tracks`."""
    return _encoded(
        _chart(values).mark_bar(),
        x=alt.X("decade:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("tracks:Q", title="Saved tracks"),
        tooltip=[
            alt.Tooltip("decade:O", title="Decade"),
            alt.Tooltip("tracks:Q", title="Saved tracks", format=","),
            alt.Tooltip("percent:Q", title="Percent", format=".1f"),
        ],
    )


def _chart(values: Values, height: int = _HEIGHT) -> alt.Chart:
    # A date alone is read as midnight UTC; the page draws in UTC, so that no day moves.
    return alt.Chart(alt.InlineData(values=list(values)), width="container", height=height)


def _encoded(chart: alt.Chart, **channels: Any) -> alt.Chart:
    encoded: alt.Chart = chart.encode(**channels)
    return encoded
