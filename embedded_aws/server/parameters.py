"""The parameters of a request as moto's responses have them."""

from __future__ import annotations

from typing import Any

from moto.core.responses import BaseResponse


def parameter(response: BaseResponse, name: str) -> Any:
    """Return a parameter of the request; None without it."""
    return response._get_param(name)  # noqa: SLF001 - how moto reads parameters
