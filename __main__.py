"""The stack: settings in, one pipeline, outputs out."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pulumi

from pipeline.settings import read_settings
from pipeline.spotify_etl_pipeline import OUTPUTS, SpotifyEtlPipeline

# One of two keys to `pulumi destroy` with data in the buckets; the other is the setting `forceDestroy`.
ALLOW_DATA_LOSS = False

settings = read_settings()
for warning in settings.warnings(datetime.now(UTC).year):
    pulumi.log.warn(warning)

pipeline = SpotifyEtlPipeline("spotify-etl", {**dataclasses.asdict(settings), "allow_data_loss": ALLOW_DATA_LOSS})

for output in OUTPUTS:
    pulumi.export(output, getattr(pipeline, output))
