#!/usr/bin/env bash
# Expected: add_noise on float16 or bfloat16 pictures gives the float32 result, rounded: wrong by a thousandth.
# Seen: none at all at t = 0 and 1 in float16, at t = 0 to 9 in bfloat16, where 190 of the 1,000 noise levels are left.
# Matters: a network trained in half precision never sees its faintest noise; here tables are float64, cast last.
# Source: diffusers 0.42.1, scheduling_ddpm.py, add_noise(): alphas_cumprod is cast before 1 - alphas_cumprod is taken.
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
scheduler = diffusers.DDPMScheduler(num_train_timesteps=1000)
expected = {torch.float32: ([], 1000), torch.float16: ([0, 1], 573), torch.bfloat16: (list(range(10)), 190)}
for kind, (silent, levels) in expected.items():
    clean = torch.zeros(1000, 1, dtype=kind)
    noisy = scheduler.add_noise(clean, torch.ones_like(clean), torch.arange(1000))[:, 0]  # its std at each t
    none = torch.nonzero(noisy == 0)[:, 0].tolist()
    print(f"{kind}: std {noisy[:5].tolist()} at t = 0 to 4; none at {none}; {len(noisy.unique())} levels")
    assert none == silent
    assert len(noisy.unique()) == levels
END
