#!/usr/bin/env bash
# Expected: torch.Generator().manual_seed takes a 64-bit seed, so 7 and 7 + 2**32 are two seeds, as in Python and numpy.
# Seen: both give the same noise to the bit, and so do -1 and 2**32 - 1; only initial_seed() tells them apart.
# Matters: "every seed another film" is false past 32 bits; this project refuses seeds beyond 2**31 - 1.
# Source: torch 2.13.0 (and 2.14.1), ATen/core/MT19937RNGEngine.h: the state's first word is seed & 0xffffffff.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'END'
import random

import numpy as np
import torch


def noise(seed):
    return torch.randn(10_000, generator=torch.Generator().manual_seed(seed))


far = 7 + 2**32
same = {
    "torch": torch.equal(noise(7), noise(far)),
    "numpy": np.array_equal(np.random.default_rng(7).standard_normal(9), np.random.default_rng(far).standard_normal(9)),
    "python": random.Random(7).random() == random.Random(far).random(),
}
print(f"torch {torch.__version__}, numpy {np.__version__}: 7 and 7 + 2**32 are one seed: {same}")
print("initial_seed():", torch.Generator().manual_seed(far).initial_seed())
assert same == {"torch": True, "numpy": False, "python": False}
assert torch.equal(noise(-1), noise(2**32 - 1))
assert torch.Generator().manual_seed(far).initial_seed() == far
END
