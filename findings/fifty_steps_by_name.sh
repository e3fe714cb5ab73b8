#!/usr/bin/env bash
# Expected: "50 steps" asks the network 50 times, from t = 999 down to t = 0, whichever sampler has the name.
# Seen: DDPM and DDIM never see t > 980, the solvers never t < 20; Heun asks 99 times, PNDM 59, both at some t twice.
# Matters: at equal "steps" the samplers of a comparison differ in noise level and cost; this project asks 999 and 0.
# Source: diffusers 0.42.1, set_timesteps of each scheduler with its own defaults.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 diffusers==0.42.1 numpy==2.4.6
cd "$place"
export TMPDIR="$place" # importing diffusers makes a folder of its own there
"$place/venv/bin/python" - <<'END'
from collections import Counter

import diffusers
import torch

print(f"torch {torch.__version__}, diffusers {diffusers.__version__}")
expected = {  # calls, first, last
    "DDPMScheduler": (50, 980, 0),
    "DDIMScheduler": (50, 980, 0),
    "PNDMScheduler": (59, 980, 0),
    "DPMSolverMultistepScheduler": (50, 999, 20),
    "UniPCMultistepScheduler": (50, 999, 20),
    "DEISMultistepScheduler": (50, 999, 20),
    "EulerDiscreteScheduler": (50, 999, 0),
    "HeunDiscreteScheduler": (99, 999, 0),
}
for name, (calls, first, last) in expected.items():
    scheduler = getattr(diffusers, name)(num_train_timesteps=1000)
    scheduler.set_timesteps(50)
    asked = [float(t) for t in scheduler.timesteps]
    most = Counter(asked).most_common(1)[0]
    print(f"{name:28} {len(asked)} calls, t from {asked[0]:g} to {asked[-1]:g}; t = {most[0]:g} {most[1]} times")
    assert (len(asked), asked[0], asked[-1]) == (calls, first, last), name
END
