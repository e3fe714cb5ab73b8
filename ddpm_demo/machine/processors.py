"""Which thread computes on several processors: the scheduler's alone. All that this needs from PyTorch is here."""

import sys
import threading

import torch

from ddpm_demo.machine.scheduler import NETWORK, Scheduler


def take_processors(scheduler: Scheduler = NETWORK) -> None:
    """Leave the processors to the scheduler's thread: every other thread computes on one from now on.

    PyTorch's operations run in parallel by OpenMP, which gives every thread that calls one its own helpers. GNU's
    lets helpers wait at the ready for a moment, but not when there are more of them than processors; then they
    sleep, and are woken for each of a step's thousand small operations: that took 22 % of the speed of training.
    """
    threads = torch.get_num_threads()

    def take() -> None:
        torch.set_num_threads(threads)
        torch.get_num_threads()  # settles it: a thread that has not asked yet takes what was set anywhere last

    scheduler.turn(take)
    torch.set_num_threads(1)
    threading.setprofile(_settle)


def _settle(*_: object) -> None:
    # Called by every new thread before its first function. Some operations are done by Intel's MKL, which takes all
    # processors in a thread that has not asked PyTorch yet.
    sys.setprofile(None)
    torch.get_num_threads()
