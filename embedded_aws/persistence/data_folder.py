"""The data folder: one SQLite database, and files for large contents.

Written for the death of the process at any moment, not for power failures: nothing is flushed to the device.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from embedded_aws.persistence.errors import DataDamagedError, DataInUseError, DataNotSavedError, DataVersionError

FORMAT = 1
"""Version of the tables, and of the classes of this package whose instances are kept."""

_INLINE = 16384
"""Bytes up to which a content is kept in the database; a larger one is a file."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE states (name TEXT PRIMARY KEY, digest BLOB NOT NULL, content BLOB NOT NULL);
CREATE TABLE objects (number INTEGER PRIMARY KEY, bucket TEXT, key TEXT, content BLOB NOT NULL, UNIQUE (bucket, key));
CREATE TABLE log_events (stream TEXT, first INTEGER, content BLOB NOT NULL, PRIMARY KEY (stream, first));
CREATE TABLE contents (hash BLOB PRIMARY KEY, content BLOB NOT NULL);
"""


def digest_of(content: bytes) -> bytes:
    """Return the digest that identifies a content."""
    return hashlib.blake2b(content, digest_size=20).digest()


class DataFolder:
    """An open data folder, locked for this process.

    Args:
        path: the folder; created if missing, readable by its owner only.

    Raises:
        DataInUseError: another process uses it.
        DataVersionError: another version wrote it.
        DataDamagedError: it cannot be read.
        DataNotSavedError: it cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = path / "contents"
        self._turn = threading.RLock()
        self._doomed: list[Path] = []
        with contextlib.ExitStack() as opening:
            try:
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
                lock = opening.enter_context((path / "lock").open("a"))
            except OSError as error:
                raise DataNotSavedError(f"The data folder {path} cannot be written: {error.strerror}.") from error
            self._lock(lock.fileno())
            with self._readable():
                self._database = sqlite3.connect(path / "account.sqlite", isolation_level=None, check_same_thread=False)
                opening.callback(self._database.close)
                self._prepare()
            self._opened = opening.pop_all()

    def close(self) -> None:
        """Close the database and release the lock."""
        with self._turn:
            self._opened.close()

    def meta(self, name: str) -> str | None:
        """Return a fact about the folder; None if it is not known."""
        row = self._database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def states(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of every part."""
        with self._readable():
            for name, digest, content in self._database.execute("SELECT name, digest, content FROM states").fetchall():
                if digest_of(content) != digest:
                    raise sqlite3.DatabaseError(f"the digest of {name} is wrong")
                yield name, content

    def objects(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield bucket, key and content of every object's row, in the order of their creation."""
        with self._readable():
            yield from self._database.execute("SELECT bucket, key, content FROM objects ORDER BY number")

    def log_events(self) -> Iterator[tuple[str, bytes]]:
        """Yield stream and content of every batch of log events, in their order."""
        with self._readable():
            yield from self._database.execute("SELECT stream, content FROM log_events ORDER BY stream, first")

    def contents(self) -> set[bytes]:
        """Return the hashes of all contents."""
        with self._readable():
            inline = {row[0] for row in self._database.execute("SELECT hash FROM contents")}
            if self._files.is_dir():
                inline |= {bytes.fromhex(file.name) for file in self._files.iterdir() if len(file.name) == 40}
            return inline

    def read(self, content: bytes) -> bytes:
        """Return the content with this hash."""
        with self._turn, self._readable():
            row = self._database.execute("SELECT content FROM contents WHERE hash = ?", (content,)).fetchone()
            return bytes(row[0]) if row is not None else self._file(content).read_bytes()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all changes in this context at once, or none of them.

        Raises:
            DataNotSavedError: none was made; the disk may be full.
        """
        with self._turn:
            self._doomed.clear()
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield
                self._database.execute("COMMIT")
            except (OSError, sqlite3.Error) as error:
                self._rollback()
                raise DataNotSavedError(
                    f"The embedded AWS cannot write to its data folder {self.path} ({error}): free space on its disk."
                    " Nothing that was answered is lost."
                ) from error
            except BaseException:
                self._rollback()
                raise
            for file in self._doomed:
                file.unlink(missing_ok=True)

    def put_meta(self, values: Mapping[str, str]) -> None:
        """Record facts about the folder."""
        self._database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())

    def put_state(self, name: str, digest: bytes, content: bytes) -> None:
        """Save a part."""
        self._database.execute("INSERT OR REPLACE INTO states VALUES (?, ?, ?)", (name, digest, content))

    def put_object(self, bucket: str, key: str, content: bytes | None) -> None:
        """Save the row of an object, or delete it."""
        if content is None:
            self._database.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key))
        else:
            self._database.execute(
                "INSERT INTO objects (bucket, key, content) VALUES (?, ?, ?)"
                " ON CONFLICT (bucket, key) DO UPDATE SET content = excluded.content",
                (bucket, key, content),
            )

    def put_log_events(self, stream: str, first: int, content: bytes) -> None:
        """Append a batch of events to a stream."""
        self._database.execute("INSERT OR REPLACE INTO log_events VALUES (?, ?, ?)", (stream, first, content))

    def drop_log_events(self, stream: str) -> None:
        """Delete a stream's events."""
        self._database.execute("DELETE FROM log_events WHERE stream = ?", (stream,))

    def put_content(self, content: bytes) -> None:
        """Save a content."""
        name = digest_of(content)
        if len(content) <= _INLINE:
            self._database.execute("INSERT OR IGNORE INTO contents VALUES (?, ?)", (name, content))
            return
        self._files.mkdir(exist_ok=True)
        file, unfinished = self._file(name), self._file(name).with_suffix(".new")
        unfinished.write_bytes(content)
        unfinished.replace(file)

    def drop_content(self, name: bytes) -> None:
        """Delete a content, once the transaction is made."""
        self._database.execute("DELETE FROM contents WHERE hash = ?", (name,))
        self._doomed.append(self._file(name))

    def _file(self, content: bytes) -> Path:
        return self._files / content.hex()

    def _rollback(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataInUseError(
                f"Another process is using the data folder {self.path}: stop it, or choose another folder."
            ) from error
        # Functions must not inherit the lock: they may outlive this process for a moment.
        os.set_inheritable(descriptor, False)

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        if self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            script = f"BEGIN; {_TABLES}"
            self._database.executescript(script)
            self.put_meta(_versions())
            self._database.execute("COMMIT")
            return
        found = dict(self._database.execute("SELECT name, value FROM meta"))
        for name, wanted in _versions().items():
            if found.get(name) != wanted:
                raise DataVersionError(
                    f"The data folder {self.path} was written with another version ({name} {found.get(name)}; this is"
                    f" {wanted}): use that version, or delete the folder and start again."
                )

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise DataDamagedError(
                f"The data folder {self.path} is damaged ({error}): delete it to start again."
            ) from error


def _versions() -> dict[str, str]:
    """Return the versions of everything that decides what a kept object looks like."""
    return {
        "format": str(FORMAT),
        "moto": version("moto"),
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }
