"""Train `lite` from nothing for 1, 2, 5, 10 and 30 minutes, and show what each reaches: table and picture of
docs/measurements.md.

    python assets/images/minutes.py DIRECTORY [MINUTES ...]

The runs stay in DIRECTORY and are not repeated. Give them the machine to themselves.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.device import best_placement
from ddpm_demo.machine.placement import place
from ddpm_demo.networks.recommended import RECOMMENDED_SAMPLER
from ddpm_demo.store import checkpoint
from ddpm_demo.store.pictures import grid_png

DIGITS = 16


def main() -> None:
    """Train what is missing, then print the table and write the picture."""
    directory, lengths = Path(sys.argv[1]), [int(word) for word in sys.argv[2:]] or [1, 2, 5, 10, 30]
    rows = []
    print("| minutes | digits seen | images/s | held-out loss |\n|---|---|---|---|")
    for minutes in lengths:
        run = directory / f"{minutes}-minutes"
        if not (run / "model.safetensors").exists():
            command = ["train", "--preset", "lite", "--minutes", str(minutes), "--held-out", "2000", "--out", str(run)]
            subprocess.run([sys.executable, "-m", "ddpm_demo", *command], check=True)
        trained = checkpoint.load(run / "model.safetensors")
        story = trained.provenance
        rate = story.images_seen / story.wall_seconds
        print(f"| {minutes} | {story.images_seen:,} | {rate:.0f} | {story.held_out.loss:.4f} |", flush=True)
        rows.append(drawn(trained))
    path = Path(__file__).parent / "minutes.png"
    path.write_bytes(grid_png(np.concatenate(rows), columns=DIGITS))


def drawn(trained: checkpoint.Checkpoint) -> NDArray[np.uint8]:
    """Return digits from the same noises for every network: uint8 (DIGITS, 28, 28)."""
    placement = best_placement()
    model, schedule = place(trained.model, placement), Schedule.from_config(trained.schedule)
    generator = torch.Generator().manual_seed(0)
    x_T = start_noise(DIGITS, 1, 28, generator).to(placement.device)
    *_, last = sample(model, schedule, RECOMMENDED_SAMPLER, x_T, generator=generator)
    return to_uint8(last.x_s)[:, 0].numpy()


if __name__ == "__main__":
    main()
