"""The saved tracks of a library: a far past that is computed when it is read, and recent ones in memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Self

from spotify_simulator.model.entities import Track
from spotify_simulator.model.holdings import SavedTrack
from spotify_simulator.model.past import Past


class SavedTracks:
    """The saved tracks in the order in which they were saved, the oldest first.

    Args:
        past: what came before `recent`.
        recent: distinct tracks.
        gone: for copies.
    """

    def __init__(self, past: Past, recent: Iterable[SavedTrack], gone: Iterable[int] = ()) -> None:
        self.past = past
        """All of the past, including what has been removed since."""
        self._gone = list(gone)
        """The index at which each removed position of the past is skipped, in order."""
        self._recent = list(recent)
        self._ids = {entry.track.track_id for entry in self._recent}

    def copy(self) -> Self:
        """Return a copy that changes independently; the past is shared."""
        return type(self)(self.past, self._recent, self._gone)

    def __len__(self) -> int:
        """Return the number of saved tracks."""
        return self._past_size + len(self._recent)

    def __contains__(self, track_id: str) -> bool:
        """Return whether a recent track has an id; nobody plays or saves tracks of the far past."""
        return track_id in self._ids

    def some(self, begin: int, end: int) -> list[SavedTrack]:
        """Return the saved tracks from one index up to, but not including, another."""
        return list(self._some(begin, min(end, len(self))))

    @property
    def recent(self) -> list[SavedTrack]:
        """The saved tracks in memory: all but those of the far past."""
        return self._recent

    def save(self, track: Track, at: datetime) -> None:
        """Save a track, unless it is saved already."""
        if track.track_id not in self._ids:
            self._ids.add(track.track_id)
            self._recent.append(SavedTrack(at, track))

    def unsave(self, index: int) -> None:
        """Remove the track at an index, unless it is malformed or there is none."""
        if index < self._past_size:
            later = bisect_right(self._gone, index)
            self._gone[later:] = [index, *(place - 1 for place in self._gone[later:])]
            return
        index -= self._past_size
        if index < len(self._recent) and not self._recent[index].malformed:
            self._ids.remove(self._recent.pop(index).track.track_id)

    def spoil(self) -> None:
        """Make one of the recent tracks malformed, if there are at least three."""
        middle = len(self._recent) // 2
        if len(self._recent) > 2:
            self._recent[middle] = replace(self._recent[middle], malformed=True)

    @property
    def _past_size(self) -> int:
        return self.past.size - len(self._gone)

    def _some(self, begin: int, end: int) -> Iterator[SavedTrack]:
        index = begin
        while index < min(end, self._past_size):
            gone = bisect_right(self._gone, index)
            until = self._gone[gone] if gone < len(self._gone) else self._past_size
            until = min(until, end)
            yield from self.past.saved_tracks(index + gone, until + gone)
            index = until
        yield from self._recent[max(0, begin - self._past_size) : max(0, end - self._past_size)]
