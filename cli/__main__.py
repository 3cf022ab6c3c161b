"""`python -m cli`: the command where its script is not at hand, for instance in a checkout that was moved."""

from __future__ import annotations

from cli.entry import main

main()
