#!/usr/bin/env bash
# Expected: with one seed randn_like gives equal pictures equal noise; memory layout only says where the numbers lie.
# Seen: a channels_last colour picture gets other noise in every pixel, and the generator stands elsewhere afterwards.
# Matters: a training made faster by channels_last has another history under the same seed; one channel hides it.
# Source: torch 2.13.0 (and 2.14.1), ATen/native/cpu/DistributionTemplates.h: tensors not contiguous go by one number.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'END'
import torch


def noise_and_next(picture):
    torch.manual_seed(5)
    return torch.randn_like(picture), torch.rand(1).item()


print(f"torch {torch.__version__}")
result = {}
for channels in (1, 3):
    plain = torch.zeros(2, channels, 28, 28)
    last = plain.to(memory_format=torch.channels_last)
    assert torch.equal(plain, last)
    (a, next_a), (b, next_b) = noise_and_next(plain), noise_and_next(last)
    result[channels] = float((a != b).float().mean()), next_a == next_b
    print(f"{channels} channels: {result[channels][0]:.2%} of the noise differs; the next number is the same: {next_a == next_b}")
assert result[1] == (0.0, True)
assert result[3][0] > 0.99
assert result[3][1] is False
END
