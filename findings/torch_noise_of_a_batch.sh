#!/usr/bin/env bash
# Expected: randn of four pictures begins with the noise of one picture, as a sequence of random numbers begins alike.
# Seen: so it is for 28 x 28; at 30 x 30 the last 16 numbers differ, and randn(15) and randn(16) share no number.
# Matters: a digit drawn alone is the batch's first only while its pixels are a multiple of 16: MNIST's are, by luck.
# Source: torch 2.13.0 (and 2.14.1), ATen/native/cpu/DistributionTemplates.h, normal_fill: 16 at once, the tail again.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'END'
import numpy as np
import torch


def noise(*shape, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3), dtype=dtype)


print(f"torch {torch.__version__}, numpy {np.__version__}")
other = {}
for side in (28, 30, 32):
    other[side] = int((noise(4, 1, side, side)[0] != noise(1, 1, side, side)[0]).sum())
    print(f"{side} x {side}: {other[side]} of {side * side} numbers of the first picture differ from the picture alone")
shared = int((noise(15) == noise(16)[:15]).sum()), int((noise(17)[:16] == noise(16)).sum())
print(f"randn(15) shares {shared[0]} numbers with randn(16), which shares {shared[1]} of 16 with randn(17)")
ours = np.random.default_rng(3).standard_normal(17)[:15], np.random.default_rng(3).standard_normal(15)
print("numpy's begin alike:", np.array_equal(*ours))
assert other == {28: 0, 30: 16, 32: 0}
assert shared[0] == 0
assert shared[1] <= 1
assert np.array_equal(*ours)
END
