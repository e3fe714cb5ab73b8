"""The truths of the lesson on flow matching: its steps beside a sampler's, and which path is more bent."""

from collections.abc import Mapping
from typing import Any

import torch

from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import Step, sample, start_noise
from ddpm_demo.explaining.flow import euler_step, film_flow
from ddpm_demo.machine.scheduler import NETWORK, InTurn
from ddpm_demo.networks.loaded_networks import LoadedNetwork
from ddpm_demo.ui.lessons.truths_of_diffusion import correlation
from ddpm_demo.ui.lessons.workplace import Truth, Workplace
from ddpm_demo.ui.parts.readers import SIDE

INVISIBLE = 0.5  # grey levels: nobody sees such a difference
LEVEL = 2 / 255  # what a grey level is of -1 to 1


def _film(workplace: Workplace, checkpoint: str, sampler: Mapping[str, Any], count: int, seed: int) -> list[Step]:
    """Draw digits by a sampler, reporting half of the work."""
    loaded, config = workplace.load(checkpoint), SamplerConfig(**sampler)
    generator = torch.Generator().manual_seed(seed)
    x_T = start_noise(count, loaded.channels, SIDE, generator).to(loaded.placement.device)
    steps = []
    for step in sample(InTurn(loaded.model, NETWORK.film_turn), loaded.schedule, config, x_T, generator=generator):
        steps.append(step)
        workplace.report((step.index + 1) / config.steps / 2)
    return steps


def _by_euler(workplace: Workplace, loaded: LoadedNetwork, x_T: torch.Tensor, timesteps: list[int]) -> torch.Tensor:
    """Draw digits by Euler's method on flow matching's straight path, with the velocity that a network implies."""
    x, model = x_T, InTurn(loaded.model, NETWORK.film_turn)
    for index, (t, s) in enumerate(zip(timesteps, [*timesteps[1:], -1], strict=True)):
        with torch.no_grad():
            eps_hat = model(x, torch.full((len(x),), t, device=x.device))
        x = euler_step(loaded.schedule, x, t, s, eps_hat)
        workplace.report(0.5 + (index + 1) / len(timesteps) / 2)
    return x


def flow_drawn(workplace: Workplace, *, checkpoint: str, sampler: Mapping[str, Any], count: int, seed: int) -> Truth:
    """Say whether a network asked as flow matching asks, from the same noise, draws what a sampler draws."""
    film, loaded = _film(workplace, checkpoint, sampler, count, seed), workplace.load(checkpoint)
    drawn = film[-1].x_s.float().cpu()
    flow = _by_euler(workplace, loaded, film[0].x_t, [step.t for step in film]).float().cpu()
    most = float((flow - drawn).abs().max()) / LEVEL  # grey levels
    agree = correlation(flow, drawn)
    right = "same" if most < INVISIBLE else "like" if agree > 0.9 else "other"
    values = {"most": most, "agree": agree, "steps": len(film), "count": count}
    return Truth(right, values, {"sampler": drawn, "flow": flow})


def straighter(workplace: Workplace, *, checkpoint: str, steps: int, count: int, seed: int, within: float) -> Truth:
    """Say in whose scale the path from noise to digit is straighter; `same` if both detours agree within a share."""
    film = _film(workplace, checkpoint, {"kind": "ddim", "steps": steps}, count, seed)
    flow = film_flow(workplace.load(checkpoint).schedule, film)
    detour, flow_detour = (100 * (float(each.quantile(0.5)) - 1) for each in (flow.detour, flow.flow_detour))
    least, most = sorted((detour, flow_detour))
    right = "same" if least > (1 - within) * most else "flow" if flow_detour < detour else "schedule"
    workplace.report(1.0)
    return Truth(right, {"schedule": detour, "flow": flow_detour, "times": most / least, "turn": float(flow.turn[0])})
