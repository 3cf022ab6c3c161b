"""Endpoints that apps in Development Mode may not call since February 2026: they get a 403.

Source: https://developer.spotify.com/documentation/web-api/references/changes/february-2026; from audio features on
https://developer.spotify.com/blog/2024-11-27-changes-to-the-web-api. Users report the 403:
https://github.com/bjarneo/cliamp/issues/54.
"""

from __future__ import annotations

REMOVED = (
    "tracks",
    "albums",
    "artists",
    "shows",
    "episodes",
    "audiobooks",
    "chapters",
    "playlists/<playlist_id>/tracks",
    "artists/<artist_id>/top-tracks",
    "users/<user_id>",
    "users/<user_id>/playlists",
    "browse/new-releases",
    "browse/categories",
    "browse/categories/<category_id>",
    "markets",
    "me/tracks/contains",
    "me/albums/contains",
    "me/shows/contains",
    "me/episodes/contains",
    "me/audiobooks/contains",
    "me/following/contains",
    "audio-features",
    "audio-features/<track_id>",
    "audio-analysis/<track_id>",
    "recommendations",
    "artists/<artist_id>/related-artists",
    "browse/featured-playlists",
    "browse/categories/<category_id>/playlists",
)
"""Paths below `/v1/`, as werkzeug rules."""

REMOVED_PARAMETERS = frozenset(
    {
        "additional_types",
        "country",
        "fields",
        "ids",
        "limit",
        "locale",
        "market",
        "offset",
        "seed_artists",
        "seed_genres",
        "seed_tracks",
        "type",
    }
)
"""Parameters that clients send there."""
