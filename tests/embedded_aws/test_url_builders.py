"""Werkzeug's builders of URLs, compiled only when one is built."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from werkzeug.routing import Map, Rule

from embedded_aws.server.url_builders import late_url_builders


def made() -> Map:
    return Map([Rule("/<bucket>/<path:key>", endpoint="object"), Rule("/<bucket>", endpoint="bucket")])


def test_urls_are_matched_without_compiling_a_builder() -> None:
    with late_url_builders(), patch.object(Rule, "_get_func_code", side_effect=AssertionError):
        assert made().bind("host").match("/lake/a/b") == ("object", {"bucket": "lake", "key": "a/b"})


@pytest.mark.parametrize(
    "values", [{"bucket": "lake", "key": "a b/c"}, {"bucket": "lake", "key": "a", "versions": "1"}]
)
def test_urls_are_built_as_by_werkzeug(values: dict[str, str]) -> None:
    expected = made().bind("host").build("object", values)
    with late_url_builders():
        assert made().bind("host").build("object", values) == expected
