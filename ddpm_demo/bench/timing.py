"""Measuring speed: seconds a call, the arithmetic of a network, and what the machine reaches at best."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import torch

from ddpm_demo.core.config import DemoError
from ddpm_demo.core.model import Denoiser
from ddpm_demo.core.receptive import live_taps
from ddpm_demo.machine.device import Placement
from ddpm_demo.machine.step_clock import StepClock

MATRIX = 1024


def time_a_step(step: Callable[[], object], seconds: float) -> float:
    """Return the seconds that one call takes: the mean over at least `seconds` and two calls, after one to warm up.

    Not by torch.utils.benchmark: importing that needs setuptools, which an environment of uv or of Python 3.12 lacks.
    """
    step()
    clock, calls = StepClock(), 0
    while clock.seconds < seconds or calls < 2:
        step()
        clock.tick()
        calls += 1
    return clock.seconds / calls


def rows_or_fault(
    what: dict[str, Any], measure: Callable[..., Iterable[dict[str, Any]]], *arguments: Any, **named: Any
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `measure(...)`, each starting with `what`; if it fails here, one with the reason as `fault`."""
    try:
        for row in measure(*arguments, **named):
            yield {**what, **row}
    except Exception as error:  # whatever it is, the other rows must still be measured
        yield {**what, "fault": (str(error) or type(error).__name__).splitlines()[0]}


class SeparateProcess:
    """A plain way of doing a step, timed in a process of its own, as anybody's script would run it.

    In this process it would gain from what this program sets for itself (`freed_memory.keep_freed_memory`). `make`, a
    function of a module, is called there with `arguments` and returns the step, or None if it cannot be done here.
    Both processes must take turns: while one is timed, the other waits. A context manager; its end ends the process.
    """

    def __init__(self, make: Callable[..., Callable[[], object] | None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, make, arguments), daemon=True)
        self._process.start()
        there.close()  # or its end would not be noticed
        self.possible: bool = self._receive()

    def time(self, seconds: float) -> float:
        """Return the seconds that one call takes, as `time_a_step` does; raise DemoError if the process has ended."""
        self._here.send(seconds)
        passed: float = self._receive()
        return passed

    def _receive(self) -> Any:
        try:
            return self._here.recv()
        except (EOFError, OSError):
            raise DemoError("the process that measures the plain way has ended") from None

    def __enter__(self) -> "SeparateProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._here.close()
        self._process.join(10)
        self._process.kill()


def _serve(there: Connection, make: Callable[..., Callable[[], object] | None], arguments: tuple[Any, ...]) -> None:
    step = make(*arguments)
    there.send(step is not None)
    while step is not None:
        try:
            seconds = there.recv()
        except (EOFError, KeyboardInterrupt):
            return
        there.send(time_a_step(step, seconds))


def live_multiply_adds(model: Denoiser) -> float:
    """Return the multiply-adds of one 28x28 image without the taps that read the padding, a mean over its pixels."""
    weights = [p for name, p in model.named_parameters() if p.ndim == 4 and not name.startswith("time")]
    kernels, dilations = model.config.kernels_and_dilations
    layers = zip(weights, kernels, dilations, strict=True)
    return sum(weight.numel() * 28 * 28 * live_taps(28, step, kernel) for weight, kernel, step in layers)


def matrix_rate(placement: Placement, *, seconds: float) -> float:
    """Return the floating-point operations a second of a square matrix product in the blocks' number format."""
    a = torch.randn(MATRIX, MATRIX, device=placement.device).to(placement.dtype)
    return 2 * MATRIX**3 / time_a_step(lambda: (a @ a)[0, 0].item(), seconds)
