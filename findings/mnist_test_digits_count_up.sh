#!/usr/bin/env bash
# Expected: MNIST comes shuffled: a digit is one more than the digit before in a tenth of all cases; halves look alike.
# Seen: so in the training set and the first 5,000 test digits; of the last 5,000 31 % count up, with 17 % more ink.
# Matters: neighbours there come in runs 0, 1, 2 ...: a batch taken in order, or a half, is no sample of the set.
# Source: the four files as distributed, here in ../assets/mnist; by its page the last 5,000 are NIST test digits.
set -euo pipefail
mnist="$(cd "$(dirname "$0")/../assets/mnist" && pwd)"
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - "$mnist" <<'END'
import gzip
import pathlib
import sys

import numpy as np


def read(name, header):
    return np.frombuffer(gzip.decompress((pathlib.Path(sys.argv[1]) / name).read_bytes()), np.uint8, offset=header)


images = {kind: read(f"{kind}-images-idx3-ubyte.gz", 16).reshape(-1, 784) for kind in ("train", "t10k")}
labels = {kind: read(f"{kind}-labels-idx1-ubyte.gz", 8).astype(int) for kind in ("train", "t10k")}
parts = {"training": ("train", slice(None)), "first half": ("t10k", slice(5000)), "last half": ("t10k", slice(5000, None))}
up, ink = {}, {}
for name, (kind, part) in parts.items():
    digits = labels[kind][part]
    up[name], ink[name] = float(((digits[1:] - digits[:-1]) % 10 == 1).mean()), float(images[kind][part].mean() / 255)
    print(f"{name}: one more than the digit before {up[name]:.1%}; mean ink {ink[name]:.4f}; ends in {digits[-12:].tolist()}")
print(f"numpy {np.__version__}; ink of the last half over the first: {ink['last half'] / ink['first half']:.3f}")
assert abs(up["training"] - 0.1) < 0.02
assert abs(up["first half"] - 0.1) < 0.02
assert abs(up["last half"] - 0.306) < 0.001
assert abs(ink["last half"] / ink["first half"] - 1.171) < 0.001
END
