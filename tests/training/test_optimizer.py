"""Muon against PyTorch's own, and against what it claims."""

import pytest
import torch

from ddpm_demo.training.optimizer import MuonAdamW, orthogonal
from ddpm_demo.training.recipes import TrainConfig


@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float32, 1e-4), (torch.bfloat16, 0.05)])
@pytest.mark.parametrize("shape", [(6, 20), (20, 6), (8, 8)])
def test_orthogonal_takes_every_singular_value_near_one_and_keeps_the_directions(shape, dtype, rounding, generator):
    matrices = torch.randn(3, *shape, generator=generator)
    matrices[1] *= 1000  # each is scaled by itself
    for matrix, result in zip(matrices, orthogonal(matrices, dtype), strict=True):
        u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
        inner = u.T @ result @ vh.T  # diagonal if the directions are the same
        diagonal = inner.diagonal()
        assert float((inner - torch.diag(diagonal)).abs().max()) < rounding
        assert (diagonal[s > 0.05 * s.max()] > 0.5).all()
        assert (diagonal < 1.3).all()


def test_faint_directions_stay_behind(generator):
    """Of a wide spectrum a half comes near one: what the docstrings say, and where the line is."""
    left, right = (torch.linalg.qr(torch.randn(256, 256, generator=generator, dtype=torch.float64))[0] for _ in "uv")
    spectrum = torch.logspace(0, -4, 256, dtype=torch.float64)
    result = orthogonal((left * spectrum @ right.T)[None], torch.float64)[0]
    steps = (left.T @ result.double() @ right).diagonal()  # of each direction, the strongest first
    strong = spectrum >= 0.0016 * spectrum.norm()
    assert 0.5 < float(strong.double().mean()) < 0.6
    assert (steps[strong] > 0.68).all()
    assert (steps[strong] < 1.21).all()
    assert "256 whose strengths span four powers of ten 49 %" in " ".join((TrainConfig.__doc__ or "").split())
    assert float(((steps > 0.7) & (steps < 1.2)).double().mean()) == pytest.approx(0.49, abs=0.005)
    assert float(steps[-1]) == pytest.approx(0.013, abs=0.0005)
    faint = spectrum < 0.0002 * spectrum.norm()
    share = steps[faint] / (spectrum[faint] / spectrum.norm() * 3.4445**5)
    assert faint.any()
    assert (share > 0.95).all()
    assert (share < 1.0).all()


def test_a_gradient_of_zero_moves_nothing():
    assert torch.equal(orthogonal(torch.zeros(2, 3, 5), torch.bfloat16), torch.zeros(2, 3, 5))


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="PyTorch before 2.9 has no Muon to compare with")
def test_it_steps_as_pytorchs_muon_does(generator):
    start = torch.randn(6, 4, 3, 3, generator=generator)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.flatten(1).clone())
    mine = MuonAdamW([ours], matrices=[ours], lr=0.01)
    reference = torch.optim.Muon([theirs], lr=0.01, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        gradient = torch.randn(6, 4, 3, 3, generator=generator)
        ours.grad, theirs.grad = gradient.clone(), gradient.flatten(1).clone()
        mine.step()
        reference.step()
    moved, apart = (theirs - start.flatten(1)).detach().norm(), (ours.flatten(1) - theirs).detach().norm()
    assert float(apart / moved) < 0.05  # PyTorch's orthogonalises in bfloat16


def test_matrices_of_several_shapes_each_take_their_own_step(generator):
    shapes = [(6, 4, 3, 3), (4, 6, 3, 3), (6, 4, 3, 3), (5, 40, 1, 1)]
    gradients = [torch.randn(shape, generator=generator) for shape in shapes]
    together, alone = ([torch.nn.Parameter(torch.zeros(shape)) for shape in shapes] for _ in range(2))
    steps = [MuonAdamW(together, matrices=together, lr=0.1)]
    steps += [MuonAdamW([weight], matrices=[weight], lr=0.1) for weight in alone]
    for weight, twin, gradient in zip(together, alone, gradients, strict=True):
        weight.grad, twin.grad = gradient.clone(), gradient.clone()
    for optimizer in steps:
        optimizer.step()
    for weight, twin in zip(together, alone, strict=True):
        torch.testing.assert_close(weight, twin, rtol=1e-4, atol=1e-6)  # another order of sums


def test_everything_else_is_adamw(generator):
    weight, bias = (torch.nn.Parameter(torch.randn(4, 4, generator=generator)) for _ in range(2))
    twin = torch.nn.Parameter(bias.detach().clone())
    mine = MuonAdamW([weight, bias], matrices=[weight], lr=0.01)
    reference = torch.optim.AdamW([twin], lr=0.01, weight_decay=0.0)
    for _ in range(3):
        weight.grad, bias.grad = torch.randn(2, 4, 4, generator=generator)
        twin.grad = bias.grad.clone()
        mine.step()
        reference.step()
    torch.testing.assert_close(bias, twin)
    assert set(mine.state[weight]) == set(mine.state_keys(weight)) == {"momentum"}
    assert set(mine.state[bias]) == set(mine.state_keys(bias))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_saved_state_is_taken_up_where_pytorchs_own_optimisers_put_it(device, generator):
    """`step` too: with fused=True PyTorch wants it on the parameter's device, and on a GPU stops without."""
    matrix = torch.randn(4, 4, 3, 3, generator=generator).contiguous(memory_format=torch.channels_last)
    bias = torch.randn(4, generator=generator)
    trained = [torch.nn.Parameter(matrix.clone()), torch.nn.Parameter(bias.clone())]
    first = MuonAdamW(trained, matrices=[], lr=0.01)
    for parameter in trained:
        parameter.grad = torch.ones_like(parameter)
    first.step()
    saved = [{key: value.contiguous() for key, value in first.state[parameter].items()} for parameter in trained]
    saved[0]["step"] = saved[0]["step"].double()  # whatever a file holds

    ours, theirs = ([torch.nn.Parameter(p.detach().to(device)) for p in trained] for _ in range(2))
    mine, reference = MuonAdamW(ours, matrices=[], lr=0.01), torch.optim.AdamW(theirs, lr=0.01, fused=True)
    reference.load_state_dict(first.state_dict())
    for parameter, twin, state in zip(ours, theirs, saved, strict=True):
        mine.take_up(parameter, state)
        assert mine.state[parameter].keys() == reference.state[twin].keys()
        for key, value in mine.state[parameter].items():
            like = reference.state[twin][key]
            assert (value.device.type, value.dtype, value.shape) == (device, like.dtype, like.shape), key
            assert value.device == like.device
            if key != "step":
                assert value.stride() == parameter.stride()
