#!/usr/bin/env bash
# Expected: safetensors' load gives the tensors in one order: the file's, or that of their names, as load_file does.
# Seen: load(bytes) gives another order in every process; load_file sorts, block 10 before block 2.
# Matters: zip(parameters, load(...).values()) puts weights in wrong places, without an error where shapes agree.
# Source: safetensors 0.8.0, bindings/python, deserialize(): the tensors' names come out of a HashMap.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
cd "$place"
cat >load.py <<'END'
import sys

import numpy as np
from safetensors.numpy import load, load_file, save, save_file

weights = {f"blocks.{i}.weight": np.full(2, i, np.float32) for i in range(12)}
if sys.argv[1] == "load":
    back = load(save(weights))
else:
    save_file(weights, "file.safetensors")
    back = load_file("file.safetensors")
assert all(np.array_equal(back[name], weights[name]) for name in weights)  # by name all is well
print(*(int(values[0]) for values in back.values()))
END
"$place/venv/bin/python" -c 'import safetensors; print("safetensors", safetensors.__version__)'
for _ in $(seq 10); do "$place/venv/bin/python" load.py load; done | sort -u >load.txt
for _ in $(seq 5); do "$place/venv/bin/python" load.py load_file; done | sort -u >load_file.txt
echo "load: $(wc -l <load.txt) orders in 10 processes, such as"
head -3 load.txt
echo "load_file: $(cat load_file.txt)"
[ "$(wc -l <load.txt)" -ge 8 ]
[ "$(cat load_file.txt)" = "0 1 10 11 2 3 4 5 6 7 8 9" ]
