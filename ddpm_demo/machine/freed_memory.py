"""Keep freed memory in the process: the next step needs as much again."""

import ctypes
import sys

KEEP = 2**30  # bytes that may stay free at the end of the heap; larger blocks are mapped one by one
# mallopt(3), <malloc.h>
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8


def keep_freed_memory() -> None:
    """Tell glibc, the C library of most Linux systems, to keep what is freed; elsewhere do nothing.

    A step of the network frees its activations, a few megabytes each, and the next step allocates as many. In between
    glibc returns such blocks to the system, which hands them out again page by page, zeroed: a large part of a small
    network's step. All threads share one arena; otherwise each would keep its own free memory.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            for option, value in ((M_TRIM_THRESHOLD, KEEP), (M_MMAP_THRESHOLD, KEEP), (M_ARENA_MAX, 1)):
                mallopt(option, value)
