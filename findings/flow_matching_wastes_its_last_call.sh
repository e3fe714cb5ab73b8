#!/usr/bin/env bash
# Expected: fifty steps of a flow-matching sampler are fifty equal pieces of the way from noise to picture.
# Seen: 49 pieces of .0204 and one of .001: the fiftieth call of the network moves the picture twenty times less.
# Matters: at equal calls a flow's film and a diffusion's are not alike; of five calls here the last is for nothing.
# Source: diffusers 0.42.1, FlowMatchEulerDiscreteScheduler.set_timesteps(): even from 1 to sigma_min = .001, then 0.
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

print(f"torch {torch.__version__}, diffusers {diffusers.__version__}")
for steps in (5, 50):
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(steps)
    pieces = (scheduler.sigmas[:-1] - scheduler.sigmas[1:]).double()
    print(f"{steps} steps: pieces {pieces[0]:.4f} ... {pieces[-2]:.4f}, the last {pieces[-1]:.4f}, asked at t = {scheduler.timesteps[-1]:g}")
    assert len(pieces) == steps
    assert torch.allclose(pieces[:-1], torch.full((steps - 1,), 0.999 / (steps - 1), dtype=torch.float64), atol=1e-6)
    assert abs(float(pieces[-1]) - 0.001) < 1e-6

# what it costs: data N(0, 1/16) and its exact answer by Euler steps, five calls against the four that do the work
def end(sigmas):
    """Standard deviation that the picture ends with."""
    std = 0.25
    x = 1.0
    for now, then in zip(sigmas, sigmas[1:]):
        spread = ((1 - now) * std) ** 2 + now**2
        x += (then - now) * (now - (1 - now) * std**2) / spread * x  # E[noise - picture | x] is linear in x
    return x


scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
scheduler.set_timesteps(5)
theirs = end(scheduler.sigmas.double().tolist())
four, five = (end([1 - k / steps for k in range(steps + 1)]) for steps in (4, 5))
print(f"data of spread .25 end at {theirs:.4f} after five calls; equal pieces: four {four:.4f}, five {five:.4f}")
assert abs(theirs - four) < 0.002
assert abs(five - 0.25) < abs(theirs - 0.25)
END
