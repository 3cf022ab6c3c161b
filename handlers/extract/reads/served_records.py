"""Which records of a list were served already, whatever page they stand on."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from handlers.extract.reads.record_keys import record_key

_BYTES = 6
"""Of a digest: one list of 125 000 records in 36 000 has a collision, and state stays near a megabyte."""


class ServedRecords:
    """Digests of what one pass over a list was served, kept in state while the pass is cut off.

    Args:
        digests: those of an earlier run that began the pass.
    """

    def __init__(self, digests: frozenset[bytes] = frozenset()) -> None:
        self._digests = set(digests)

    def note(self, name: str) -> bool:
        """Note a record by name; returns whether it was noted before."""
        digest = _digest(name)
        if digest in self._digests:
            return True
        self._digests.add(digest)
        return False

    def __contains__(self, name: str) -> bool:
        return _digest(name) in self._digests

    def content(self) -> str:
        """The form in which state holds it."""
        return base64.b64encode(b"".join(sorted(self._digests))).decode("ascii")

    @classmethod
    def parse(cls, content: object) -> ServedRecords | None:
        """What state holds; None where it is something else."""
        if not isinstance(content, str):
            return None
        try:
            packed = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(packed) % _BYTES:
            return None
        return cls(frozenset(packed[start : start + _BYTES] for start in range(0, len(packed), _BYTES)))


def record_name(value: Any) -> str | None:
    """What tells a record of a list from the others; None for one without a URI, which nothing tells apart."""
    name = record_key(value)
    return name if ":" in name else None


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=_BYTES).digest()
