"""Serves `SpotifyEtlPipeline` to Pulumi's engine, which starts this folder as a plugin."""

from __future__ import annotations

import sys
from importlib.metadata import version

import pulumi
import pulumi.provider
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.provider import ConstructResult
from pulumi.provider.server import ComponentInitError

from pipeline.settings import NAMESPACE, SettingError
from pipeline.spotify_etl_pipeline import SpotifyEtlPipeline


class PipelineProvider(ComponentProvider):
    """The provider that Pulumi makes for a component, except that a wrong setting is one sentence without traceback."""

    def construct(
        self, name: str, resource_type: str, inputs: pulumi.Inputs, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Create the component.

        Raises:
            pulumi.InputPropertiesError: a setting is not allowed.
        """
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if isinstance(error.inner, SettingError):
                # An empty list, since Pulumi fails without one.
                raise pulumi.InputPropertiesError(str(error.inner), []) from None
            raise


if __name__ == "__main__":
    pulumi.provider.main(PipelineProvider([SpotifyEtlPipeline], NAMESPACE, version=version(NAMESPACE)), sys.argv[1:])
