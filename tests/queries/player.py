"""Writes plays into a lake, from the API and from exports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from handlers import layout
from tests.queries.lake import Lake, moment, raw_key

_FIRST_IMPORT = datetime(2027, 2, 1, tzinfo=UTC)
PLAYS_RUN = layout.run_id(_FIRST_IMPORT, "hourly")
"""Late enough to have read the plays of any test."""


class Player:
    """Writes the plays of a listener."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._parts = 0
        self._imports = 0

    def play(self, when: str, track: str, artist: str | None = "Abba", account: str = "ana", **more: Any) -> None:
        """Insert one play of a track from the API, three minutes long, in a separate object of `PLAYS_RUN`."""
        self._parts += 1
        self._lake.line(
            "recently_played",
            "read",
            raw_key(PLAYS_RUN, "recently_played", part=self._parts),
            1,
            {**_named(when, track, artist), "duration_ms": 180_000, **more},
            account=account,
        )

    def export(self, *plays: dict[str, Any], account: str = "ana") -> None:
        """Insert one import of an export with these plays, each from `exported`."""
        self._imports += 1
        importing = layout.run_id(_FIRST_IMPORT + timedelta(minutes=self._imports), "import")
        self._lake.read(importing, "streaming_history", plays, account=account)


def label(lake: Lake, day: int, *labels: dict[str, Any], account: str = "ana") -> None:
    """Insert an import of labels in November 2026."""
    rows = [{"label": None, "excluded": False, **each} for each in labels]
    lake.read(layout.run_id(datetime(2026, 11, day, tzinfo=UTC), "import"), "labels", rows, account=account)


def exported(when: str, track: str = "x", artist: str | None = "Abba", **more: Any) -> dict[str, Any]:
    """Return one play of a track from an export, heard for three minutes and not skipped."""
    return {**_named(when, track, artist), "ms_played": 180_000, "skipped": False, **more}


def _named(when: str, track: str, artist: str | None) -> dict[str, Any]:
    return {
        "played_at": moment(when),
        "item_uri": f"spotify:track:{track}",
        "item_type": "track",
        "track_id": track,
        "track_name": track.upper(),
        "artist_name": artist,
    }
