#!/usr/bin/env bash
# Expected: for Gaussian data and its exact answer more steps of DDIM end nearer to the right spread, at any count.
# Seen: with "linspace" or "trailing" spacing 500 steps end at .247 of a right .25, 600 at .434 and 700 at .377.
# Matters: whoever compares this project's step counts with diffusers' measures the scheduler's stride, not the method.
# Source: diffusers 0.42.1, scheduling_ddim.py, step(): the timestep to go to is t - 1000 // steps whatever the spacing.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 diffusers==0.42.1 numpy==2.4.6
cd "$place"
export TMPDIR="$place" # importing diffusers makes a folder of its own there
"$place/venv/bin/python" - <<'END'
import math

import diffusers
import torch

RIGHT = 0.25  # the data's standard deviation


def spread(steps, spacing):
    """Standard deviation of DDIM's digits: its step is linear, so it is what becomes of a single 1."""
    scheduler = diffusers.DDIMScheduler(num_train_timesteps=1000, clip_sample=False, timestep_spacing=spacing)
    scheduler.set_timesteps(steps)
    x = torch.ones(1, dtype=torch.float64)
    for t in scheduler.timesteps[scheduler.timesteps >= 0]:
        alpha_bar = float(scheduler.alphas_cumprod[t])
        eps = math.sqrt(1 - alpha_bar) * x / (alpha_bar * RIGHT**2 + 1 - alpha_bar)  # the exact answer
        x = scheduler.step(eps, t, x).prev_sample
    return float(x)


print(f"torch {torch.__version__}, diffusers {diffusers.__version__}; right is {RIGHT}")
ends = {}
for spacing in ("leading", "linspace", "trailing"):
    ends[spacing] = {steps: round(spread(steps, spacing), 3) for steps in (50, 100, 500, 600, 700, 1000)}
    print(spacing, ends[spacing])
expected = {500: 0.247, 600: 0.434, 700: 0.377, 1000: 0.249}
for spacing in ("linspace", "trailing"):
    for steps, end in expected.items():
        assert abs(ends[spacing][steps] - end) < 0.002, (spacing, steps, ends[spacing][steps])
assert all(abs(end - RIGHT) < 0.03 for end in ends["leading"].values())
END
