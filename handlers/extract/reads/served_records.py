"""Records of a list that were served already, whatever page they are on."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from handlers.extract.reads.record_keys import record_key

_BYTES = 6
"""Length of a digest: one list of 125 000 records in 36 000 has a collision, and the state stays near a megabyte."""


class ServedRecords:
    """Digests of the records that one pass was served, kept in state while the pass is interrupted.

    Args:
        digests: those of an earlier run that started the pass.
    """

    def __init__(self, digests: frozenset[bytes] = frozenset()) -> None:
        self._digests = set(digests)

    def add(self, digest: bytes) -> bool:
        """Add a record by its digest; return whether it was there before."""
        if digest in self._digests:
            return True
        self._digests.add(digest)
        return False

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._digests

    def content(self) -> str:
        """Return the form stored in the state."""
        return base64.b64encode(b"".join(sorted(self._digests))).decode("ascii")

    @classmethod
    def parse(cls, content: object) -> ServedRecords | None:
        """Parse stored content; return None for anything else."""
        if not isinstance(content, str):
            return None
        try:
            packed = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(packed) % _BYTES:
            return None
        return cls(frozenset(packed[start : start + _BYTES] for start in range(0, len(packed), _BYTES)))


def record_digest(value: Any) -> bytes | None:
    """Return the digest of a record's key; None without a URI, since such records cannot be told apart."""
    key = record_key(value)
    return hashlib.blake2b(key.encode(), digest_size=_BYTES).digest() if ":" in key else None
