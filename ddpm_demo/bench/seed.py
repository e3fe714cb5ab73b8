"""`ddpm-demo bench seed`: how far a seed's digits differ by instruction set, by threads, and in the browser.

Every way of computing makes the same films, in a process of its own: PyTorch settles its instructions once. What has
been made is kept in the cache, so that a run which was interrupted goes on.
"""

import hashlib
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ddpm_demo.bench.page import chromium
from ddpm_demo.bench.timing import rows_or_fault
from ddpm_demo.core.config import DemoError
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.core.sampling import to_uint8
from ddpm_demo.films.film_job import FilmJob, FilmWalk, code_version, film_alone
from ddpm_demo.films.plan import film_plan
from ddpm_demo.machine.device import Placement, best_placement
from ddpm_demo.machine.placement import place
from ddpm_demo.measuring.classifier import load_judge
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_placed
from ddpm_demo.store import checkpoint
from ddpm_demo.store.files import GUIDE, writable_cache_dir
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.lab.page import lab_page

SEED_NETWORK = "lite"
SEED_FILMS = 1000
IN_BROWSER = 200  # of them: every fifth
KEPT_TOGETHER = 50  # films in a file of the cache
SEED_STEPS = (5, 6, 7, 8)
WEIGHT = 2.0  # of the guide
ETAS = (0.0, 0.5, 1.0)
CLIPS = ("none", "x0", "x_t")
Levels = NDArray[np.uint8]  # (films, 28, 28)

MAKE_IN_BROWSER = """async ({plans, network, guide}) => {
    const {Crew, compiledNetwork} = modules["net/crew.js"];
    const {makeWorker, wasmBytes, weightsBytes} = modules["lab/network_files.js"];
    const {greyLevels} = modules["net/walk.js"];
    if (!window.crew) {
        window.crew = new Crew(await compiledNetwork(wasmBytes), makeWorker, 1);
        for (const name of [network, guide]) await window.crew.load(name, () => weightsBytes(name));
    }
    const digits = [];
    for (const plan of plans) {
        let last = null;
        const by = {name: network, guide: plan.guidance ? guide : null};
        await window.crew.film(plan, by, (step) => { last = step; });
        digits.push(Array.from(greyLevels(last.x_s)));
    }
    return digits;
}"""


@dataclass(frozen=True)
class WayOfComputing:
    """What the films are made with: its name, threads, and what the process is told of the instructions to use.

    All compute in float32 on the processor, as browsers do, but the one that computes `as_training` does here.
    """

    name: str
    threads: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    as_training: bool = False


IN_FLOAT32 = Placement(torch.device("cpu"), torch.float32)
FIRST_WAY = WayOfComputing("float32 with this processor's own instructions, 1 thread")
OTHER_WAYS = (
    WayOfComputing("as training computes here", as_training=True),
    WayOfComputing("2 threads", threads=2),
    WayOfComputing("AVX2", environment={"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}),
    WayOfComputing("no AVX", environment={"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"}),
)


def bench_seed(films: int = SEED_FILMS, ways: Sequence[WayOfComputing] = OTHER_WAYS) -> Iterator[dict[str, Any]]:
    """Yield a row for each other way of computing, and for the browser, beside one thread of this processor.

    `same` counts films without a pixel that differs, `apart` is the share of pixels that do, `beyond` the share of
    those by more than one of 256 grey levels, `most` the largest difference; `read_otherwise` counts the digits that
    the judge takes for another one.
    """
    first = made_films(FIRST_WAY, films)
    own = torch.backends.cpu.get_cpu_capability().lower()
    for way in ways:
        if way.environment.get("ATEN_CPU_CAPABILITY") == own or (way.as_training and best_placement() == IN_FLOAT32):
            continue  # it would say nothing more
        yield from rows_or_fault({"way": way.name}, lambda way=way: [differences(first, made_films(way, films))])
    chosen = list(range(0, films, max(1, films // IN_BROWSER)))
    yield from rows_or_fault(
        {"way": "the browser"}, lambda: [differences(first[chosen], _films_of_browser(seed_jobs(films), chosen))]
    )


def differences(first: Levels, other: Levels) -> dict[str, Any]:
    """Return how far films uint8 (films, 28, 28) are from each other."""
    apart = np.abs(first.astype(int) - other)
    judge = load_judge().model
    read, read_otherwise = (judge.classes(torch.from_numpy(each)[:, None] / 127.5 - 1) for each in (first, other))
    return {
        "films": len(first),
        "same": int((apart.reshape(len(apart), -1).max(1) == 0).sum()),
        "apart": float((apart > 0).mean()),
        "beyond": float((apart > 1).mean()),
        "most": int(apart.max()),
        "read_otherwise": int((read != read_otherwise).sum()),
    }


def seed_jobs(films: int) -> list[FilmJob]:
    """Return films of one digit each: every sampler, way of clipping and setting of the guide in turn."""
    kinds: list[dict[str, Any]] = []
    for kind, sampler in SAMPLERS.items():
        kinds += [{"kind": kind, **settings} for settings in sampler.variants.values()]
        if "eta" in sampler.settings:
            kinds += [{"kind": kind, "eta": eta} for eta in ETAS if eta]
    combined = list(itertools.product(kinds, CLIPS, (False, True)))
    jobs = []
    for k in range(films):
        settings, clip, guided = combined[k % len(combined)]
        config = SamplerConfig(**settings, clip=clip, steps=SEED_STEPS[k // len(combined) % len(SEED_STEPS)])
        jobs.append(FilmJob(SEED_NETWORK, config, n=1, seed=k, guide=GUIDE if guided else "", weight=WEIGHT))
    return jobs


def made_films(way: WayOfComputing, films: int) -> Levels:
    """Return the digits of all films, uint8 (films, 28, 28), made in a process of its own; raise DemoError if it fails.

    Those that an earlier run has made are read again.
    """
    folder = _folder_of(way)
    arguments = f"{str(folder)!r}, {films}, {way.threads}, {way.as_training}"
    code = f"from ddpm_demo.bench.seed import write_films; write_films({arguments})"
    command, environment = [sys.executable, "-c", code], {**os.environ, **way.environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DemoError((done.stderr.strip().splitlines() or ["the films were not made"])[-1])
    return np.concatenate([np.load(folder / f"{first}.npy") for first in range(0, films, KEPT_TOGETHER)])[:films]


def write_films(folder: str, films: int, threads: int, as_training: bool) -> None:
    """Make the films that are not in a folder yet, and keep them there."""
    torch.set_num_threads(threads)
    placement = best_placement() if as_training else IN_FLOAT32
    network, guide = (load_in(placement, find_checkpoint(name)) for name in (SEED_NETWORK, GUIDE))
    jobs = seed_jobs(-(-films // KEPT_TOGETHER) * KEPT_TOGETHER)
    for first in range(0, films, KEPT_TOGETHER):
        path = Path(folder) / f"{first}.npy"
        if path.exists():
            continue
        made = np.stack([_digit(network, guide, job) for job in jobs[first : first + KEPT_TOGETHER]])
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
            np.save(file, made)
        Path(file.name).replace(path)


def load_in(placement: Placement, path: Path) -> LoadedNetwork:
    """Load a network to compute in that place, whichever answers here; raise CheckpointError as usual."""
    return replace(load_placed(path), model=place(checkpoint.load(path).model, placement), placement=placement)


def _digit(network: LoadedNetwork, guide: LoadedNetwork, job: FilmJob) -> Levels:
    *_, last = film_alone(network, guide, FilmWalk(job, network.schedule))
    levels: Levels = to_uint8(last.step.x_s)[0, 0].cpu().numpy()
    return levels


def _films_of_browser(jobs: Sequence[FilmJob], chosen: Sequence[int]) -> Levels:
    """Return the digits of the chosen films, made by Chromium in the lab."""
    network, guide = (load_placed(find_checkpoint(name)) for name in (SEED_NETWORK, GUIDE))
    plans = [film_plan(jobs[k], network.schedule) for k in chosen]
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        lab = Path(folder) / "lab.html"
        lab.write_bytes(lab_page(SEED_NETWORK, date.today()))
        page = browser.new_page()
        page.goto(lab.as_uri())
        by = {"network": network.digest, "guide": guide.digest}
        made: list[list[int]] = []
        for first in range(0, len(plans), KEPT_TOGETHER):
            made += page.evaluate(MAKE_IN_BROWSER, {"plans": plans[first : first + KEPT_TOGETHER], **by})
    return np.array(made, np.uint8).reshape(-1, 28, 28)


def _folder_of(way: WayOfComputing) -> Path:
    what = (
        code_version(),
        torch.__version__,
        *(load_placed(find_checkpoint(n)).digest for n in (SEED_NETWORK, GUIDE)),
        way,
    )
    folder = writable_cache_dir() / "bench-seed" / hashlib.sha256(repr(what).encode()).hexdigest()[:24]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
