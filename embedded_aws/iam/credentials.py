"""AWS credentials."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True)
class AwsCredentials:
    """An access key, with the session token of a role session."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)

    @classmethod
    def random(cls) -> Self:
        """Return a new long-term access key in AWS's format."""
        letters = string.ascii_uppercase + "234567"
        return cls("AKIA" + "".join(secrets.choice(letters) for _ in range(16)), secrets.token_urlsafe(30), None)
