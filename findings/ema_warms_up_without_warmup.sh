#!/usr/bin/env bash
# Expected: EMAModel(decay=0.9999, use_ema_warmup=False) averages with .9999 from its first step on, as its name says.
# Seen: it averages with .18 at the second step, .917 at the hundredth, and reaches .9999 after 89,990 steps.
# Matters: a network averaged so for a few thousand steps is not that of a plain .9999: recipes cannot be compared.
# Source: diffusers 0.42.1, training_utils.py, EMAModel.get_decay(): without the flag it is (1 + step) / (10 + step).
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 diffusers==0.42.1 numpy==2.4.6
cd "$place"
export TMPDIR="$place" # importing diffusers makes a folder of its own there
"$place/venv/bin/python" - <<'END'
import diffusers
import torch
from diffusers.training_utils import EMAModel

print(f"torch {torch.__version__}, diffusers {diffusers.__version__}")
weight = torch.nn.Parameter(torch.zeros(1))
average = EMAModel([weight], decay=0.9999, use_ema_warmup=False)
seen = {}
with torch.no_grad():
    for step in range(1, 1001):
        weight.fill_(1.0)  # the weight has jumped from 0 to 1 and stays
        average.step([weight])
        seen[step] = average.cur_decay_value
print("decay by step:", {step: round(seen[step], 4) for step in (1, 2, 10, 100, 1000)})
print(f"after 1,000 steps at 1 the average is {average.shadow_params[0].item():.6f}; a plain one would be {1 - 0.9999**1000:.6f}")
assert round(seen[2], 4) == 0.1818
assert round(seen[100], 4) == 0.9174
assert round(seen[1000], 4) == 0.9911
assert average.shadow_params[0].item() > 0.99
assert average.get_decay(89_990) < 0.9999 <= average.get_decay(89_992)
END
