"""Two compactions, replays and late events at once, request by request in random order: no row is lost or doubled."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from handlers.compact.bucket import TransformedBucket
from handlers.compact.event import CompactionEvent
from handlers.compact.run import CompactionRun
from handlers.transform import origin
from handlers.transform.transformer import Transformer
from tests.handlers.compact.lake import HOUR, NOON, RAW, RETENTION, TRANSFORMED, TWIN, Lake
from tests.handlers.compact.test_killed import TABLE, KilledError, play
from tests.thoroughness import sampled


class Turns:
    """Lets one of several actors make a request at a time, each time another at random."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a reproducible order
        self._changed = threading.Condition()
        self._actors: list[str] = []
        self._turn = ""
        self.order: list[str] = []

    def run(self, actors: dict[str, Callable[[], None]]) -> None:
        """Run the actors to their ends; one may die by `KilledError`."""
        self._actors = sorted(actors)
        self._turn = self._random.choice(self._actors)
        failed: list[BaseException] = []

        def act(name: str, work: Callable[[], None]) -> None:
            try:
                work()
            except KilledError:
                pass
            except BaseException as error:  # noqa: BLE001 - raised below
                failed.append(error)
            with self._changed:
                self._actors.remove(name)
                self._next()

        threads = [threading.Thread(target=act, args=item) for item in actors.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in failed:
            raise error

    def request(self, actor: str, call: Callable[[], Any]) -> Any:
        """Wait for the actor's turn, make the request, and pass the turn on."""
        with self._changed:
            self._changed.wait_for(lambda: self._turn == actor)
            self.order.append(actor)
            try:
                return call()
            finally:
                self._next()

    def _next(self) -> None:
        if self._actors:
            self._turn = self._random.choice(self._actors)
        self._changed.notify_all()


class Client:
    """An S3 client whose requests wait for their turn; it dies before one of them if told to."""

    def __init__(self, s3: Any, turns: Turns, actor: str, dies_at: int | None = None) -> None:
        self._s3 = s3
        self._turns = turns
        self._actor = actor
        self._left = dies_at

    def __getattr__(self, name: str) -> Any:
        def request(**arguments: Any) -> Any:
            if self._left is not None:
                self._left -= 1
                if self._left < 0:
                    raise KilledError
            return self._turns.request(self._actor, lambda: getattr(self._s3, name)(**arguments))

        return request


@pytest.mark.slow
@pytest.mark.parametrize("seed", sampled(range(120), 2))
def test_no_row_is_lost_or_doubled(lake: Lake, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    choice = random.Random(seed)  # noqa: S311 - a reproducible choice
    keys = [lake.extract("recently_played", [play(hour, n) for n in range(3)], hour=hour) for hour in range(4)]
    lake.compact(NOON - HOUR * choice.choice([2, 0.5]), table=TABLE)
    if choice.random() < 0.5:
        lake.compact(NOON - HOUR / 4, table=TABLE)
    late = [lake.extract("recently_played", [play(hour, n) for n in range(3)], hour=hour) for hour in (4, 5)]
    if choice.random() < 0.5:
        # A newer version writes other rows of the same raw objects.
        monkeypatch.setattr(origin, "SCHEMA_VERSION", 4)
    replayed = choice.sample([*keys, *late], 3)

    turns = Turns(seed)

    def compaction(name: str, at: Any, dies_at: int | None = None) -> Callable[[], None]:
        bucket = TransformedBucket(Client(lake.s3, turns, name, dies_at), TRANSFORMED)  # type: ignore[arg-type]
        run = CompactionRun(bucket, RETENTION, CompactionEvent(table=TABLE), at)
        return lambda: check(run)

    def check(run: CompactionRun) -> None:
        assert run.run().failed == {}

    def replay() -> None:
        transformer = Transformer(Client(lake.s3, turns, "replay"), RAW, TRANSFORMED, lambda: NOON)  # type: ignore[arg-type]
        for key in replayed:
            transformer.transform(key)

    with lake.at(NOON):
        turns.run(
            {
                "one": compaction("one", NOON, choice.choice([None, None, choice.randrange(1, 20)])),
                "other": compaction("other", NOON + HOUR * choice.choice([0, 1])),
                "replay": replay,
            }
        )
        expected = Transformer(lake.s3, RAW, TWIN, lambda: NOON)
        for key in replayed:
            expected.transform(key)
    assert len(set(turns.order)) == 3
    assert not lake.rows(TABLE, TWIN) - lake.rows(TABLE)
    for hours in (2, 4, 6):
        lake.compact(NOON + HOUR * hours, table=TABLE)
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)
    assert len(lake.listed("tables/plays/")) == 1
