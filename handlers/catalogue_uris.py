"""The entries of the setting `catalogueUris`: artists, albums and tracks, as URIs or as links to Spotify."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from handlers.streams import CATALOGUE_KINDS

_ID = re.compile(r"[A-Za-z0-9]{22}")
_URI = re.compile(r"spotify:(?P<kind>[^:]+):(?P<id>[^:]*)")
# Links shared from other countries start with the language: `/intl-de/`.
_URL = re.compile(r"https?://open\.spotify\.com/(?:intl-[A-Za-z-]+/)?(?P<kind>[^/?#]+)/(?P<id>[^/?#]*)/?(?:[?#].*)?")
_SHOWN = 80


class CatalogueUriError(ValueError):
    """The entry is not an artist, album or track; the message is one sentence."""


@dataclass(frozen=True)
class CatalogueUri:
    """One artist, album or track."""

    kind: str
    """Key of `streams.CATALOGUE_KINDS`."""
    id: str
    """22 letters and digits: https://developer.spotify.com/documentation/web-api/concepts/spotify-uris-ids."""

    def __str__(self) -> str:
        """Return the URI: `spotify:<kind>:<id>`."""
        return f"spotify:{self.kind}:{self.id}"

    @classmethod
    def parse(cls, entry: object) -> CatalogueUri:
        """Parse a URI or a link to open.spotify.com, with or without language and query.

        Raises:
            CatalogueUriError: it is neither, or of another kind, or its id is invalid.
        """
        shown = repr(entry) if len(repr(entry)) <= _SHOWN else f"{repr(entry)[:_SHOWN]}…"
        text = entry.strip() if isinstance(entry, str) else ""
        if _ID.fullmatch(text):
            raise CatalogueUriError(
                f"{shown} is an id without a kind: write spotify:artist:{text}, "
                f"spotify:album:{text} or spotify:track:{text}."
            )
        match = _URI.fullmatch(text) or _URL.fullmatch(text)
        if match is None:
            raise CatalogueUriError(
                f"{shown} is neither a Spotify URI nor a link to open.spotify.com: write, for instance, "
                "spotify:artist:<id> or https://open.spotify.com/artist/<id>."
            )
        if match["kind"] not in CATALOGUE_KINDS:
            raise CatalogueUriError(
                f"{shown} is of the kind {match['kind']!r}: the catalogue accepts {', '.join(CATALOGUE_KINDS)}."
            )
        if not _ID.fullmatch(match["id"]):
            raise CatalogueUriError(
                f"{shown} has an invalid id: Spotify's have 22 letters and digits, this one is "
                f"{len(match['id'])} characters long; copy it again."
            )
        return cls(match["kind"], match["id"])


def parse_all(entries: Iterable[object]) -> tuple[CatalogueUri, ...]:
    """Return the parsed entries without duplicates, in order.

    Raises:
        CatalogueUriError: an entry is invalid; the message quotes it.
    """
    return tuple(dict.fromkeys(CatalogueUri.parse(entry) for entry in entries))
