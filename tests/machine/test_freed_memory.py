"""Freed memory stays, where the C library can be told so."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from ddpm_demo.machine.freed_memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def step():  # as a step of the network does: several pieces, all gone at its end
    pieces = [bytearray(3_000_000) for _ in range(8)]
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nothing is done")
def test_a_second_step_gets_the_pages_of_the_first():
    """Counted in page faults: without it nearly every page of every step is a new one."""
    faults = {
        way: int(
            subprocess.run([sys.executable, "-c", PROGRAM, way], capture_output=True, text=True, check=True).stdout
        )
        for way in ("keep", "do not")
    }
    if faults["do not"] < 10_000:
        pytest.skip("this C library keeps its memory by itself")
    assert faults["keep"] < 100, faults


def test_other_systems_are_left_alone(monkeypatch):
    import ctypes

    from ddpm_demo.machine.freed_memory import keep_freed_memory

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", None)  # would fail if it were asked
    keep_freed_memory()
