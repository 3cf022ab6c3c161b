"""`python -m cli`: runs the command without its script, for instance in a checkout that was moved."""

from __future__ import annotations

from cli.entry import main

main()
