"""The ideals by name: what a name means, and that they are loaded as networks are."""

import pytest
import torch

from ddpm_demo.core.config import ConfigError, Interval
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import start_noise
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.films.film_job import FilmJob, FilmWalk, film_alone
from ddpm_demo.networks.ideal import IdealDenoiser, PatchDenoiser
from ddpm_demo.networks.ideal_anywhere import AnywherePatchDenoiser
from ddpm_demo.networks.ideal_checkpoints import (
    ANYWHERE_DIGITS,
    IDEAL_LABELS,
    IdealName,
    ideal_of_run,
    is_ideal,
    load_ideal,
)
from ddpm_demo.networks.loaded_networks import load_named, load_placed, loaded_as
from ddpm_demo.store.drawings_file import DRAWINGS_FILE, write_drawings
from ddpm_demo.store.files import CACHE_VARIABLE
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.ui.film.nearest import own_drawings

CPU = torch.device("cpu")


def test_what_a_name_means():
    assert IdealName.parse("ideal") == IdealName()
    assert IdealName.parse("ideal:patch=9") == IdealName(patch=9)
    assert IdealName.parse("ideal:patch=lite,count=500") == IdealName(patch=0, count=500)
    assert IdealName.parse("ideal:digit=7") == IdealName(digit=7)
    assert IdealName.parse("ideal:patch=3,anywhere,count=50") == IdealName(patch=3, count=50, anywhere=True)
    for name in IDEAL_LABELS:
        IdealName.parse(name)


@pytest.mark.parametrize(
    "name",
    [
        "ideal:patch=8",
        "ideal:patch=0",
        "ideal:patch=x",
        "ideal:digit=10",
        "ideal:count=0",
        "ideal:size=3",
        "ideal:patch=3,patch=5",
        "ideal:,",
        "ideal:anywhere",
        "ideal:run=",
        "ideal:run=../x",
        "ideal:run=a,digit=3",
        "ideal:run=a,run=b",
        "ideal:patch=3,anywhere,anywhere",
        "ideal:patch=3,anywhere=2",
        "lite",
    ],
)
def test_a_name_that_means_nothing_is_refused_in_one_sentence(name):
    with pytest.raises(ConfigError):
        IdealName.parse(name)


def test_only_ideals_are_called_so():
    assert is_ideal("ideal")
    assert is_ideal("ideal:patch=8")
    assert not is_ideal("ideals")
    assert not is_ideal("my run ideal")


def test_the_pictures_are_those_that_the_name_says():
    schedule = Schedule.from_config(ScheduleConfig())
    digits, labels = load_mnist(train=True)
    sevens = load_ideal("ideal:digit=7", schedule, CPU)
    assert isinstance(sevens, IdealDenoiser)
    assert torch.equal(sevens.pictures, digits[labels == 7])
    some = load_ideal("ideal:patch=5,count=30", schedule, CPU)
    assert isinstance(some, PatchDenoiser)
    assert torch.equal(some.pictures, digits[:30])
    assert some.width_at(0) == some.width_at(999) == 5
    anywhere = load_ideal("ideal:patch=3,anywhere,digit=7", schedule, CPU)
    assert isinstance(anywhere, AnywherePatchDenoiser)
    assert torch.equal(anywhere.pictures, digits[labels == 7][:ANYWHERE_DIGITS])
    with pytest.raises(ConfigError, match=f"choose count={ANYWHERE_DIGITS} or fewer"):
        load_ideal(f"ideal:patch=3,anywhere,count={ANYWHERE_DIGITS + 1}", schedule, CPU)
    fitted = load_ideal("ideal:patch=lite", schedule, CPU)
    assert isinstance(fitted, PatchDenoiser)
    assert len(fitted.pictures) == 10_000
    assert fitted.width_at(0) < fitted.width_at(500)


def test_an_ideal_is_loaded_as_a_network_is(tmp_path):
    loaded = load_named("ideal:count=50")
    assert loaded.known_as == "ideal:count=50"
    assert loaded.channels == 1
    assert loaded_as(loaded.digest) is loaded
    assert load_named("ideal:count=50") is loaded
    assert load_named("ideal:count=51").digest != loaded.digest
    # what a worker elsewhere gets is a file
    file = tmp_path / "network.safetensors"
    file.write_bytes(loaded.file)
    again = load_placed(file)
    assert again.digest == loaded.digest
    x_t, t = start_noise(2, 1, 28, torch.Generator().manual_seed(0)), torch.tensor([500, 500])
    assert torch.equal(again.model(x_t, t), loaded.model(x_t, t))
    with pytest.raises(ConfigError, match="choose a trained network"):
        _ = loaded.denoiser


def test_an_ideal_of_a_runs_own_drawings(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    schedule, drawings = Schedule.from_config(ScheduleConfig()), load_mnist(train=False)[0][:7]
    folder = tmp_path / "runs" / "20260101-000000-abc123"
    folder.mkdir(parents=True)
    with pytest.raises(ConfigError, match="learns drawings of your own"):
        load_ideal(ideal_of_run(folder.name), schedule, CPU)
    write_drawings(folder / DRAWINGS_FILE, drawings)
    ideal = load_ideal(ideal_of_run(folder.name), schedule, CPU)
    assert isinstance(ideal, IdealDenoiser)
    assert torch.equal(ideal.pictures, drawings)
    patches = load_ideal(f"ideal:patch=3,anywhere,run={folder.name}", schedule, CPU)
    assert isinstance(patches, AnywherePatchDenoiser)
    assert torch.equal(patches.pictures, drawings)
    assert torch.equal(own_drawings(ideal_of_run(folder.name)), drawings)
    assert own_drawings("lite") is own_drawings("ideal:digit=3") is None


def test_a_film_by_an_ideal_and_one_guided_by_a_network():
    loaded, tiny = load_named("ideal:count=50"), load_named("tiny")
    job = FilmJob(loaded.digest, SamplerConfig("ddim", steps=5), 2, 0)
    steps = [each.step for each in film_alone(loaded, None, FilmWalk(job, loaded.schedule))]
    assert len(steps) == 5
    pictures = load_mnist(train=True)[0][:50]
    apart = (steps[-1].x_s - (pictures[:, None].float() / 127.5 - 1)[:, None]).abs().amax(dim=(2, 3, 4))
    assert float(apart.amin(dim=0).max()) < 1e-5
    assert loaded.guided_by(tiny, 2.0, Interval(last=0)) is not loaded.model
