"""A resource's arguments, each of which somebody has to take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Arguments:
    """The arguments of a resource or of one of its blocks, in Pulumi's names (camelCase).

    What is never taken is left over, and an error in the end: nothing a program asks for is dropped in silence.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = {key: value for key, value in given.items() if value is not None}
        self._taken: set[str] = set()
        self._blocks: list[tuple[str, Arguments]] = []

    def take(self, name: str, default: Any = None) -> Any:
        """Return an argument as it is."""
        self._taken.add(name)
        return _whole(self._given.get(name, default))

    def block(self, name: str) -> Arguments | None:
        """Return an argument that is a block, whose own arguments have to be taken too."""
        given = self._given.get(name)
        self._taken.add(name)
        return None if given is None else self._kept(name, given)

    def blocks(self, name: str) -> list[Arguments]:
        """Return an argument that is a list of blocks."""
        self._taken.add(name)
        return [self._kept(f"{name}[{index}]", given) for index, given in enumerate(self._given.get(name) or ())]

    def api(self, name: str) -> Any:
        """Return an argument in the AWS API's names, where these are Pulumi's with a capital first letter.

        Nothing gets lost on the way: boto3 refuses a parameter that the API does not have.
        """
        return capitalized(self.take(name))

    def request(self, *names: str, **renamed: str) -> dict[str, Any]:
        """Return the arguments of these names that are given, as parameters of an API request.

        Args:
            names: arguments whose parameter is the capitalized name, blocks included.
            renamed: argument → parameter, for text, numbers, lists of text and maps with keys of the user's.
        """
        taken = {capital(name): self.api(name) for name in names}
        taken |= {parameter: self.take(name) for name, parameter in renamed.items()}
        return {parameter: value for parameter, value in taken.items() if value is not None}

    def left_over(self) -> Iterator[str]:
        """Name every argument that nobody took, those of blocks with the way to them."""
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
    """Return a value whose keys, on every level, begin with a capital letter."""
    if isinstance(value, dict):
        return {capital(key): capitalized(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [capitalized(item) for item in value]
    return value


def _whole(value: Any) -> Any:
    """Return a value with whole numbers as integers: on the wire every number is a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value
