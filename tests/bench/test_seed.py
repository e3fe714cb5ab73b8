"""The bench of the seed's contract: what it makes, what it keeps, and how it counts."""

import numpy as np
import torch

from ddpm_demo.bench import seed
from ddpm_demo.bench.seed import CLIPS, IN_FLOAT32, differences, load_in, made_films, seed_jobs, write_films
from ddpm_demo.core.samplers import SAMPLERS
from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.shipped import find_checkpoint


def test_every_sampler_meets_every_clipping_and_the_guide():
    jobs = seed_jobs(1000)
    assert {(job.config.kind, job.config.clip, bool(job.guide)) for job in jobs} == {
        (kind, clip, guided) for kind in SAMPLERS for clip in CLIPS for guided in (False, True)
    }
    assert len({job.seed for job in jobs}) == 1000
    assert seed_jobs(10) == jobs[:10]


def test_differences_are_counted_in_pixels_and_films():
    first = np.full((4, 28, 28), 255, np.uint8)
    other = first.copy()
    other[1, 0, 0] = 254
    other[2, 3, :2] = (250, 254)
    assert differences(first, other) == {
        "films": 4,
        "same": 2,
        "apart": 3 / (4 * 784),
        "beyond": 1 / (4 * 784),
        "most": 5,
        "read_otherwise": 0,
    }


def test_whoever_reads_another_digit_is_counted():
    images, labels = load_mnist(train=False)
    ones, sevens = (images[labels == digit][:20].numpy().reshape(-1, 28, 28) for digit in (1, 7))
    assert differences(ones, ones)["read_otherwise"] == 0
    assert differences(ones, np.concatenate([ones[:15], sevens[:5]]))["read_otherwise"] == 5


def test_films_are_kept_and_made_once(tmp_path, monkeypatch):
    monkeypatch.setattr(seed, "KEPT_TOGETHER", 2)
    write_films(str(tmp_path), 1, torch.get_num_threads(), as_training=False)
    (path,) = tmp_path.iterdir()
    loaded, job = load_in(IN_FLOAT32, find_checkpoint("lite")), seed_jobs(1)[0]
    generator = torch.Generator().manual_seed(job.seed)
    *_, last = sample(loaded.model, loaded.schedule, job.config, start_noise(1, 1, 28, generator), generator=generator)
    assert np.array_equal(np.load(path)[0], to_uint8(last.x_s)[0, 0].numpy())
    kept = np.full((2, 28, 28), 7, np.uint8)
    np.save(path, kept)
    write_films(str(tmp_path), 2, torch.get_num_threads(), as_training=False)
    monkeypatch.setattr(seed, "_folder_of", lambda way: tmp_path)
    monkeypatch.setattr(seed.subprocess, "run", lambda *_, **__: seed.subprocess.CompletedProcess([], 0))
    assert np.array_equal(made_films(seed.FIRST_WAY, 1), kept[:1])
