"""Access keys."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True)
class AwsCredentials:
    """A key pair, of a role session with its token."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)

    @classmethod
    def random(cls) -> Self:
        """Return a new lasting key pair of AWS's form, which nobody can guess."""
        letters = string.ascii_uppercase + "234567"
        return cls("AKIA" + "".join(secrets.choice(letters) for _ in range(16)), secrets.token_urlsafe(30), None)
