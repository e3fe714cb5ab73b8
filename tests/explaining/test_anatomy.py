import pytest
import torch

from ddpm_demo.core.config import ConfigError, ModelConfig, preset
from ddpm_demo.core.model import Denoiser, count_parameters
from ddpm_demo.explaining.anatomy import trace_stages


@pytest.mark.parametrize("name", ["lite", "full"])
def test_parameters_add_up(name):
    assert sum(s.parameters for s in trace_stages(preset(name))) == count_parameters(Denoiser(preset(name)))


def test_multiply_adds_of_the_full_network():
    """3.71 G a 28x28 image, counted dense; worked out here by hand."""
    total = sum(s.multiply_adds for s in trace_stages(preset("full")))
    pixels = 28 * 28
    assert total == 2 * 256 * 256 + pixels * (49 * 256 + 8 * 9 * 256 * 256 + 9 * 256)
    assert round(total / 1e9, 2) == 3.71


def test_cost_grows_with_batch_and_size():
    one, many = trace_stages(preset("lite")), trace_stages(preset("lite"), batch=3, height=14, width=56)
    for a, b in zip(one, many, strict=True):
        assert b.multiply_adds == 3 * a.multiply_adds
        assert b.parameters == a.parameters


@pytest.mark.parametrize("sizes", [(3, 14, 56), (1, 28, 5), (7, 1, 1)])
def test_the_shapes_of_other_sizes_are_those_of_a_run(sizes):
    """On PyTorch's meta device, which knows shapes alone."""
    batch, height, width = sizes
    with torch.device("meta"):
        model = Denoiser(preset("lite"))
        x_t, t = torch.empty(batch, 1, height, width), torch.empty(batch, dtype=torch.int64)
    ran = {}
    for name, module in model.named_modules():
        module.register_forward_hook(
            lambda m, taken, given, name=name: ran.update({name: (taken[0].shape, given.shape)})
        )
    model(x_t, t)
    first, *stages = trace_stages(preset("lite"), batch=batch, height=height, width=width)
    assert (first.input_shape, first.output_shape) == ((batch,), (batch, preset("lite").time_dim))
    for stage in stages:
        assert (stage.input_shape, stage.output_shape) == ran[stage.name], stage.name


def test_the_multiply_adds_are_pytorchs_own_count():
    from torch.utils.flop_counter import FlopCounterMode

    model = Denoiser(preset("lite"))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(2, 1, 28, 28), torch.tensor([1, 2]))
    assert counter.get_total_flops() == 2 * sum(s.multiply_adds for s in trace_stages(preset("lite"), batch=2))


def test_the_stages_come_in_order_with_the_specs_shapes_and_dilations():
    stages = trace_stages(preset("full"), batch=128)
    assert stages[0].output_shape == (128, 256)
    assert stages[4].name == "in_project"
    assert stages[-1].output_shape == (128, 1, 28, 28)
    assert [s.dilation for s in stages if s.name.endswith("conv")] == [1, 1, 3, 3, 9, 9, 27, 27]


@pytest.mark.parametrize("bad", [0, -1, 4097, 2.5, True, None])
def test_impossible_sizes_are_refused(bad):
    with pytest.raises(ConfigError, match="batch must be a whole number"):
        trace_stages(ModelConfig(hidden=8), batch=bad)
