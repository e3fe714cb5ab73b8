"""Did it learn or copy? Teach a small network 5, 20 and 100 sevens of MNIST as drawings of one's own.

    python assets/images/copying.py DIRECTORY [COUNT ...]

The runs stay in DIRECTORY and are not repeated. Their length is counted in pictures, not minutes, so that a busy
machine draws the same.
"""

import subprocess
import sys
from pathlib import Path

from PIL import Image

from ddpm_demo.measuring.copying import nearest_drawings, scale_of
from ddpm_demo.store.drawings_file import read_drawings
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.pictures import grid_png
from ddpm_demo.training import snapshots
from ddpm_demo.training.saved_run import read_settings
from ddpm_demo.training.training_set import fresh_variations, variations

SIGN = 7
TRAINING = ["--preset", "lite", "--hidden", "32", "--from", "tiny", "--epochs", "8", "--held-out", "200"]


def main() -> None:
    """Train what is missing, then print the table and keep the pictures that were drawn beside each run."""
    directory, counts = Path(sys.argv[1]), [int(word) for word in sys.argv[2:]] or [5, 20, 100]
    print("| drawings | new pictures from the nearest | no further than untaught | untaught | next drawing |")
    print("|---|---|---|---|---|")
    for count in counts:
        run = directory / f"{count}-drawings"
        if not (run / "model.safetensors").exists():
            pictures = write_pictures(directory / f"{count}-pictures", count)
            command = ["train", "--pictures", str(pictures), *TRAINING, "--out", str(run)]
            subprocess.run([sys.executable, "-m", "ddpm_demo", *command], check=True)
        print(row_of(run), flush=True)


def write_pictures(folder: Path, count: int) -> Path:
    """Write the first so many sevens of MNIST's training set as picture files; return their folder."""
    digits, labels = load_mnist(train=True)
    folder.mkdir(parents=True, exist_ok=True)
    for k, digit in enumerate(digits[labels == SIGN][:count]):
        Image.fromarray(digit.numpy()).resize((112, 112)).save(folder / f"{k:03}.png")
    return folder


def row_of(run: Path) -> str:
    """Return a run's row; its sixteen newest pictures are kept in the run's folder."""
    config = read_settings(run / "run.safetensors").train
    drawings = read_drawings(run / "pictures.safetensors", config.pictures)
    taught = variations(drawings, config.seed)
    newest, _ = snapshots.pictures(run, snapshots.steps_kept(run)[0][-1])
    (run / "newest.png").write_bytes(grid_png(newest.numpy()))
    found = nearest_drawings(newest, drawings, taught).distance
    scale = scale_of(drawings, taught, fresh_variations(drawings, config.seed))
    near = int((found <= scale.fresh).sum())
    return (
        f"| {len(drawings)} | {float(found.min()):.1f} to {float(found.max()):.1f}, median {float(found.median()):.1f} "
        f"| {near} of {len(newest)} | {scale.fresh:.1f} | {scale.other:.1f} |"
    )


if __name__ == "__main__":
    main()
