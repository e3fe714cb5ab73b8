#!/usr/bin/env bash
# Expected: thresholding=True gives Imagen's dynamic thresholding: a guess beyond [-1, 1] is divided by its percentile.
# Seen: with the defaults it is clip_sample=True, to the bit, in DDPM, DDIM and DPM-Solver++: nothing is divided.
# Matters: whoever compares "clip" with "threshold" by that flag finds no difference, and thinks the choice is none.
# Source: diffusers 0.42.1, _threshold_sample(): the divisor is clamped from 1 to sample_max_value, by default 1.
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


def guess(kind, **options):
    """What a scheduler makes of an implied clean picture that reaches far beyond [-1, 1]."""
    scheduler = kind(num_train_timesteps=1000, **options)
    scheduler.set_timesteps(50)
    if kind is diffusers.DPMSolverMultistepScheduler:
        scheduler._init_step_index(scheduler.timesteps[5])
        return scheduler.convert_model_output(eps, sample=x_t)
    return scheduler.step(eps, scheduler.timesteps[5], x_t).pred_original_sample


print(f"torch {torch.__version__}, diffusers {diffusers.__version__}")
generator = torch.Generator().manual_seed(0)
x_t, eps = torch.randn(1, 1, 28, 28, generator=generator), 0.3 * torch.randn(1, 1, 28, 28, generator=generator)
for kind in (diffusers.DDPMScheduler, diffusers.DDIMScheduler, diffusers.DPMSolverMultistepScheduler):
    bare = {} if kind is diffusers.DPMSolverMultistepScheduler else {"clip_sample": False}
    free, plain = guess(kind, **bare), guess(kind, **bare, thresholding=True)
    wide = guess(kind, **bare, thresholding=True, sample_max_value=1000.0)
    same = torch.equal(plain, free.clamp(-1, 1))
    print(f"{kind.__name__}: the guess reaches {free.abs().max():.1f}; thresholded it is the clipped one: {same};", end=" ")
    print(f"at exactly -1 or 1 are {(plain.abs() == 1).float().mean():.0%}, with sample_max_value=1000 {(wide.abs() == 1).float().mean():.1%}")
    assert float(free.abs().max()) > 5
    assert same
    assert float((plain.abs() == 1).float().mean()) > 0.5
    assert float((wide.abs() == 1).float().mean()) < 0.02
END
