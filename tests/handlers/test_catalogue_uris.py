"""What the setting `catalogueUris` takes, and what it says of the rest."""

from __future__ import annotations

import pytest

from handlers.catalogue_uris import CatalogueUri, CatalogueUriError, parse_all

ID = "4Z8W4fKeB5YxbusRsdQVPb"


@pytest.mark.parametrize("kind", ["artist", "album", "track"])
@pytest.mark.parametrize(
    "form",
    [
        "spotify:{kind}:{id}",
        " spotify:{kind}:{id}\n",
        "https://open.spotify.com/{kind}/{id}",
        "https://open.spotify.com/{kind}/{id}/",
        "https://open.spotify.com/{kind}/{id}?si=0f3a&utm_source=copy-link",
        "https://open.spotify.com/intl-de/{kind}/{id}",
        "https://open.spotify.com/intl-pt-BR/{kind}/{id}?si=0f3a#top",
        "http://open.spotify.com/{kind}/{id}",
    ],
)
def test_uris_and_links_are_taken(form: str, kind: str) -> None:
    parsed = CatalogueUri.parse(form.format(kind=kind, id=ID))
    assert parsed == CatalogueUri(kind, ID)
    assert str(parsed) == f"spotify:{kind}:{ID}"


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (
            ID,
            (f"'{ID}' is an id without a kind: write spotify:artist:{ID}, spotify:album:{ID} or spotify:track:{ID}."),
        ),
        (
            f"spotify:playlist:{ID}",
            f"'spotify:playlist:{ID}' is of the kind 'playlist': the catalogue accepts artist, album, track.",
        ),
        (
            f"https://open.spotify.com/intl-de/show/{ID}?si=1",
            (
                f"'https://open.spotify.com/intl-de/show/{ID}?si=1' is of the kind 'show': "
                "the catalogue accepts artist, album, track."
            ),
        ),
        (
            "spotify:track:4Z8W",
            (
                "'spotify:track:4Z8W' has an invalid id: Spotify's have 22 letters and digits, "
                "this one is 4 characters long; copy it again."
            ),
        ),
        (f"spotify:track:{ID}x", "this one is 23 characters long; copy it again."),
        (f"spotify:track:{ID[:-1]}-", "Spotify's have 22 letters and digits"),
        (f"spotify:track:{ID[:-1]}é", "Spotify's have 22 letters and digits"),
        ("https://open.spotify.com/artist/", "this one is 0 characters long"),
        ("", "'' is neither a Spotify URI nor a link to open.spotify.com"),
        ("Radiohead", "'Radiohead' is neither a Spotify URI nor a link to open.spotify.com: write, for instance,"),
        (f"spotify:user:ana:playlist:{ID}", "is neither a Spotify URI nor a link"),
        (f"https://evil.example/artist/{ID}", "is neither a Spotify URI nor a link"),
        (f"https://open.spotify.com.evil.example/artist/{ID}", "is neither a Spotify URI nor a link"),
        (f"https://open.spotify.com/artist/{ID}/albums", "is neither a Spotify URI nor a link"),
        (f"spotify:artist:{ID}\nspotify:artist:{ID}", "is neither a Spotify URI nor a link"),
        (7, "7 is neither a Spotify URI"),
        (None, "None is neither a Spotify URI"),
        ("x" * 5000, "'" + "x" * 79 + "… is neither a Spotify URI"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(entry: object, sentence: str) -> None:
    with pytest.raises(CatalogueUriError) as raised:
        CatalogueUri.parse(entry)
    assert sentence in str(raised.value)
    assert str(raised.value).endswith(".")


def test_each_thing_counts_once() -> None:
    entries = [f"spotify:track:{ID}", f"spotify:artist:{ID}", f"https://open.spotify.com/track/{ID}?si=2"]
    assert parse_all(entries) == (CatalogueUri("track", ID), CatalogueUri("artist", ID))
    assert parse_all([]) == ()


def test_one_wrong_entry_is_named() -> None:
    with pytest.raises(CatalogueUriError, match="'nonsense'"):
        parse_all([f"spotify:track:{ID}", "nonsense"])
