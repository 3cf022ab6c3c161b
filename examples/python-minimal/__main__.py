"""The pipeline with every setting at its default."""

from __future__ import annotations

import pulumi

from pipeline.spotify_etl_pipeline import OUTPUTS, SpotifyEtlPipeline

pipeline = SpotifyEtlPipeline("spotify-etl", {})

for output in OUTPUTS:
    pulumi.export(output, getattr(pipeline, output))
