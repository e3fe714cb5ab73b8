"""The race and the small experiments: the same start, what each lane is, and what is refused."""

import base64
import math
import zlib

import numpy as np
import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.model import seeded_denoiser
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.machine.device import answering_placement
from ddpm_demo.measuring.copying import nearest
from ddpm_demo.networks.loaded_networks import LoadedNetwork
from ddpm_demo.store.files import GUIDE
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.ui.film.contrast import contrast, contrast_words
from ddpm_demo.ui.film.experiments import EXPERIMENTS, LANES
from ddpm_demo.ui.film.form_words import NO_GUIDE, opening_words
from ddpm_demo.ui.film.race import MAX_LANES, race, slerp
from ddpm_demo.ui.film.race_tab import worse_than


@pytest.fixture
def small(tiny, linear):
    return LoadedNetwork(tiny, linear, answering_placement(), None)


def lanes_of(messages):
    """Every lane's frames (F, N, 28, 28) and their timesteps."""
    lanes = {}
    for message in messages:
        frames, times = lanes.setdefault(message["lane"], ([], []))
        assert message["first"] == len(times)
        times += message["t"]
        if message["t"]:
            content = np.frombuffer(zlib.decompress(base64.b64decode(message["x_t"])), np.uint8)
            frames += list(content.reshape(-1, message["n"], 28, 28))
    return lanes


def test_all_lanes_start_from_the_same_noise_and_end_where_the_sampler_ends(small):
    chosen = [LANES[name] for name in ("DDIM, 10 steps", "DPM-Solver++(2M), 10 steps", "DDPM, 10 steps")]
    lanes = lanes_of(race(small, chosen, count=3, seed=4))
    for k, lane in enumerate(chosen):
        frames, times = lanes[k]
        assert times == [*small.schedule.timesteps(10), -1]
        generator = torch.Generator().manual_seed(4)
        x_T = start_noise(3, 1, 28, generator)
        np.testing.assert_array_equal(frames[0], to_uint8(x_T[:, 0]).numpy())
        *_, last = sample(small.model, small.schedule, lane.config, x_T, generator=generator)
        np.testing.assert_array_equal(frames[-1], to_uint8(last.x_s[:, 0]).numpy())


def ddim_by_numpy(steps):
    """N(0, 1) data and exact answers: each step of DDIM is a factor, the cosine of the angle that it turns by."""
    alpha_bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    t = [999 - round(i * 999 / (steps - 1)) for i in range(steps)]
    now, after = alpha_bar[t], np.append(alpha_bar[t[1:]], 1)
    return float(np.prod(np.sqrt(now * after) + np.sqrt((1 - now) * (1 - after))))


def test_each_lane_tells_what_its_steps_do_to_contrast_and_how_grey_its_digits_are(small):
    names = ("DDIM, 10 steps", "DDPM, 10 steps", "DDIM, 50 steps", "DPM-Solver++(2M), 10 steps")
    messages = list(race(small, [LANES[name] for name in names], count=2, seed=4))
    shares = [lane["contrast"] for lane in messages[0]["lanes"]]
    assert shares[0] == pytest.approx(ddim_by_numpy(10), rel=1e-9) == pytest.approx(0.8146, abs=5e-5)
    assert shares[2] == pytest.approx(ddim_by_numpy(50), rel=1e-9)
    assert [shares[1], shares[3]] == pytest.approx([0.99995, 1.33], abs=5e-5)
    assert messages[0]["grey"] == pytest.approx(33.318, abs=0.001)  # MNIST's training digits
    greys = {message["lane"]: message["lane_grey"] for message in messages if "lane_grey" in message}
    assert greys == {k: pytest.approx(frames[-1].mean()) for k, (frames, _) in lanes_of(messages).items()}


def test_the_line_under_the_steps_is_the_samplers_and_silent_where_there_is_no_figure(linear):
    words = opening_words(None)
    assert "50 steps of this rule end at **×0.92**" in contrast_words(linear, words)  # what the page opens with
    ddim = {**words, "sampler": "DDIM", "steps": 10}
    assert f"10 steps of this rule end at **×{ddim_by_numpy(10):.2f}**" in contrast_words(linear, ddim)
    for senseless in ({"steps": None}, {"steps": 3.5}, {"sampler": None}, {"eta": "x"}):
        assert contrast_words(linear, {**ddim, **senseless}) == ""
    assert contrast_words(linear, {**words, "clip": "clamp xₜ to [−1, 1]"}) == ""
    assert contrast(linear, SamplerConfig(clip="x_t")) is None


def test_long_lanes_are_bounded(small):
    frames, times = lanes_of(race(small, [LANES["DDPM, 1000 steps"]], count=1, seed=0))[0]
    assert len(frames) <= 41
    assert (times[0], times[-1]) == (999, -1)


def test_other_noise_on_the_way_changes_ddpm_and_not_ddim(small):
    experiment = EXPERIMENTS["The same x_T, other noise on the way"]
    lanes = lanes_of(race(small, experiment.lanes, count=1, seed=0))
    finals = [lanes[k][0][-1] for k in range(4)]
    assert (finals[0] != finals[1]).any()
    np.testing.assert_array_equal(finals[2], finals[3])
    np.testing.assert_array_equal(lanes[0][0][0], lanes[1][0][0])


def test_the_last_noise_differs_by_as_little_as_the_text_says(small):
    experiment = EXPERIMENTS["Noise at the last step or not"]
    lanes = lanes_of(race(small, experiment.lanes, count=2, seed=0))
    (spec, times), (ho, _) = lanes[0], lanes[1]
    before = times.index(1)
    np.testing.assert_array_equal(spec[before], ho[before])
    assert (spec[-1] != ho[-1]).any()
    assert f"{small.schedule.reverse_std(1, 0, 'beta'):.3f}" == "0.011"
    assert "σ = 0.011" in experiment.look


def test_the_guide_alone_and_no_guide_are_the_two_networks(small, tiny):
    worse = LoadedNetwork(seeded_denoiser(tiny.config, seed=1), small.schedule, small.placement, None)
    lanes = EXPERIMENTS["Guided by a weaker network"].lanes
    messages = list(race(small, lanes, count=2, seed=3, guide=worse))
    frames = {k: lane[0][-1] for k, lane in lanes_of(messages).items()}
    assert [lane.weight for lane in lanes] == [0, 1, 2, 4]
    for k, model in ((0, worse.model), (1, small.model)):
        generator = torch.Generator().manual_seed(3)
        x_T = start_noise(2, 1, 28, generator)
        *_, last = sample(model, small.schedule, lanes[k].config, x_T, generator=generator)
        np.testing.assert_array_equal(frames[k], to_uint8(last.x_s[:, 0]).numpy())
    assert (frames[2] != frames[3]).any()
    # both networks' calls are counted
    assert [lane["calls"] for lane in messages[0]["lanes"]] == [100, 50, 100, 100]
    assert [message["calls"] for message in messages if message["t"][-1:] == [-1]] == [100, 50, 100, 100]
    assert messages[-1]["done"] == 1


def test_which_network_is_the_worse_one(tmp_path):
    known = {"lite": tmp_path / "lite", GUIDE: tmp_path / "guide", "mine": tmp_path / "mine"}
    assert worse_than("lite", NO_GUIDE, known) == known[GUIDE]
    assert worse_than("lite", "mine", known) == known["mine"]
    assert worse_than("mine", "mine", known) == known[GUIDE]
    for name, guide in ((GUIDE, NO_GUIDE), (GUIDE, GUIDE), ("lite", "/etc/passwd"), ("lite", None)):
        with pytest.raises(ConfigError, match="choose a guide above"):
            worse_than(name, guide, known)


@pytest.mark.parametrize("title", EXPERIMENTS)
def test_every_experiment_has_words_and_a_source(title):
    experiment = EXPERIMENTS[title]
    assert 1 <= len(experiment.lanes) <= MAX_LANES
    assert len({lane.name for lane in experiment.lanes}) == len(experiment.lanes)
    assert experiment.look.endswith(".")
    assert experiment.source


@pytest.mark.parametrize(
    ("count", "seed"), [(0, 0), (9, 0), (float("nan"), 0), ("4", 0), (1e12, 0), (1, -1), (1, None), (1, 2**31)]
)
def test_numbers_past_the_interface_are_refused(small, count, seed):
    with pytest.raises(ConfigError, match="must be a whole number"):
        next(race(small, [LANES["DDIM, 10 steps"]], count=count, seed=seed))


def test_too_many_lanes_are_refused(small):
    with pytest.raises(ConfigError, match="two to 4"):
        next(race(small, list(LANES.values())[:5], count=1, seed=0))


def test_the_great_circle_keeps_the_length_and_both_ends(generator):
    start, end = torch.randn(2, 1, 1, 28, 28, generator=generator)
    end = end - (start * end).sum() / (start * start).sum() * start  # at a right angle
    end = end * (start.norm() / end.norm())
    path = slerp(start, end, [0, 0.25, 0.5, 1])
    torch.testing.assert_close(path[:1], start)
    torch.testing.assert_close(path[-1:], end)
    torch.testing.assert_close(path.flatten(1).norm(dim=1), start.norm().expand(4))
    torch.testing.assert_close(path[2:3], (start + end) / math.sqrt(2))
    assert torch.equal(slerp(start, start, [0.3]), start)


def test_beside_the_network_the_perfect_one_draws_training_digits(small):
    digits = load_mnist(train=True)[0]
    lanes = lanes_of(race(small, EXPERIMENTS["Beside a perfect network"].lanes, count=2, seed=4))
    assert np.ptp([lanes[k][0][0] for k in range(3)], axis=0).max() == 0  # one start for all
    network, perfect, patches = (nearest(torch.tensor(lanes[k][0][-1]), digits)[1] for k in range(3))
    assert perfect.tolist() == [0, 0]
    assert min(*network.tolist(), *patches.tolist()) > 1
