"""On whose behalf a query runs: Athena reads the catalog and S3 with its caller's permissions.

Source: https://docs.aws.amazon.com/athena/latest/ug/s3-permissions.html
"""

from __future__ import annotations

from collections.abc import Mapping

import flask

from embedded_aws.iam.authorization import AccessDeniedError
from embedded_aws.server.requests import ACCESS_KEY_ID
from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.errors import AccessError


class Caller:
    """Who started a query."""

    def __init__(self, server: AwsServer, key: str) -> None:
        self._server = server
        self._key = key
        self._allowed: set[tuple[str, str]] = set()

    @classmethod
    def of_request(cls, server: AwsServer) -> Caller:
        """Return who signed the request that this thread serves; outside of any it is the account's owner."""
        key = server.owner.access_key_id
        if flask.has_request_context():
            key = flask.request.environ[ACCESS_KEY_ID]
        return cls(server, key)

    def database(self, action: str, database: str) -> None:
        """Require one action of Glue on a database.

        Raises:
            AccessError: the caller may not.
        """
        self._glue(action, "catalog", f"database/{database}")

    def table(self, action: str, database: str, table: str) -> None:
        """Require one action of Glue on a table.

        Raises:
            AccessError: the caller may not.
        """
        self._glue(action, "catalog", f"database/{database}", f"table/{database}/{table}")

    def bucket(self, action: str, bucket: str, context: Mapping[str, str] | None = None) -> None:
        """Require one action of S3 on a bucket.

        Raises:
            AccessError: the caller may not.
        """
        self._require(f"s3:{action}", f"arn:aws:s3:::{bucket}", f"Permission denied on S3 path: s3://{bucket}", context)

    def object(self, action: str, bucket: str, key: str) -> None:
        """Require one action of S3 on an object.

        Raises:
            AccessError: the caller may not.
        """
        about = f"Permission denied on S3 path: s3://{bucket}/{key}"
        self._require(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}", about)

    def key(self, action: str, key: str) -> None:
        """Require one action on a KMS key, through S3.

        Raises:
            AccessError: the caller may not.
        """
        context = {"kms:ViaService": f"s3.{self._server.region}.amazonaws.com"}
        self._require(f"kms:{action}", key, f"Permission denied on KMS key {key}", context)

    def _glue(self, action: str, *resources: str) -> None:
        prefix = f"arn:aws:glue:{self._server.region}:{self._server.account_id}:"
        for resource in resources:
            self._require(f"glue:{action}", prefix + resource, "Insufficient permissions to execute the query")

    def _require(self, action: str, resource: str, about: str, context: Mapping[str, str] | None = None) -> None:
        asked = (action, f"{resource}?{context}" if context else resource)
        if asked in self._allowed:
            return
        try:
            self._server.authorization.check(self._key, action, resource, context)
        except AccessDeniedError as denied:
            raise AccessError(f"{about}. {denied}") from denied
        self._allowed.add(asked)
