"""One thread for all networks of a server: it gives fair turns, and it alone computes on several processors."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from ddpm_demo.core.sampling import EpsModel

Result = TypeVar("Result")


class Turn(Protocol):
    """How a piece of work with a network gets done: at once, or when its turn has come."""

    def __call__(self, work: Callable[[], Result], /) -> Result:
        """Do the work and return its result; what it raises is raised here."""
        ...


def at_once(work: Callable[[], Result], /) -> Result:
    """Do a piece of work now and here: the turns of a program that does nothing else."""
    return work()


class NetworkThread:
    """Does pieces of work one after the other, in the order of asking, while those who ask wait for the result."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "network")

    def turn(self, work: Callable[[], Result], /) -> Result:
        """Do a piece of work when its turn has come, as `Turn` says.

        It must not ask for a turn itself: it would wait for its own end.
        """
        gradients = torch.is_grad_enabled()  # which every thread decides for itself

        def as_here() -> Result:
            with torch.set_grad_enabled(gradients):
                return work()

        return self._executor.submit(as_here).result()

    @property
    def waiting(self) -> int:
        """How many wait, besides whoever has the turn."""
        return self._executor._work_queue.qsize()

    def take_processors(self) -> None:
        """Leave the processors to this thread: from now on every other one of this process computes on one.

        PyTorch's operations run in parallel by OpenMP, which gives every thread that calls one its own helpers. GNU's
        lets helpers wait at the ready for a moment, but not when there are more of them than processors; then they
        sleep, and are woken for each of a step's thousand small operations: that took 22 % of the speed of training.
        """
        threads = torch.get_num_threads()

        def take() -> None:
            torch.set_num_threads(threads)
            torch.get_num_threads()  # settles it: a thread that has not asked yet takes what was set anywhere last

        self.turn(take)
        torch.set_num_threads(1)
        threading.setprofile(_settle)


def _settle(*_: object) -> None:
    # Called by every new thread before its first function. Some operations are done by Intel's MKL, which takes all
    # processors in a thread that has not asked PyTorch yet.
    sys.setprofile(None)
    torch.get_num_threads()


NETWORK = NetworkThread()  # one for all: two networks at once on two cores only get in each other's way


class InTurn:
    """A network that takes a turn for every call, so that ten visitors all see their films move."""

    def __init__(self, model: EpsModel) -> None:
        self.model = model

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat (B, C, H, W), as the network does."""
        return NETWORK.turn(lambda: self.model(x_t, t))
