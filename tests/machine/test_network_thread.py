"""One thread for all networks: fair turns, the caller's gradients, its errors, and all of the processors."""

import subprocess
import sys
import threading
import time

import pytest
import torch

from ddpm_demo.machine.network_thread import NetworkThread


def test_turns_are_given_in_the_order_of_asking():
    network, order, go = NetworkThread(), [], threading.Event()
    threads = [threading.Thread(target=network.turn, args=(go.wait,))]
    threads[0].start()
    for name in range(8):
        threads.append(threading.Thread(target=network.turn, args=(lambda name=name: order.append(name),)))
        threads[-1].start()
        while network.waiting <= name:
            time.sleep(0.001)
    go.set()
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_all_work_is_done_in_one_thread_and_its_result_and_error_come_back():
    network = NetworkThread()
    names = {network.turn(lambda: threading.current_thread().name) for _ in range(3)}
    assert len(names) == 1
    assert names != {threading.current_thread().name}
    with pytest.raises(ZeroDivisionError):
        network.turn(lambda: 1 // 0)
    assert network.turn(lambda: 5) == 5


def test_whether_gradients_are_wanted_is_the_callers_word():
    network, x = NetworkThread(), torch.ones(1, requires_grad=True)
    assert network.turn(lambda: x * 2).requires_grad
    with torch.no_grad():
        assert not network.turn(lambda: x * 2).requires_grad
    assert network.turn(lambda: x * 2).requires_grad


PROGRAM = """
import os, sys, threading, torch
from ddpm_demo.machine.network_thread import NetworkThread
def threads(where):
    counts = []
    where(lambda: counts.append(torch.get_num_threads()))
    return counts[0]
def elsewhere(work):
    other = threading.Thread(target=work)
    other.start()
    other.join()
torch.set_num_threads(3)
network = NetworkThread()
network.take_processors()
print(threads(network.turn), threads(lambda work: work()), threads(elsewhere), threads(network.turn))
def helpers():  # that come with an operation which MKL does, in a thread that has never asked PyTorch
    before = len(os.listdir("/proc/self/task"))
    numbers.log()
    found.append(len(os.listdir("/proc/self/task")) - before)
found, numbers = [], torch.arange(1.0, 1e3, dtype=torch.float64)
if sys.platform == "linux":
    elsewhere(helpers)
print(*found)
"""


def test_only_the_networks_thread_computes_on_several_processors():
    """In a process of its own: the setting is the whole process's."""
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert said.split()[:4] == ["3", "1", "1", "3"]
    assert said.split()[4:] in (["0"], [])
