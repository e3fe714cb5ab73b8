"""The Network tab's Python side: what is shown is what the network computed."""

import base64

import gradio as gr
import numpy as np
import pytest
import torch

from ddpm_demo.core.config import ConfigError, preset
from ddpm_demo.core.model import sinusoidal_embedding
from ddpm_demo.explaining.anatomy import activations, strongest, time_vectors
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.training import shelf
from ddpm_demo.ui import app
from ddpm_demo.ui.film import film_settings
from ddpm_demo.ui.parts.digits import draw_noise
from ddpm_demo.ui.tabs.network import claims_table, config_of, describe_network, make_inside


@pytest.fixture(scope="module")
def lite():
    return {"lite": find_checkpoint("lite")}


def ask(stage, network="lite", alpha_bar=0.394):
    x_t = base64.b64encode(draw_noise(1).numpy().tobytes()).decode()
    return {"network": network, "stage": stage, "x_t": x_t, "alpha_bar": alpha_bar}


def test_activations_chain_up_by_the_specs_lines(tiny):
    x_t = draw_noise(0)
    seen = activations(tiny, x_t, 300)
    _, time = time_vectors(tiny, torch.tensor([300]))
    torch.testing.assert_close(seen["blocks.0.input"], seen["in_project"])
    for i, block in enumerate(tiny.blocks):
        u = seen[f"blocks.{i}.input"] + time[0][:, None, None]
        torch.testing.assert_close(seen[f"blocks.{i}.with time"], u)
        d = block.conv.dilation
        conv = torch.nn.functional.conv2d(u[None], block.conv.weight, block.conv.bias, padding=d, dilation=d)[0]
        torch.testing.assert_close(seen[f"blocks.{i}.residual sum"], u + conv.detach())
        torch.testing.assert_close(seen[f"blocks.{i}.act"], torch.nn.functional.silu(seen[f"blocks.{i}.norm"]))
    torch.testing.assert_close(seen["out_project"], tiny(x_t, torch.tensor([300]))[0].detach())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in tiny.modules())


def test_strongest_channels_vary_most():
    maps = torch.zeros(3, 4, 4)
    maps[0], maps[1, 0, 0], maps[2, 0, 0] = 9.0, 1.0, 2.0
    assert strongest(maps, 2).tolist() == [2, 1]


def test_time_vectors_start_from_the_embedding(tiny):
    t = torch.tensor([0, 7, 999])
    embedding, projected = time_vectors(tiny, t)
    torch.testing.assert_close(embedding, sinusoidal_embedding(t, 16))
    assert projected.shape == (3, 8)


def test_the_diagram_is_read_from_the_network(lite):
    value, table = describe_network(preset("full"), "full", 64, 28, 28)
    by_id = {node["id"]: node for node in value["nodes"]}
    assert list(by_id)[:3] == ["time", "in_project", "blocks.0"]
    assert sum(node["parameters"] for node in value["nodes"]) == 4_871_425
    assert by_id["blocks.7"]["dilation"] == 27
    assert by_id["out_project"]["given"] == [64, 1, 28, 28]
    assert by_id["time"]["taken"] == [64]
    assert "**4,871,425**" in table
    assert f"**{64 * 3_711_016_960 + 64 * 131_072:,}**" in table


def test_a_block_shows_its_five_steps(lite):
    answer = make_inside(lite)(ask("blocks.4"))
    assert [row["label"] for row in answer["rows"]] == ["input", "with time", "residual sum", "norm", "act"]
    assert len(answer["channels"]) == 16
    assert answer["t"] == 300
    assert "y = y + time" in answer["source"]
    assert len(answer["moved"]) == 5
    maps = np.frombuffer(base64.b64decode(answer["rows"][4]["maps"]), "<f4")
    assert maps.size == 16 * 784
    assert maps.min() == pytest.approx(answer["rows"][4]["low"])


@pytest.mark.parametrize("stage", ["in_project", "out_project"])
def test_the_ends_show_their_output(lite, stage):
    answer = make_inside(lite)(ask(stage))
    assert [row["label"] for row in answer["rows"]] == ["output"]


def test_what_runs_through_is_each_stages_strongest_channel(lite):
    loaded = load_placed(lite["lite"])
    answer = make_inside(lite)(ask("blocks.2"))
    seen = activations(loaded.denoiser, draw_noise(1).to(loaded.placement.device), answer["t"])
    blocks = [f"blocks.{i}" for i in range(8)]
    assert list(answer["flow"]) == ["in_project", *blocks, "out_project"]
    for stage, levels in answer["flow"].items():
        maps = seen.get(stage, seen.get(f"{stage}.act")).double()
        plane = maps[maps.flatten(1).std(dim=1).argmax()].numpy()
        shown = np.frombuffer(base64.b64decode(levels), np.uint8).reshape(28, 28)
        np.testing.assert_allclose(shown, np.interp(plane, (plane.min(), plane.max()), (0, 255)), atol=0.51)


def test_time_shows_the_embedding_and_likeness(lite):
    answer = make_inside(lite)(ask("time"))
    similarity = np.frombuffer(base64.b64decode(answer["similarity"]), "<f4").reshape(250, 250)
    np.testing.assert_allclose(np.diag(similarity), 1, atol=1e-4)
    embedding = np.frombuffer(base64.b64decode(answer["embedding"]), "<f4").reshape(250, 256)
    np.testing.assert_allclose(embedding[0], [0.0] * 128 + [1.0] * 128, atol=1e-6)


@pytest.mark.parametrize(
    "bad",
    [None, {}, ask("blocks.99"), ask("blocks.x"), ask("roof"), ask(None), ask("blocks.1", network="/etc/passwd")],
)
def test_questions_past_the_interface_get_a_sentence(lite, bad):
    assert set(make_inside(lite)(bad)) == {"error"}


def test_an_untrained_network_has_a_shape_and_no_maps(lite):
    assert config_of("full (not trained)", lite) == preset("full")
    assert "not trained" in make_inside(lite)(ask("blocks.0", network="full (not trained)"))["error"]
    with pytest.raises(ConfigError, match="listed networks"):
        config_of("huge", lite)


def test_the_claims_stand_on_the_page():
    table = claims_table()
    assert "| alpha_bar at t = 500 | 0.1 to 0.2 | 0.0778 (computed) | **does not hold** |" in table


def test_without_checkpoints_the_page_still_opens(monkeypatch):
    for module in (app, film_settings, shelf):
        monkeypatch.setattr(module, "shipped_checkpoints", dict)
    assert isinstance(app.build_app(), gr.Blocks)
