"""The permissions that a query runs with: Athena reads the catalog and S3 on behalf of its caller.

Source: https://docs.aws.amazon.com/athena/latest/ug/s3-permissions.html
"""

from __future__ import annotations

from collections.abc import Mapping

from embedded_aws.iam.authorization import AccessDeniedError
from embedded_aws.iam.principals import UnknownAccessKeyError
from embedded_aws.server.requests import SENDER
from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.errors import AccessError


class CallerPermissions:
    """What the caller of a query may do; an action once allowed is not checked again."""

    def __init__(self, server: AwsServer, key: str) -> None:
        self._server = server
        self._key = key
        self._allowed: set[tuple[str, str]] = set()

    @classmethod
    def of_request(cls, server: AwsServer) -> CallerPermissions:
        """Return the permissions of whoever signed this thread's request; outside a request, the account owner's."""
        return cls(server, SENDER.get(server.owner.access_key_id))

    def check_database(self, action: str, database: str) -> None:
        """Check a Glue action on a database.

        Raises:
            AccessError: the caller is not allowed to.
        """
        self._check_glue(action, "catalog", f"database/{database}")

    def check_table(self, action: str, database: str, table: str) -> None:
        """Check a Glue action on a table.

        Raises:
            AccessError: the caller is not allowed to.
        """
        self._check_glue(action, "catalog", f"database/{database}", f"table/{database}/{table}")

    def check_bucket(self, action: str, bucket: str, context: Mapping[str, str] | None = None) -> None:
        """Check an S3 action on a bucket.

        Raises:
            AccessError: the caller is not allowed to.
        """
        self._check(f"s3:{action}", f"arn:aws:s3:::{bucket}", f"Permission denied on S3 path: s3://{bucket}", context)

    def check_object(self, action: str, bucket: str, key: str) -> None:
        """Check an S3 action on an object.

        Raises:
            AccessError: the caller is not allowed to.
        """
        message = f"Permission denied on S3 path: s3://{bucket}/{key}"
        self._check(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}", message)

    def check_key(self, action: str, key: str) -> None:
        """Check an action on a KMS key, used through S3.

        Raises:
            AccessError: the caller is not allowed to.
        """
        context = {"kms:ViaService": f"s3.{self._server.region}.amazonaws.com"}
        self._check(f"kms:{action}", key, f"Permission denied on KMS key {key}", context)

    def _check_glue(self, action: str, *resources: str) -> None:
        prefix = f"arn:aws:glue:{self._server.region}:{self._server.account_id}:"
        for resource in resources:
            self._check(f"glue:{action}", prefix + resource, "Insufficient permissions to execute the query")

    def _check(self, action: str, resource: str, message: str, context: Mapping[str, str] | None = None) -> None:
        checked = (action, f"{resource}?{context}" if context else resource)
        if checked in self._allowed:
            return
        try:
            self._server.authorization.check(self._key, action, resource, context)
        except (AccessDeniedError, UnknownAccessKeyError) as denied:
            raise AccessError(f"{message}. {denied}") from denied
        self._allowed.add(checked)
