"""Coroutines in tests."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def wait_for(coroutine: Coroutine[object, object, Result]) -> Result:
    """The coroutine's result, from an event loop in a thread of its own.

    Playwright leaves its own loop running in the tests' thread until the session ends, and a thread has one.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def in_loop(test: Callable[..., Coroutine[object, object, None]]) -> Callable[..., None]:
    """An asynchronous test as one that pytest can run."""

    @functools.wraps(test)
    def run(*arguments: object, **keywords: object) -> None:
        wait_for(test(*arguments, **keywords))

    return run
