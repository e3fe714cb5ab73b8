#!/usr/bin/env bash
# Expected: Muon makes an update orthogonal: its five rounds bring every singular value to 1, give or take a third.
# Seen: of 256 spread evenly in the logarithm over four powers of ten 49 % come into 0.7 to 1.2, the smallest to .0007.
# Matters: "all directions get the same step" is wrong for a gradient of many scales; a recipe's text must not say so.
# Source: torch 2.13.0 (and 2.14.1), torch/optim/_muon.py: five Newton-Schulz rounds; K. Jordan, Muon, 2024.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
export TMPDIR="$place" # PyTorch leaves a folder of its own there
cd "$place"
"$place/venv/bin/python" - <<'END'
import torch

print(f"torch {torch.__version__}")
generator = torch.Generator().manual_seed(0)
left, right = (torch.linalg.qr(torch.randn(256, 256, generator=generator, dtype=torch.float64))[0] for _ in range(2))
seen = {}
for powers in (2, 4):
    spectrum = torch.logspace(0, -powers, 256, dtype=torch.float64)
    weight = torch.nn.Parameter(torch.zeros(256, 256))
    weight.grad = (left * spectrum @ right.T).float()
    torch.optim.Muon([weight], lr=1.0, weight_decay=0.0, momentum=0.0, nesterov=False).step()
    values = torch.linalg.svdvals(weight.detach().double())  # of the update itself
    inside = float(((values > 0.7) & (values < 1.2)).double().mean())
    seen[powers] = inside, float(values.min()), float(values.max())
    print(f"spectrum over {powers} powers of ten: {inside:.0%} in 0.7 to 1.2, from {values.min():.4f} to {values.max():.3f}")
assert 0.45 < seen[4][0] < 0.53
assert seen[4][1] < 0.01
assert seen[2][0] > 0.8
END
