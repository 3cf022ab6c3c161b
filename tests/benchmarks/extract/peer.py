"""The loop from tutorials: spotipy, page after page, into one gzip file. Arguments: token, URL of the API, file.

It keeps no state, reports nothing and begins again when it breaks off; what it has in common with the extractor is the
requests and the lines. Prints the number of records.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import spotipy


def main() -> None:
    """Read the saved tracks."""
    token, api_url, path = sys.argv[1:]
    spotify = spotipy.Spotify(auth=token)
    spotify.prefix = api_url
    records = 0
    with gzip.open(Path(path), "wt", compresslevel=6) as file:
        page = spotify.current_user_saved_tracks(limit=50)
        while page:
            for item in page["items"]:
                file.write(json.dumps(item) + "\n")
                records += 1
            page = spotify.next(page) if page["next"] else None
    sys.stdout.write(f"{records}\n")


if __name__ == "__main__":
    main()
