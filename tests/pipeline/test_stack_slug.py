"""Physical names of stacks: allowed everywhere, and never the same for two."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packaging import FUNCTIONS
from pipeline.stack_slug import stack_slug
from tests.thoroughness import examples

STACKS = st.from_regex(r"[A-Za-z0-9_.-]{1,100}", fullmatch=True)
"""What Pulumi allows: https://www.pulumi.com/docs/iac/concepts/stacks/."""
NEAR = st.from_regex(r"[aA][._-]{0,2}[bB]", fullmatch=True)


@pytest.mark.parametrize("stack", ["dev", "prod-2", "a-b", "20261123", "x" * 80])
def test_most_names_are_their_own_slug(stack: str) -> None:
    assert stack_slug(stack) == stack


@pytest.mark.parametrize(
    ("stack", "readable"),
    [
        ("a.b", "a-b"),
        ("a_b", "a-b"),
        ("A-B", "a-b"),
        ("a--b", "a-b"),
        ("-a", "a"),
        ("...", "stack"),
        ("x" * 81, "x" * 71),
    ],
)
def test_others_get_a_hash(stack: str, readable: str) -> None:
    assert re.fullmatch(rf"{readable}-[0-9a-f]{{8}}", stack_slug(stack))


def test_a_name_that_looks_like_another_ones_slug_gets_a_hash_too() -> None:
    taken = stack_slug("a.b")
    assert stack_slug(taken) not in (taken, stack_slug("a.b"))


@given(one=STACKS | NEAR, other=STACKS | NEAR)
@settings(max_examples=examples(thorough=2000, quick=100), deadline=None)
def test_two_stacks_never_meet(one: str, other: str) -> None:
    # Databases have underscores in place of hyphens.
    databases = {stack_slug(each).replace("-", "_") for each in (one, other)}
    assert len(databases) == len({one, other})


@given(stack=STACKS)
@settings(max_examples=examples(thorough=1000, quick=50), deadline=None)
def test_names_are_what_aws_allows(stack: str) -> None:
    slug = stack_slug(stack)
    assert re.fullmatch(r"spotify-etl-[a-zA-Z0-9._-]{1,116}", f"spotify-etl-{slug}"), "workgroup: 128 characters"
    for function in FUNCTIONS:
        assert re.fullmatch(r"[a-zA-Z0-9-_]{1,140}", f"spotify-etl-{function}-{slug}"), "layer: 140 characters"
    assert re.fullmatch(r"[a-z0-9_]{1,255}", f"spotify_{slug.replace('-', '_')}"), "database: 255 characters"
