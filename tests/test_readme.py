"""The README: short, and what it shows works."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ddpm_demo
from ddpm_demo.commands.parser import COMMANDS, build_parser
from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.store.checkpoint import Checkpoint, save
from ddpm_demo.store.provenance import Provenance

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_is_short_and_speaks_to_students_first():
    assert len(README.splitlines()) <= 100
    places = [README.index(words) for words in ("**Lessons**", "## To teach", "## To read and to use the code")]
    assert places == sorted(places)


def test_its_example_draws_digits(tmp_path, monkeypatch):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in example.splitlines() if line]) <= 5
    subprocess.run([sys.executable, "-c", example], cwd=tmp_path, check=True, env=None)
    with Image.open(tmp_path / "digits.png") as picture:
        levels = np.asarray(picture.convert("L"))
    assert levels.shape[0] == levels.shape[1] >= 4 * 28
    assert 0.05 < (levels > 128).mean() < 0.3  # ink on black, as digits have it


def test_every_command_that_it_names_can_be_called():
    lines = re.findall(r"^(ddpm-demo .*?)(?:\s+#.*)?$", README, re.MULTILINE)
    named = set()
    for line in lines:
        words = re.sub(r"[\[\]|]", " ", line).split()[1:]
        if words[1] in COMMANDS:
            named |= set(words)
            continue
        named.add(words[0])
        words = ["7860" if word == "P" else word for word in words]
        assert build_parser().parse_args(words).command == words[0]
    assert named == set(COMMANDS)


def test_the_public_names_are_what_the_package_says_and_nothing_else():
    for name in ddpm_demo.__all__:
        assert getattr(ddpm_demo, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = ddpm_demo.nothing


def test_importing_it_is_light_until_something_is_asked_for():
    code = (
        "import sys, ddpm_demo; before = 'torch' in sys.modules; ddpm_demo.load; print(before, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False True\n"


def test_sample_is_the_loop_of_the_core(tiny, tmp_path, generator):
    save(tmp_path / "model.safetensors", Checkpoint(tiny, ScheduleConfig(), Provenance()))
    network = ddpm_demo.load(tmp_path)  # the folder of a run
    config = ddpm_demo.SamplerConfig("ddim", steps=3)
    x_T = start_noise(2, 1, 28, generator).to(network.placement.device)
    *_, last = sample(network.model, network.schedule, config, x_T, generator=generator)
    drawn = ddpm_demo.sample(network, n=2, sampler=config)
    np.testing.assert_array_equal(drawn.numpy(), to_uint8(last.x_s)[:, 0].cpu().numpy())
    guided = ddpm_demo.sample(network, n=2, sampler=config, guide="tiny", guidance=3)
    assert (guided != drawn).any()
    with pytest.raises(ConfigError, match="needs a guide"):
        ddpm_demo.sample(network, guidance=2)


def test_a_schedule_and_an_untrained_network():
    schedule = ddpm_demo.schedule("cosine", timesteps=10)
    assert schedule.alpha_bar.shape == (10,)
    assert sum(p.numel() for p in ddpm_demo.denoiser("lite").parameters()) == 320_833
