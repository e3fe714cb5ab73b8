#!/usr/bin/env bash
# Expected: one seed's float64 noise is its float32 noise with more digits, and float16 has its own shorter tail.
# Seen: in numpy and torch float32 and float64 noise are unrelated; torch's float16 and bfloat16 are float32's, rounded.
# Matters: "the same seed in double precision" checks nothing: a reference computed in float64 needs the float32 noise.
# Source: torch 2.13.0 (and 2.14.1) normal_() and numpy 2.4.6 Generator.standard_normal, both on the CPU.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'END'
import numpy as np
import torch


def of_torch(dtype):
    return torch.randn(100_000, generator=torch.Generator().manual_seed(7), dtype=dtype)


def of_numpy(dtype):
    return np.random.default_rng(7).standard_normal(100_000, dtype=dtype)


print(f"torch {torch.__version__}, numpy {np.__version__}")
single = of_torch(torch.float32)
related = {
    "torch": np.corrcoef(single.numpy(), of_torch(torch.float64).numpy())[0, 1],
    "numpy": np.corrcoef(of_numpy(np.float32), of_numpy(np.float64))[0, 1],
}
rounded = {str(half): torch.equal(of_torch(half), single.to(half)) for half in (torch.float16, torch.bfloat16)}
print("correlation of float32 and float64 noise:", {name: round(float(value), 4) for name, value in related.items()})
print("half precision is float32 rounded:", rounded)
assert all(abs(value) < 0.02 for value in related.values())
assert all(rounded.values())
END
