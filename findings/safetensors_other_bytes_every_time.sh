#!/usr/bin/env bash
# Expected: equal tensors and equal metadata make equal files: the format has no time and no name in it.
# Seen: twenty processes that save one array with five metadata keys make at least ten different files.
# Matters: a digest of a checkpoint says nothing about whether two trainings are the same; ours sorts the header.
# Source: safetensors 0.8.0, safetensors/src/tensor.rs: the metadata are a HashMap, hashed with a random key.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
cd "$place"
cat >save.py <<'END'
import hashlib

import numpy as np
from safetensors.numpy import save

print(hashlib.sha256(save({"w": np.zeros(3)}, metadata={key: "1" for key in "abcde"})).hexdigest())
END
"$place/venv/bin/python" -c 'import safetensors; print("safetensors", safetensors.__version__)'
files=$(for _ in $(seq 20); do "$place/venv/bin/python" save.py; done | sort -u | wc -l)
echo "20 processes, $files different files"
[ "$files" -ge 10 ]
