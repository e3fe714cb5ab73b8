#!/usr/bin/env bash
# Expected: jax.random.normal in bfloat16 is standard normal noise, rounded to bfloat16: mean 0, tails beyond 4.
# Seen: 128 numbers in all, none beyond 2.90 in a million, and a mean of -0.011, eleven times its standard error.
# Matters: a diffusion trained by it learns other noise than it is started from; torch rounds float32 noise instead.
# Source: jax 0.10.2, jax/_src/random.py, _normal_real: a uniform number of eight bits goes through erf_inv.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cd "$place"
JAX_PLATFORMS=cpu "$place/venv/bin/python" - <<'END'
import jax
import jax.numpy as jnp
import numpy as np

COUNT = 1_000_000
print(f"jax {jax.__version__}")
seen = {}
for kind in (jnp.float32, jnp.float16, jnp.bfloat16):
    noise = np.asarray(jax.random.normal(jax.random.key(7), (COUNT,), dtype=kind).astype(jnp.float32)).astype(float)
    seen[kind.__name__] = len(np.unique(noise)), np.abs(noise).max(), noise.mean()
    print(kind.__name__, "{} different numbers, the largest {:.3f}, mean {:.5f}".format(*seen[kind.__name__]))
different, largest, mean = seen["bfloat16"]
assert different == 128
assert largest < 2.9
assert mean < -10 / COUNT**0.5
assert seen["float32"][1] > 4.5
assert abs(seen["float32"][2]) < 4 / COUNT**0.5
END
