"""Bounded, ordered work in threads. An error is raised where the result is consumed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar, cast

Item = TypeVar("Item")
Made = TypeVar("Made")

_END = object()


def ahead(items: Iterable[Item], *, most: int) -> Generator[Item, None, None]:
    """Consume items in a thread, ahead of the caller.

    Closing it waits for the current item and consumes no other.

    Args:
        items: consumed one by one; an error is raised after the items before it.
        most: how many are consumed ahead at most.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[Any]] = deque(pool.submit(next, iterator, _END) for _ in range(most))
        try:
            while (item := waiting.popleft().result()) is not _END:
                waiting.append(pool.submit(next, iterator, _END))
                yield cast("Item", item)
        finally:
            _cancel(waiting)


def in_order(function: Callable[[Item], Made], items: Iterable[Item], *, threads: int) -> Generator[Made, None, None]:
    """Yield the result of a function for each item, several at a time, in the order of the items.

    Closing it waits for the running calls and starts no others.

    Args:
        function: called in one of the threads.
        items: consumed in the calling thread, no earlier than a thread is free.
        threads: how many.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Made]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            _cancel(waiting)


def _cancel(waiting: Iterable[Future[Any]]) -> None:
    for future in waiting:
        future.cancel()
