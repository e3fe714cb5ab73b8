import dataclasses

import pytest
import torch

from ddpm_demo.core.config import ConfigError, ModelConfig
from ddpm_demo.core.model import seeded_denoiser
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.machine.device import Placement
from ddpm_demo.store.checkpoint import Checkpoint, load
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.training.growing import check_same_shape, widened
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run import Run

NARROW = ModelConfig(hidden=16, dilations=(1, 3, 9), groups=4, time_dim=16)
WIDE = dataclasses.replace(NARROW, hidden=48)
PLACE = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture
def narrow():
    model = seeded_denoiser(NARROW, 3)
    with torch.no_grad():  # a trained norm is not 1 and 0
        for block in model.blocks:
            block.norm.weight.uniform_(0.5, 1.5)
            block.norm.bias.uniform_(-0.5, 0.5)
    return model.eval()


def test_the_wide_network_gives_the_narrow_ones_answers(narrow):
    wide = widened(narrow, WIDE, seed=0)
    assert wide.config == WIDE
    x_t, t = torch.randn(4, 1, 28, 28, dtype=torch.float64), torch.tensor([0, 10, 500, 999])
    narrow, wide = narrow.double(), wide.double()
    torch.testing.assert_close(wide(x_t, t), narrow(x_t, t), rtol=0, atol=1e-5)  # the weights were split in float32


def test_no_two_copies_of_a_channel_learn_alike(narrow):
    wide = widened(narrow, WIDE, seed=0)
    eps_hat = wide(torch.randn(2, 1, 28, 28), torch.tensor([100, 700]))
    eps_hat.square().mean().backward()
    for block in wide.blocks:
        gradient = block.conv.weight.grad.view(4, 3, 4, -1)  # (group, copy, channel, what it reads)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            apart = (gradient[:, one] - gradient[:, other]).norm() / gradient[:, one].norm()
            assert apart > 0.1


def test_only_the_width_may_differ_and_by_a_whole_factor(narrow):
    for wrong in (
        dataclasses.replace(WIDE, hidden=40),
        NARROW,
        dataclasses.replace(WIDE, dilations=(1, 3, 3)),
        dataclasses.replace(WIDE, groups=8),
    ):
        with pytest.raises(ConfigError, match="differs in width alone"):
            widened(narrow, wrong, seed=0)


def test_a_grown_run_begins_as_the_narrow_network_and_remembers_it_over_a_resumption(narrow, tmp_path):
    story = Provenance(preset="custom", steps=7)
    config = TrainConfig(epochs=1, digits=32, batch=8)
    run = Run.begin(tmp_path, WIDE, config, PLACE, first=Checkpoint(narrow, ScheduleConfig(), story))
    x_t, t = torch.randn(2, 1, 28, 28), torch.tensor([30, 900])
    with torch.no_grad():
        for model in (run.state.model, run.state.ema):
            torch.testing.assert_close(model(x_t, t), narrow(x_t, t), rtol=0, atol=1e-4)
    steps = run.train()
    next(steps)
    steps.close()
    again = Run.resume(tmp_path, PLACE)
    assert len(list(again.train())) == 3
    told = Provenance(preset="custom", steps=7, width=16)
    assert again.grown_from == told
    assert load(again.checkpoint_path).provenance.grown_from == told


def test_a_network_for_another_schedule_is_refused(narrow, tmp_path):
    first = Checkpoint(narrow, ScheduleConfig(kind="cosine"), Provenance())
    with pytest.raises(ConfigError, match="trained on the same schedule"):
        Run.begin(tmp_path, WIDE, TrainConfig(epochs=1), PLACE, first=first)


def test_a_run_may_begin_with_another_networks_weights_and_a_fresh_optimiser(narrow, tmp_path):
    story = Provenance(preset="custom", steps=7)
    config = TrainConfig(epochs=1, digits=32, batch=8)
    run = Run.begin(tmp_path, NARROW, config, PLACE, first=Checkpoint(narrow, ScheduleConfig(), story))
    for model in (run.state.model, run.state.ema):
        assert all(a.equal(b) for a, b in zip(model.parameters(), narrow.parameters(), strict=True))
    assert run.state.step == 0
    assert not run.state.optimizer.state
    steps = run.train()
    next(steps)
    steps.close()
    assert not run.state.model.out_project.weight.equal(narrow.out_project.weight)  # a copy, which learns alone
    again = Run.resume(tmp_path, PLACE)
    assert len(list(again.train())) == 3
    assert load(again.checkpoint_path).provenance.grown_from == Provenance(preset="custom", width=16, steps=7)


def test_a_run_begun_with_first_weights_by_an_older_program_goes_on(narrow, tmp_path):
    """Its file says `hidden` of the first network, and nothing of a `width`."""
    config = TrainConfig(epochs=1, digits=32, batch=8)
    run = Run.begin(tmp_path, NARROW, config, PLACE, first=Checkpoint(narrow, ScheduleConfig(), Provenance()))
    told = Provenance.from_json({"preset": "full", "steps": 9, "hidden": 256})
    run.grown_from = told
    run.save()
    again = Run.resume(tmp_path, PLACE)
    assert again.grown_from == told
    assert again.grown_from.channels == 256
    assert len(list(again.train())) == 4


def test_first_weights_of_another_shape_are_refused_in_a_sentence_that_names_the_other_option():
    check_same_shape(NARROW, NARROW)
    with pytest.raises(ConfigError, match=r"has 16 channels and dilations 1 3 9, the run 48 .* with --grow-from"):
        check_same_shape(NARROW, WIDE)
