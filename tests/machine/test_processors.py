"""Only the scheduler's thread computes on several processors."""

import subprocess
import sys

PROGRAM = """
import os, sys, threading, torch
from ddpm_demo.machine.processors import take_processors
from ddpm_demo.machine.scheduler import Scheduler
def threads(where):
    counts = []
    where(lambda: counts.append(torch.get_num_threads()))
    return counts[0]
def elsewhere(work):
    other = threading.Thread(target=work)
    other.start()
    other.join()
torch.set_num_threads(3)
scheduler = Scheduler()
take_processors(scheduler)
print(threads(scheduler.turn), threads(lambda work: work()), threads(elsewhere), threads(scheduler.turn))
def helpers():  # that come with an operation which MKL does, in a thread that has never asked PyTorch
    before = len(os.listdir("/proc/self/task"))
    numbers.log()
    found.append(len(os.listdir("/proc/self/task")) - before)
found, numbers = [], torch.arange(1.0, 1e3, dtype=torch.float64)
if sys.platform == "linux":
    elsewhere(helpers)
print(*found)
"""


def test_only_the_schedulers_thread_computes_on_several_processors():
    """In a process of its own: the setting is the whole process's."""
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    moved = "PyTorch, or Python's threading.setprofile, has changed: look at ddpm_demo/machine/processors.py again"
    assert said.split()[:4] == ["3", "1", "1", "3"], moved
    assert said.split()[4:] in (["0"], []), moved
