"""The Pulumi program: reads the settings, creates the pipeline, and exports its outputs."""

from __future__ import annotations

import dataclasses
from typing import cast

import pulumi

from pipeline.settings import read_settings
from pipeline.spotify_etl_pipeline import OUTPUTS, SpotifyEtlPipeline, SpotifyEtlPipelineArgs

# `pulumi destroy` deletes buckets that hold data only if both this and the setting `forceDestroy` are true.
ALLOW_DATA_LOSS = False

settings = read_settings()
if settings.force_destroy and not ALLOW_DATA_LOSS:
    pulumi.log.warn("spotify-etl:forceDestroy has no effect while ALLOW_DATA_LOSS in __main__.py is False.")

args = cast("SpotifyEtlPipelineArgs", dataclasses.asdict(settings) | {"allow_data_loss": ALLOW_DATA_LOSS})
pipeline = SpotifyEtlPipeline("spotify-etl", args)

for output in OUTPUTS:
    pulumi.export(output, getattr(pipeline, output))
