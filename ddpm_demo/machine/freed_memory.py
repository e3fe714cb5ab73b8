"""What becomes of freed memory: the next step wants as much again."""

import ctypes
import sys

KEEP = 2**30  # bytes that may lie free at the end of the heap, and the size from which a piece stands for itself
# mallopt(3), <malloc.h>
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8


def keep_freed_memory() -> None:
    """Tell glibc, the C library of most Linux systems, to keep what is freed; elsewhere do nothing.

    A step of the network frees its pictures, a few megabytes each, and the next one wants as many. glibc hands such
    pieces back to the system in between, which gives them out again page by page, each wiped first: that takes up to
    a third of a step of the small network. All threads share one arena, or each would keep a gigabyte of its own.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            for option, value in ((M_TRIM_THRESHOLD, KEEP), (M_MMAP_THRESHOLD, KEEP), (M_ARENA_MAX, 1)):
                mallopt(option, value)
