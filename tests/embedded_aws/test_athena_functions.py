"""The page about functions is what the code does."""

from __future__ import annotations

from embedded_aws.services.athena.sql.listing import PAGE, page


def test_page_lists_the_functions_as_they_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "Write it again: python -m embedded_aws.services.athena.sql.listing"
    )
