#!/usr/bin/env bash
# Expected: MNIST's digits, 20 x 20 at most in a picture of 28 x 28, lie in the middle 20 rows and columns.
# Seen: 76 % of the training digits have ink outside; and ink is whole at 253, the commonest level, 255 is 3.5 % of it.
# Matters: a drawing centred by its box, or cut to the inner 20 x 20, is a digit such as the network has never seen.
# Source: the MNIST page: the centre of mass, not the box, is put in the middle; the files, here in ../assets/mnist.
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

content = gzip.decompress((pathlib.Path(sys.argv[1]) / "train-images-idx3-ubyte.gz").read_bytes())
digits = np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28)
rows, columns = digits.any(axis=2), digits.any(axis=1)  # (N, 28) with ink
sides = [28 - ink[:, ::-1].argmax(axis=1) - ink.argmax(axis=1) for ink in (rows, columns)]
twenty = int((np.maximum(*sides) == 20).sum())
outside = float((rows[:, :4].any(1) | rows[:, 24:].any(1) | columns[:, :4].any(1) | columns[:, 24:].any(1)).mean())
counts = np.bincount(digits.ravel(), minlength=256)[1:]
commonest, white = int(counts.argmax()) + 1, float(counts[-1] / counts.sum())
middle = np.arange(28) @ digits.sum(axis=(0, 2), dtype=np.int64) / digits.sum(dtype=np.int64)
print(f"numpy {np.__version__}: {twenty:,} of {len(digits):,} digits have a longer side of 20; {outside:.1%} leave the middle")
print(f"centre of mass in row {middle:.2f} of 0 to 27; the commonest ink is {commonest}, {white:.1%} of it is 255")
assert twenty == 59_987
assert abs(outside - 0.756) < 0.001
assert commonest == 253
assert abs(white - 0.035) < 0.001
END
