import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.measuring.classifier import Classifier
from ddpm_demo.measuring.completion import MASKS, known_mask, measure_completion, repeated
from ddpm_demo.store.mnist import load_mnist, to_x0


@pytest.mark.parametrize(
    ("name", "missing"),
    [("lower half", 392), ("left half", 392), ("quarter", 196), ("every second column", 392)],
)
def test_a_mask_leaves_out_what_it_says(name, missing):
    known = known_mask(name)
    assert int((~known).sum()) == missing
    assert known.shape == (1, 1, 28, 28)


def test_an_unknown_mask_is_refused_with_the_list():
    with pytest.raises(ConfigError, match=r"the mask must be one of lower half, .*every second column, got 'all'"):
        known_mask("all")


@pytest.mark.parametrize("name", list(MASKS))
def test_what_is_repeated_stands_in_the_picture(name):
    x0 = torch.arange(784.0).view(1, 1, 28, 28)
    filled, known = repeated(x0, name), known_mask(name)
    assert torch.equal(filled[known], x0[known])
    assert set(filled[~known].tolist()) <= set(x0[known].tolist())


def test_whoever_knows_the_digit_completes_it(linear):
    """With an oracle that knows the very digits, every completion is the digit, and the judge reads it as the whole."""
    digits, labels = (part[:6] for part in load_mnist(train=False))
    x0 = to_x0(digits).double()
    judge = Classifier().eval()

    def oracle(x_t, t):
        return linear.predict_eps(x_t.double(), int(t[0]), x0).to(x_t)

    records = list(
        measure_completion(
            oracle,
            linear,
            SamplerConfig(kind="ddim", steps=10, clip="x0"),
            judge,
            digits,
            labels,
            mask="lower half",
            jumps=1,
            seed=0,
            device=torch.device("cpu"),
        )
    )
    last = records[-1]
    assert last.error == 0.0
    assert (last.done, last.total, last.digits) == (6 * 19, 6 * 19, 6)
    assert [record.done for record in records[:2]] == [12, 24]
    assert int((last.images.int() - digits.int()).abs().max()) <= 1
    assert last.as_original == last.as_whole
