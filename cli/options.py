"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

StackOption = Annotated[
    str, typer.Option("--stack", metavar="NAME", help="The Pulumi stack to act on; not needed if there is only one.")
]
LocalOption = Annotated[bool, typer.Option("--local", help="Act on the local cloud, which `local up` started.")]
