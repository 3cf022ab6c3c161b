"""Generates raw objects of playlist items of any size, with full track objects as a new app gets them.

The same size always gives the same bytes, in the extractor's format. Of the entries, 1 % have no item and 1 % are local
files; on average, a track appears twice, an album has eight tracks, and an artist has two and a half albums.
Shape: https://developer.spotify.com/documentation/web-api/reference/get-playlists-items.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

from handlers.layout import RawKey

RUN = "20261123T060000Z-daily"
PLAYLIST = "2ZONg885GRx1XlgcsNVzLk"
KEY = RawKey("playlist_items", RUN, 0, PLAYLIST)
READ = f"{RUN}-{PLAYLIST}"
ACCOUNT = "aB3dE5fG7h"

_WORDS = (
    *("Untitled", "Night", "River", "Vaka", "Ágætis", "Summer", "Blue", "Bird", "Song of the", "Sea", "Electric"),
    *("Live", "Remastered", "Part", "Dance", "夜に駆ける", "Niña", "Über", "Little", "Golden", "House", "Road"),
)
_BASE62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WEB, _API = "https://open.spotify.com", "https://api.spotify.com/v1"


def raw_object(folder: Path, items: int) -> Path:
    """Return the path of a raw object with a number of playlist items, generating it if necessary."""
    path = folder / f"playlist_items-{items}.jsonl.gz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        with (
            unfinished.open("wb") as file,
            gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed,
        ):
            packed.writelines(lines(items))
        unfinished.rename(path)
    return path


def lines(items: int) -> Iterator[bytes]:
    """Raw lines, each with its newline."""
    choice = random.Random(items)  # noqa: S311 - data, no secret
    tracks = max(items // 2, 1)
    for position in range(items):
        kind = choice.random()
        number = choice.randrange(tracks)
        item = "null" if kind < 0.01 else _local(number) if kind < 0.02 else _track(number)
        page = position // 50
        yield (
            f'{{"stream":"playlist_items","run_id":"{RUN}","read_id":"{READ}",'
            f'"extracted_at":"2026-11-23T06:{page // 60 % 60:02}:{page % 60:02}.250Z","account_id":"{ACCOUNT}",'
            f'"request":{{"path":"playlists/{PLAYLIST}/items","params":{{"limit":50,"offset":{page * 50}}}}},'
            f'"context":{{"playlist_id":"{PLAYLIST}","snapshot_id":"AAAAC4PDlJ8cOJKA","position":{position}}},'
            f'"record":{{"added_at":"{2015 + number % 11}-{1 + number % 12:02}-{1 + number % 28:02}T09:26:53Z",'
            f'"added_by":{{"external_urls":{{"spotify":"{_WEB}/user/ana01"}},"href":"{_API}/users/ana01","id":"ana01",'
            f'"type":"user","uri":"spotify:user:ana01"}},"is_local":{"true" if 0.01 <= kind < 0.02 else "false"},'
            f'"primary_color":null,"item":{item},"video_thumbnail":{{"url":null}}}}}}\n'
        ).encode("ascii")


def _track(number: int) -> str:
    id_ = _id("track", number)
    return (
        f'{{"album":{_album(number // 8)},"artists":[{_artists(number // 8, number % 5 == 0)}],'
        f'"disc_number":1,"duration_ms":{120_000 + number * 7919 % 300_000},"episode":false,'
        f'"explicit":{"true" if number % 9 == 0 else "false"},"external_ids":{{"isrc":"GBAYE{number:07}"}},'
        f'"external_urls":{{"spotify":"{_WEB}/track/{id_}"}},"href":"{_API}/tracks/{id_}","id":"{id_}",'
        f'"is_local":false,"name":{_name("track", number)},"preview_url":null,"track":true,'
        f'"track_number":{number % 8 + 1},"type":"track","uri":"spotify:track:{id_}"}}'
    )


@functools.lru_cache(maxsize=200_000)
def _album(number: int) -> str:
    id_ = _id("album", number)
    image = hashlib.sha1(id_.encode(), usedforsecurity=False).hexdigest()
    images = ",".join(
        f'{{"height":{size},"url":"https://i.scdn.co/image/{prefix}{image}","width":{size}}}'
        for size, prefix in ((640, "ab67616d0000b273"), (300, "ab67616d00001e02"), (64, "ab67616d00004851"))
    )
    year = 1960 + number % 66
    date, precision = ((f"{year}-{1 + number % 12:02}-{1 + number % 28:02}", "day"), (f"{year}", "year"))[
        number % 10 == 0
    ]
    return (
        f'{{"album_type":"{("album", "single", "compilation")[number % 3]}","artists":[{_artists(number, False)}],'
        f'"external_urls":{{"spotify":"{_WEB}/album/{id_}"}},"href":"{_API}/albums/{id_}","id":"{id_}",'
        f'"images":[{images}],"name":{_name("album", number)},"release_date":"{date}",'
        f'"release_date_precision":"{precision}","total_tracks":8,"type":"album","uri":"spotify:album:{id_}"}}'
    )


def _artists(album: int, two: bool) -> str:
    main = album * 2 // 5
    return f"{_artist(main)},{_artist(main // 3)}" if two and main // 3 != main else _artist(main)


@functools.lru_cache(maxsize=200_000)
def _artist(number: int) -> str:
    id_ = _id("artist", number)
    return (
        f'{{"external_urls":{{"spotify":"{_WEB}/artist/{id_}"}},"href":"{_API}/artists/{id_}","id":"{id_}",'
        f'"name":{_name("artist", number)},"type":"artist","uri":"spotify:artist:{id_}"}}'
    )


def _local(number: int) -> str:
    return (
        '{"album":{"album_type":null,"artists":[],"external_urls":{},"href":null,"id":null,"images":[],'
        f'"name":"Own album","release_date":null,"release_date_precision":null,"type":"album","uri":null}},'
        '"artists":[{"external_urls":{},"href":null,"id":null,"name":"Own band","type":"artist","uri":null}],'
        '"disc_number":0,"duration_ms":127000,"explicit":false,"external_ids":{},"external_urls":{},"href":null,'
        f'"id":null,"is_local":true,"name":"Own song {number}","preview_url":null,"track_number":0,"type":"track",'
        f'"uri":"spotify:local:Own+band:Own+album:Own+song+{number}:127"}}'
    )


def _id(kind: str, number: int) -> str:
    value = int.from_bytes(hashlib.blake2b(f"{kind}{number}".encode(), digest_size=16).digest())
    digits = []
    for _ in range(22):
        value, digit = divmod(value, 62)
        digits.append(_BASE62[digit])
    return "".join(digits)


def _name(kind: str, number: int) -> str:
    words = random.Random(f"{kind}{number}").choices(_WORDS, k=1 + number % 4)  # noqa: S311 - data, no secret
    return json.dumps(" ".join(words))
