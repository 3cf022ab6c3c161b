"""A boto3 session that reads nothing of the user's."""

from __future__ import annotations

import functools
import os

import boto3
import botocore.session


@functools.cache
def plain_session() -> boto3.Session:
    """Return a session that reads neither the user's profiles nor files, so that no setting of theirs leaks in.

    There is one a process, whatever the server: it keeps the services' descriptions, which take long to read.
    """
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    return boto3.Session(botocore_session=core)
