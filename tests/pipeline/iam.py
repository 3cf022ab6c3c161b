"""Evaluates policy documents as IAM does, as far as this project's policies need it."""

from __future__ import annotations

import fnmatch
import json
from typing import Any


def statements(document: str | dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of a policy document."""
    parsed: dict[str, Any] = json.loads(document) if isinstance(document, str) else document
    return list(parsed["Statement"])


def allows(document: str | dict[str, Any], action: str, resource: str) -> bool:
    """Return whether an identity policy, without Deny or conditions, allows an action on a resource."""
    for statement in statements(document):
        assert statement.keys() == {"Effect", "Action", "Resource"}, statement
        assert statement["Effect"] == "Allow", statement
    return any(
        any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in statement["Action"])
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        for statement in statements(document)
    )
