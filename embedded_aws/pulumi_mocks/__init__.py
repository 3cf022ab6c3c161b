"""Deployment of Pulumi programs into the embedded AWS, without the Pulumi CLI."""

from __future__ import annotations

from embedded_aws.pulumi_mocks.deploy import DeploymentError, deploy

__all__ = ["DeploymentError", "deploy"]
