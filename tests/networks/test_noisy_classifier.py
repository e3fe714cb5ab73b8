import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.measuring import noisy_training
from ddpm_demo.measuring.noisy_training import accuracy_by_tenth, train_classifier
from ddpm_demo.networks import noisy_classifier
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.noisy_classifier import (
    AtEqualNoise,
    NoisyClassifier,
    NoisyDigitClassifier,
    guide_to_digit,
    load_classifier,
    save_classifier,
    shipped_classifier,
)
from ddpm_demo.store.checkpoint import CheckpointError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def untrained():
    return NoisyDigitClassifier(NoisyClassifier().eval(), ScheduleConfig(), {"accuracy_by_tenth": [0.1] * 10})


def test_it_learns_and_a_seed_means_one_classifier(monkeypatch):
    monkeypatch.setattr(noisy_training, "NOISY_BATCH", 32)
    first, second = NoisyClassifier(), NoisyClassifier()
    losses = [progress.loss for progress in train_classifier(first, ScheduleConfig(timesteps=200), steps=40)]
    again = [progress.loss for progress in train_classifier(second, ScheduleConfig(timesteps=200), steps=40)]
    assert losses == again
    assert sum(losses[-5:]) < sum(losses[:5]) - 1.5
    for mine, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(mine, other)
    accuracy = accuracy_by_tenth(first, ScheduleConfig(timesteps=200), digits=1000)
    assert accuracy[0] > 0.4


def test_what_is_saved_comes_back_at_16_bits(untrained, tmp_path):
    save_classifier(tmp_path / "c.safetensors", untrained)
    back = load_classifier(tmp_path / "c.safetensors")
    assert back.schedule == untrained.schedule
    assert back.provenance["accuracy_by_tenth"] == [0.1] * 10
    for mine, other in zip(untrained.model.parameters(), back.model.parameters(), strict=True):
        torch.testing.assert_close(mine.detach(), other, rtol=1e-3, atol=1e-4)
        assert not other.requires_grad


@pytest.mark.parametrize("bad", [{}, {"schedule": {"kind": "spiral"}, "provenance": {}}, {"schedule": 3}])
def test_a_file_that_makes_no_sense_gets_a_sentence(untrained, tmp_path, bad):
    path = tmp_path / "c.safetensors"
    noisy_classifier.write_tensors(path, untrained.model.state_dict(), noisy_classifier.NOISY_FORMAT, bad)
    with pytest.raises(CheckpointError, match="holds a classifier that makes no sense"):
        load_classifier(path)


def test_another_schedules_timesteps_are_asked_as_those_of_equal_noise(untrained):
    own, other = Schedule.from_config(untrained.schedule), Schedule.from_config(ScheduleConfig("cosine", 400))
    same = AtEqualNoise(untrained, own, CPU)
    assert same.nearest.tolist() == list(range(1000))
    asked = AtEqualNoise(untrained, other, CPU)
    t = torch.tensor([20, 200, 350])
    gaps = (own.snr[asked.nearest[t]].log() - other.snr[t].log()).abs()
    assert float(gaps.max()) < 0.05
    x_t = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(asked(x_t, t), untrained.model(x_t, asked.nearest[t]))


def test_asking_moves_the_answer_towards_the_digit(untrained, linear, tiny):
    x_t, t = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0)), torch.full((2,), 400)
    asked = guide_to_digit(tiny, linear, DigitConfig(3, weight=2.0), untrained, CPU)
    with torch.no_grad():
        eps_hat, alone = asked(x_t, t), tiny(x_t, t)
    assert not eps_hat.requires_grad
    nearer = x_t - 1e-2 * (eps_hat - alone)  # a step against the added noise
    with torch.no_grad():
        before, after = (untrained.model(x, t).log_softmax(1)[:, 3] for x in (x_t, nearer))
    assert bool((after > before).all())


def test_timesteps_that_the_schedule_does_not_have_are_refused(untrained, linear, tiny):
    with pytest.raises(ConfigError, match="must be from 0 to 999"):
        guide_to_digit(tiny, linear, DigitConfig(3, first=1000), untrained, CPU)


@pytest.mark.parametrize("bad", [-1, 10, 1.5, True, None, "3"])
def test_only_digits_can_be_asked_for(bad):
    with pytest.raises(ConfigError, match="must be a whole number from 0 to 9"):
        DigitConfig(bad)


def test_the_shipped_classifier_is_as_good_as_its_card_says():
    shipped = load_classifier()
    assert shipped_classifier().stat().st_size < 500_000
    told = shipped.provenance["accuracy_by_tenth"]
    found = accuracy_by_tenth(shipped.model, shipped.schedule, digits=1000)
    assert found[0] > 0.97
    assert all(abs(mine - his) < 0.05 for mine, his in zip(found, told, strict=True))
