"""The stack's name as a part of physical names."""

from __future__ import annotations

import hashlib
import re

_PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HASHED = re.compile(r".*-[0-9a-f]{8}")
_LONGEST = 80
"""The longest physical name is a layer's, which may have 140 characters:
https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html."""


def stack_slug(stack: str) -> str:
    """Return a name of lower-case letters, digits and hyphens that no other stack has.

    Most names are their own slug. Any other, such as `a.b`, `a_b` or `A-B`, gets a hash: databases know no hyphens and
    layers no dots, so these stacks would otherwise share what they must not.
    """
    if _PLAIN.fullmatch(stack) and not _HASHED.fullmatch(stack) and len(stack) <= _LONGEST:
        return stack
    readable = re.sub("[^a-z0-9]+", "-", stack.lower()).strip("-")[: _LONGEST - 9].rstrip("-") or "stack"
    return f"{readable}-{hashlib.sha256(stack.encode()).hexdigest()[:8]}"
