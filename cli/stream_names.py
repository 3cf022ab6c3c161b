"""Names of streams as a person types them."""

from __future__ import annotations

from collections.abc import Iterable

from cli.errors import CommandError
from cli.nearest_name import advice


def parse_stream_names(text: str, known: Iterable[str], option: str) -> tuple[str, ...]:
    """Return the streams in a comma-separated list, in the order of `known`.

    Args:
        text: what was typed.
        known: the names that are possible.
        option: the option, for the message.

    Raises:
        CommandError: the list is empty, or a name is not possible; the message has the nearest name.
    """
    possible = tuple(known)
    named = {name for each in text.split(",") if (name := each.strip())}
    if not named:
        raise CommandError(f"{option} is empty: it needs one or more of {', '.join(possible)}.")
    for name in sorted(named - set(possible)):
        raise CommandError(f"{option} has {name!r}, which is not a stream: {advice(name, possible)}")
    return tuple(name for name in possible if name in named)
