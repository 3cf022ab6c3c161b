"""The artists, albums and tracks that a setting lists: one snapshot each, an artist's including the albums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.catalogue_uris import CatalogueUri
from handlers.extract.reads import paging
from handlers.extract.reads.full_read import FullRead, SourceRecords
from handlers.extract.reads.paging import Cursor, Pass, Record
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.snapshot import read_unit
from handlers.extract.spotify.errors import MalformedResponseError, NotFoundError, RefusedError
from handlers.raw.state import Slot
from handlers.streams import ARTIST_ALBUMS, ARTIST_ALBUMS_PAGE_SIZE, CATALOGUE_KINDS, Stream

_ALBUMS = Stream(
    name=ARTIST_ALBUMS.name,
    doc="The albums of an artist.",
    mode="catalogue",
    path=ARTIST_ALBUMS.path,
    page_size=ARTIST_ALBUMS_PAGE_SIZE,
    key=("item_uri",),
    item_keys=("",),
    quota_group=ARTIST_ALBUMS.quota_group,
    needs_user=False,
)


def read_catalogue(run: RunContext, stream: Stream) -> None:
    """Read every entry of the setting as a unit of its own, so that one failure does not affect the others.

    State: `{"units": {<id>: {"complete", "digest", "open", "short", "asked"}}}`, each as in a snapshot.
    """
    if not run.catalogue:
        run.unit_log.add_skipped([stream], "no_catalogue_uris")
        return
    state = run.state(stream)
    for uri in run.catalogue:
        if not run.is_left(stream, uri.id):
            continue
        with run.unit_log.unit(stream, uri.id, mode="full") as unit:
            read_unit(
                FullRead(
                    run=run,
                    unit=unit,
                    slot=Slot(state, "units", uri.id),
                    source=_CatalogueSource(run, uri),
                    short=paging.REPEATABLE_PAGES * ARTIST_ALBUMS_PAGE_SIZE,
                )
            )


class _CatalogueSource:
    """Yields the entry itself, then an artist's albums."""

    def __init__(self, run: RunContext, uri: CatalogueUri) -> None:
        self._run = run
        self._uri = uri
        self._context: Mapping[str, Any] = {"requested_uri": str(uri)}

    def __call__(self, after: Cursor | None, one_pass: Pass) -> SourceRecords:
        kind = CATALOGUE_KINDS[self._uri.kind]
        path = kind.path.format(unit=self._uri.id)
        if after is None:
            yield self._entry(path, kind.quota_group), self._context
        if self._uri.kind != "artist":
            return
        # After the artist itself come the albums from their first page.
        within = after if after and after.path != path else None
        for record in self._run.records(_ALBUMS, self._uri.id, one_pass=one_pass, after=within):
            yield record, self._context

    def _entry(self, path: str, group: str) -> Record:
        try:
            response = self._run.get(path, group)
        except (NotFoundError, RefusedError) as error:
            raise type(error)(
                f"Spotify has no {self._uri}: correct it in the setting catalogueUris or remove it."
            ) from error
        if not isinstance(response.value, dict) or not isinstance(response.value.get("uri"), str):
            raise MalformedResponseError(f"Spotify's response for {self._uri} has no URI: the next run reads it again.")
        return Record(response.value, 0, response)
