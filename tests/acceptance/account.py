"""What the acceptance suite needs of an AWS account, real or embedded."""

from __future__ import annotations

from typing import Any, Protocol

from embedded_aws.iam.credentials import AwsCredentials

SETTINGS = {
    "schedulesEnabled": "false",
    "forceDestroy": "true",
    "logRetentionDays": "1",
    "resultsRetentionDays": "1",
    # A compaction deletes what is older, and the recorded data get older every day.
    "transformedRetentionDays": "36500",
    "playsRetentionDays": "36500",
}
"""Settings of the throw-away stack."""


class Account(Protocol):
    """An account that the program is deployed to."""

    def deploy(self) -> dict[str, Any]:
        """Deploy the program as a throw-away stack, and return its outputs."""

    def client(self, service: str, credentials: AwsCredentials | None = None) -> Any:
        """Return a boto3 client; by default with the credentials of whoever deploys."""

    def wait(self) -> None:
        """Let some seconds pass."""

    def destroy(self) -> None:
        """Delete the stack with its data."""
