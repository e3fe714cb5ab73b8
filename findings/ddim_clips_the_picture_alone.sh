#!/usr/bin/env bash
# Expected: where DDIM clips the implied clean picture, the noise follows: x_t is still the two put together.
# Seen: the step goes on with the unclipped answer: picture and noise no longer make x_t, by the default of the flags.
# Matters: a film with clipping here and in diffusers parts at the first step; ours takes the noise that fits.
# Source: diffusers 0.42.1, scheduling_ddim.py, step(): clip_sample=True, use_clipped_model_output=False by default.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 diffusers==0.42.1 numpy==2.4.6
cd "$place"
export TMPDIR="$place" # importing diffusers makes a folder of its own there
"$place/venv/bin/python" - <<'END'
import inspect
import math

import diffusers
import torch

print(f"torch {torch.__version__}, diffusers {diffusers.__version__}")
scheduler = diffusers.DDIMScheduler(num_train_timesteps=1000)
scheduler.set_timesteps(50)
assert scheduler.config.clip_sample
assert inspect.signature(scheduler.step).parameters["use_clipped_model_output"].default is False
x_t = torch.linspace(-3, 3, 7, dtype=torch.float64).view(1, 1, 1, 7)
t, s = 500, 480
alpha_bar, alpha_bar_s = (float(scheduler.alphas_cumprod[at]) for at in (t, s))
eps = 0.5 * x_t  # too faint an answer: the clean picture that it implies lies outside [-1, 1]
x0 = ((x_t - math.sqrt(1 - alpha_bar) * eps) / math.sqrt(alpha_bar)).clamp(-1, 1)
fitting = (x_t - math.sqrt(alpha_bar) * x0) / math.sqrt(1 - alpha_bar)
theirs = scheduler.step(eps, t, x_t).prev_sample
told = scheduler.step(eps, t, x_t, use_clipped_model_output=True).prev_sample
kept, followed = (math.sqrt(alpha_bar_s) * x0 + math.sqrt(1 - alpha_bar_s) * noise for noise in (eps, fitting))
put_together = math.sqrt(alpha_bar) * x0 + math.sqrt(1 - alpha_bar) * eps
print("x_t:                        ", [f"{value:.2f}" for value in x_t.flatten().tolist()])
print("clipped picture with answer:", [f"{value:.2f}" for value in put_together.flatten().tolist()])
print("step by default:            ", [f"{value:.2f}" for value in theirs.flatten().tolist()])
print("with the fitting noise:     ", [f"{value:.2f}" for value in followed.flatten().tolist()])
assert torch.allclose(theirs, kept, atol=1e-6)
assert torch.allclose(told, followed, atol=1e-6)
assert float((theirs - told).abs().max()) > 0.5
END
