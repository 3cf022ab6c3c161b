"""The stack's raw bucket as a command meets it: what goes wrong there is one sentence for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from cli.errors import CommandError
from cli.text import quoted
from handlers.raw.bucket import ConflictError, RawBucket


@contextmanager
def raw_bucket(name: str) -> Iterator[RawBucket]:
    """The bucket, to be written within the context.

    Raises:
        CommandError: AWS refuses or does not answer, or others keep writing what is to be written.
    """
    try:
        client = boto3.client("s3")
    except (BotoCoreError, ValueError) as error:  # A region that makes no address is a ValueError.
        raise CommandError(f"AWS cannot be contacted ({quoted(error)}): check your credentials and region.") from error
    try:
        yield RawBucket(client, name)
    except (client.exceptions.NoSuchBucket, ParamValidationError) as error:  # Of what is sent only the name may be odd.
        raise CommandError(
            f"There is no bucket {name!r} in this account: "
            "`pulumi stack output raw_bucket_name` prints the name of the stack's bucket."
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"AWS refused or did not answer ({quoted(error)}): check your credentials and region, then run the command "
            "again; it continues with the files that are not imported yet."
        ) from error
    except ConflictError as error:
        raise CommandError(f"{error} Run the command again.") from error
