"""Raw objects and manifests that the pipeline has written of a made-up listener, for a pipeline without Spotify."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "recorded"


@dataclass(frozen=True)
class RawObject:
    """An object of the raw bucket."""

    key: str
    metadata: dict[str, str]
    body: bytes

    @property
    def stream(self) -> str | None:
        """The stream of a raw object; None for a manifest."""
        kind, stream, *_ = self.key.split("/")
        return stream if kind == "raw" else None

    @property
    def lines(self) -> int:
        """How many lines a raw object has."""
        return len(gzip.decompress(self.body).splitlines())


def recorded_objects() -> Iterator[RawObject]:
    """Yield every object, manifests last, as a run writes them."""
    for key, metadata in sorted(json.loads((FOLDER / "metadata.json").read_text(encoding="utf-8")).items()):
        yield RawObject(key, metadata, (FOLDER / key).read_bytes())
