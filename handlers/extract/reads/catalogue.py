"""The artists, albums and tracks that a setting names: one snapshot each, an artist's with the albums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.catalogue_uris import CatalogueUri
from handlers.extract.reads import paging
from handlers.extract.reads.full_read import FullRead
from handlers.extract.reads.paging import Cursor, Pass, Record
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.snapshot import read_unit
from handlers.extract.spotify.errors import MalformedResponseError, NotFoundError, RefusedError
from handlers.raw.state import Slot
from handlers.streams import ARTIST_ALBUMS, ARTIST_ALBUMS_PAGE_SIZE, CATALOGUE_KINDS, Stream

_ALBUMS = Stream(
    ARTIST_ALBUMS.name,
    "The albums of an artist.",
    ARTIST_ALBUMS.path,
    "offset",
    ARTIST_ALBUMS_PAGE_SIZE,
    "catalogue",
    ("item_uri",),
    ARTIST_ALBUMS.quota_group,
    needs_user=False,
)


def read_catalogue(run: RunContext, stream: Stream) -> None:
    """Read every entry of the setting, each a unit: one that fails does not keep the others from being read.

    State: `{"units": {<id>: {"complete", "digest", "open", "short", "asked"}}}`, each as of a snapshot.
    """
    if not run.catalogue:
        run.unit_log.note_skipped([stream], "no_catalogue_uris")
        return
    state = run.state(stream)
    for uri in run.catalogue:
        if not run.is_left(stream, uri.id):
            continue
        with run.unit_log.unit(stream, uri.id, mode="full") as unit:
            short = paging.REPEATABLE_PAGES * ARTIST_ALBUMS_PAGE_SIZE
            read_unit(FullRead(run, unit, Slot(state, "units", uri.id), _Source(run, uri), short=short))


class _Source:
    """The thing itself, and behind that the albums of an artist."""

    def __init__(self, run: RunContext, uri: CatalogueUri) -> None:
        self._work = run
        self._uri = uri
        self._context = {"requested_uri": str(uri)}

    def __call__(self, behind: Cursor | None, one_pass: Pass) -> Iterator[tuple[Record, Mapping[str, Any]]]:
        kind = CATALOGUE_KINDS[self._uri.kind]
        path = kind.path.format(unit=self._uri.id)
        if behind is None:
            yield self._thing(path, kind.quota_group), self._context
        if self._uri.kind != "artist":
            return
        # A place behind the artist itself is the begin of the albums.
        within = behind if behind and behind.path != path else None
        for record in self._work.records(_ALBUMS, self._uri.id, one_pass=one_pass, behind=within):
            yield record, self._context

    def _thing(self, path: str, group: str) -> Record:
        try:
            answer = self._work.get(path, group)
        except (NotFoundError, RefusedError) as error:
            raise type(error)(
                f"Spotify has no {self._uri}: correct it in the setting catalogueUris, or take it out."
            ) from error
        if not isinstance(answer.value, dict) or not isinstance(answer.value.get("uri"), str):
            raise MalformedResponseError(f"Spotify's answer for {self._uri} names no URI: the next run reads it again.")
        return Record(answer.value, 0, answer)
