"""The stack's raw bucket as commands use it, with errors as one sentence for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from cli.errors import CommandError
from cli.text import quoted
from handlers.raw.bucket import ConflictError, RawBucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@contextmanager
def raw_bucket(name: str, s3: S3Client | None = None) -> Iterator[RawBucket]:
    """Yield the bucket.

    Args:
        name: of the bucket.
        s3: a client of its account; by default that of the environment.

    Raises:
        CommandError: AWS refused a request or did not respond, or others keep changing the same object.
    """
    try:
        client = s3 or boto3.client("s3")
    except (BotoCoreError, ValueError) as error:  # An invalid region name is a ValueError.
        raise CommandError(
            f"Cannot create an AWS client ({quoted(error)}): check your credentials and region."
        ) from error
    try:
        yield RawBucket(client, name)
    except (client.exceptions.NoSuchBucket, ParamValidationError) as error:
        # The name is the only parameter that can be invalid.
        raise CommandError(
            f"There is no bucket {name!r} in this account: "
            "`pulumi stack output raw_bucket_name` prints the name of the stack's bucket."
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"AWS refused a request or did not respond ({quoted(error)}): check your credentials and region, and run "
            "the command again; it continues with the files that have not been imported yet."
        ) from error
    except ConflictError as error:
        raise CommandError(f"{error} Run the command again.") from error
