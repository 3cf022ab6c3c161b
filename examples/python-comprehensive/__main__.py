"""The pipeline beside other resources: with a provider of its own, a key of its own, and most settings set."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pipeline.spotify_etl_pipeline import OUTPUTS, SpotifyEtlPipeline

config = pulumi.Config()

# Every resource is in this account and region, or none is created, and has these tags.
provider = aws.Provider(
    "spotify",
    region=config.require("region"),
    allowed_account_ids=[config.require("accountId")],
    default_tags={"tags": {"project": "spotify", "stack": pulumi.get_stack()}},
)

# Encrypts the buckets, the secret and query results. Its default policy lets the pipeline's roles use it.
key = aws.kms.Key(
    "spotify",
    description="Spotify library and listening history.",
    enable_key_rotation=True,
    opts=pulumi.ResourceOptions(provider=provider, protect=True),
)

pipeline = SpotifyEtlPipeline(
    "spotify-etl",
    {
        "streams": ["profile", "recently_played", "playlists", "playlist_items", "saved_tracks", "catalogue"],
        "catalogue_uris": ["spotify:artist:4Z8W4fKeB5YxbusRsdQVPb"],
        "timezone": "Europe/Berlin",
        "daily_at": "05:30",
        "crawl_delay_minutes": 60,
        "raw_retention_days": 30,
        "transformed_retention_days": 180,
        "plays_retention_days": 3650,
        "results_retention_days": 1,
        "log_retention_days": 14,
        "athena_scan_limit_mb": 500,
        "architecture": "x86_64",
        "kms_key_arn": key.arn,
        "alert_email": config.require("alertEmail"),
    },
    pulumi.ResourceOptions(provider=provider),
)

for output in OUTPUTS:
    pulumi.export(output, getattr(pipeline, output))
