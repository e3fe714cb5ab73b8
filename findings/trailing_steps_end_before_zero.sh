#!/usr/bin/env bash
# Expected: set_timesteps(n) makes n timesteps, all of them from 0 to 999, whatever the spacing.
# Seen: with "trailing" spacing 62 of the thousand counts (61, 103, 121 ...) make n + 1, and the last timestep is -1.
# Matters: a table indexed with -1 answers with its noisiest entry, without an error: the last step is taken at t = 999.
# Source: diffusers 0.42.1, scheduling_ddim.py, set_timesteps(): np.arange with a stride that is no whole number.
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
scheduler = diffusers.DDIMScheduler(num_train_timesteps=1000, timestep_spacing="trailing")
odd = {}
for steps in range(1, 1001):
    scheduler.set_timesteps(steps)
    timesteps = scheduler.timesteps.tolist()
    if len(timesteps) != steps or min(timesteps) < 0:
        odd[steps] = len(timesteps), timesteps[-1]
print(f"{len(odd)} of 1000 counts:", *(f"{n} -> {got} ending at {last}" for n, (got, last) in list(odd.items())[:4]))
print("the table at the last timestep of 61:", scheduler.alphas_cumprod[-1].item(), "and at t = 0:", scheduler.alphas_cumprod[0].item())
assert len(odd) == 62
assert list(odd)[:3] == [61, 103, 121]
assert all((got, last) == (n + 1, -1) for n, (got, last) in odd.items())
END
