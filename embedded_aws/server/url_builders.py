"""The functions by which Werkzeug builds URLs from the routes of moto's services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from werkzeug.routing import Rule


@contextmanager
def late_url_builders() -> Iterator[None]:
    """Let Werkzeug compile the builders of a route when a URL is built, in this context.

    It compiles two for every route, of which moto only matches: that takes longer than all requests of a deployment
    take to find theirs.
    """
    compile_builder: Any = Rule._compile_builder  # noqa: SLF001 - there is no public way

    def compiled_late(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        def build(bound: Rule, **values: Any) -> tuple[str, str]:
            built: tuple[str, str] = compile_builder(rule, append_unknown)(bound, **values)
            return built

        return build

    with patch.object(Rule, "_compile_builder", compiled_late):
        yield
