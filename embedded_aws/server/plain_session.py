"""A boto3 session independent of the user's configuration."""

from __future__ import annotations

import functools
import os

import boto3
import botocore.session

from embedded_aws.server.timestamps import parsed_timestamp


@functools.cache
def plain_session() -> boto3.Session:
    """Return a session that reads none of the user's profiles and files.

    There is one per process, because it caches service models, which are slow to load.
    """
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parsed_timestamp)
    return boto3.Session(botocore_session=core)
