#!/usr/bin/env bash
# Expected: safetensors.numpy.save_file of a transposed array writes its numbers, or refuses an array not contiguous.
# Seen: it writes the memory behind the array: w.T comes back as other numbers in w.T's shape, without an error.
# Matters: weights carried to JAX or Keras are transposed on the way; every save needs np.ascontiguousarray.
# Source: safetensors 0.8.0, bindings/python, numpy.py, _flatten(): a pointer and a length; 0.7.0 wrote tobytes().
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
for version in 0.7.0 0.8.0; do
    python3 -m venv "$place/$version"
    "$place/$version/bin/python" -m pip install --quiet --disable-pip-version-check safetensors==$version numpy==2.4.6
done
cd "$place"
cat >look.py <<'END'
import numpy as np
import safetensors
from safetensors.numpy import load_file, save_file

right = {"0.7.0": True, "0.8.0": False}[safetensors.__version__]
weight = np.arange(6, dtype=np.float32).reshape(2, 3)
for name, array in {"w.T": weight.T, "w[:, ::2]": weight[:, ::2], "contiguous": np.ascontiguousarray(weight.T)}.items():
    save_file({"w": array}, "file.safetensors")
    back = load_file("file.safetensors")["w"]
    same = np.array_equal(back, array)
    print(f"safetensors {safetensors.__version__}, numpy {np.__version__}: {name} {array.tolist()} -> {back.tolist()}")
    assert back.shape == array.shape
    assert same == (right or name == "contiguous"), name
END
for version in 0.7.0 0.8.0; do "$place/$version/bin/python" look.py; done
