# ruff: noqa: INP001 - a script, no package
"""The schema of the component for `make docs`: what programs in other languages know of it."""

from __future__ import annotations

import json
from importlib.metadata import version

from pulumi.provider.experimental.component import ComponentProvider

from pipeline.settings import NAMESPACE
from pipeline.spotify_etl_pipeline import SpotifyEtlPipeline


def component_schema() -> str:
    """Return plugin/schema.json, as `pulumi package get-schema` prints it."""
    provider = ComponentProvider([SpotifyEtlPipeline], NAMESPACE, version=version(NAMESPACE))
    return json.dumps(json.loads(provider.schema or "{}"), indent=2, sort_keys=True) + "\n"
