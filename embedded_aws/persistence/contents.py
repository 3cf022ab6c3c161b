"""Contents of S3 objects that are read from the data folder when they are needed."""

from __future__ import annotations

import io
from collections.abc import Callable


class KeptContent:
    """The buffer of moto's FakeKey: a file whose content is read from the data folder each time.

    Args:
        name: hash of the content.
        size: its bytes.
        read: returns the content with a hash.
    """

    def __init__(self, name: bytes, size: int, read: Callable[[bytes], bytes]) -> None:
        self.name = name
        self.size = size
        self.closed = False
        self._read = read
        self._position = 0
        self._changed: io.BytesIO | None = None

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        if self._changed is not None:
            return self._changed.seek(position, whence)
        self._position = position + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position if self._changed is None else self._changed.tell()

    def read(self, size: int = -1) -> bytes:
        """Read from the position."""
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        if self._changed is not None:
            return self._changed.read(size)
        content = self._read(self.name)[self._position :][: None if size < 0 else size]
        self._position += len(content)
        return content

    def truncate(self, size: int | None = None) -> int:
        """Cut the content; from now on it is in memory."""
        return self._memory().truncate(size)

    def write(self, content: bytes) -> int:
        """Change the content; from now on it is in memory."""
        return self._memory().write(content)

    def close(self) -> None:
        """Close it."""
        self.closed = True

    def _memory(self) -> io.BytesIO:
        if self._changed is None:
            self._changed = io.BytesIO(self._read(self.name))
            self._changed.seek(self._position)
        return self._changed
