"""The arguments of a resource, none of which may be ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Arguments:
    """The arguments of a resource or of one of its blocks, in Pulumi's names (camelCase).

    Arguments that are never taken are an error in the end: nothing that a program declares is silently dropped.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = {key: value for key, value in given.items() if value is not None}
        self._taken: set[str] = set()
        self._blocks: list[tuple[str, Arguments]] = []

    def take(self, name: str, default: Any = None) -> Any:
        """Return an argument."""
        self._taken.add(name)
        return _whole(self._given.get(name, default))

    def block(self, name: str) -> Arguments | None:
        """Return an argument that is a block, whose own arguments must be taken too."""
        given = self._given.get(name)
        self._taken.add(name)
        return None if given is None else self._kept(name, given)

    def blocks(self, name: str) -> list[Arguments]:
        """Return an argument that is a list of blocks."""
        self._taken.add(name)
        return [self._kept(f"{name}[{index}]", given) for index, given in enumerate(self._given.get(name) or ())]

    def api(self, name: str) -> Any:
        """Return an argument in the names of the AWS API, if those are Pulumi's with a capital first letter.

        Nothing is lost: boto3 rejects a parameter that the API does not have.
        """
        return capitalized(self.take(name))

    def request(self, *names: str, **renamed: str) -> dict[str, Any]:
        """Return those of the named arguments that are given, as parameters of an API request.

        Args:
            names: arguments whose parameter is the capitalized name, including blocks.
            renamed: argument → parameter, for strings, numbers, lists of strings and maps with arbitrary keys.
        """
        taken = {capital(name): self.api(name) for name in names}
        taken |= {parameter: self.take(name) for name, parameter in renamed.items()}
        return {parameter: value for parameter, value in taken.items() if value is not None}

    def left_over(self) -> Iterator[str]:
        """Yield every argument that was not taken; those of blocks with their path."""
        yield from (name for name in self._given if name not in self._taken)
        for path, block in self._blocks:
            yield from (f"{path}.{name}" for name in block.left_over())

    def _kept(self, path: str, given: Mapping[str, Any]) -> Arguments:
        block = Arguments(given)
        self._blocks.append((path, block))
        return block


def capital(name: str) -> str:
    """Return a name with a capital first letter."""
    return name[:1].upper() + name[1:]


def capitalized(value: Any) -> Any:
    """Return a value with capitalized keys on every level."""
    if isinstance(value, dict):
        return {capital(key): capitalized(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [capitalized(item) for item in value]
    return value


def _whole(value: Any) -> Any:
    """Return a value with integers for whole numbers: Pulumi sends every number as a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value
