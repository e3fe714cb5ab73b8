#!/usr/bin/env bash
# Expected: torch.cdist gives a picture a distance of 0 from itself, however many pictures there are.
# Seen: of 25 pictures all are at 0; of 26 with grey levels 0 to 255 some are at 1.4, of 100 at 2 from themselves.
# Matters: a search for copied training digits by distance 0 finds none of them once it looks at more than 25 at a time.
# Source: torch 2.13.0 (and 2.14.1), cdist's compute_mode: past 25 rows a matrix product, |a|^2 + |b|^2 - 2ab.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'END'
import torch

print(f"torch {torch.__version__}")
pictures = torch.randint(0, 256, (100, 784), generator=torch.Generator().manual_seed(3)).float()
seen = {}
for count in (25, 26, 100):
    seen[count] = torch.cdist(pictures[:count], pictures[:count]).diagonal().max().item()
    print(f"{count} pictures: the farthest from itself by {seen[count]:.3f}")
exact = torch.cdist(pictures, pictures, compute_mode="donot_use_mm_for_euclid_dist").diagonal().max().item()
assert seen[25] == 0
assert seen[26] > 0.5
assert seen[100] > 0.5
assert exact == 0
END
