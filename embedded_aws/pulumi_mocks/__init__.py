"""Pulumi programs deployed into the embedded AWS, without Pulumi's command."""

from __future__ import annotations

from embedded_aws.pulumi_mocks.deploy import DeploymentError, deploy

__all__ = ["DeploymentError", "deploy"]
