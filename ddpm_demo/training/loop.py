"""Training, as a generator of progress: the caller owns the bar, the saving and the stopping."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ddpm_demo.core.config import DemoError, ModelConfig
from ddpm_demo.core.model import Denoiser, seeded_denoiser
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.device import Placement
from ddpm_demo.machine.placement import place
from ddpm_demo.machine.step_clock import StepClock
from ddpm_demo.store.mnist import batch_indices, to_x0
from ddpm_demo.training.optimizer import MuonAdamW
from ddpm_demo.training.processes import Ranks
from ddpm_demo.training.recipes import TrainConfig

SMOOTH = 0.98  # share of the mean loss kept from step to step: about the last fifty steps count
MIDDLE_LOGIT, MIDDLE_SPREAD = -0.4, 0.8  # of t / T in `draw_timesteps`


class TrainingError(DemoError):
    """Training cannot go on; the message says at which step and why."""


@dataclass(frozen=True)
class Progress:
    """Where training is after a whole step: `loss` is the plain mean squared error of that step's batch.

    `total` is the number of steps of the whole run, estimated when the run is limited by time; `seconds` counts over
    every resumption, and only while steps are taken (`StepClock`). `t` and `error`, both (B,), are the batch's
    timesteps and each digit's own squared error, where the weights are.
    """

    step: int
    total: int
    images: int
    loss: float
    lr: float
    seconds: float
    t: Tensor = field(repr=False, compare=False)
    error: Tensor = field(repr=False, compare=False)


def muon_weights(model: Denoiser, config: TrainConfig) -> list[Tensor]:
    """Return the weights that take Muon's steps: the blocks' convolutions, if it is the optimiser."""
    convolutions = [layer for layer in model.blocks.modules() if isinstance(layer, torch.nn.Conv2d)]
    return [layer.weight for layer in convolutions] if config.optimizer == "muon" else []


@dataclass
class TrainState:
    """All that training changes; what is saved is exactly this, so a resumed run is the same run."""

    model: Denoiser
    ema: Denoiser
    optimizer: MuonAdamW
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0
    loss: float = 0.0  # running mean, see SMOOTH

    @classmethod
    def fresh(cls, model_config: ModelConfig, config: TrainConfig, placement: Placement) -> "TrainState":
        """Begin: weights and every later draw follow from `config.seed` alone."""
        model = place(seeded_denoiser(model_config, config.seed), placement, keep_float32_weights=True)
        ema = place(seeded_denoiser(model_config, config.seed), placement, keep_float32_weights=True)
        matrices = muon_weights(model, config)
        optimizer = MuonAdamW(model.parameters(), matrices=matrices, lr=config.lr, dtype=placement.dtype)
        generator = torch.Generator(placement.device).manual_seed(config.seed)
        return cls(model, ema.eval().requires_grad_(False), optimizer, generator)


def train(
    state: TrainState, schedule: Schedule, digits: Tensor, config: TrainConfig, *, ranks: Ranks | None = None
) -> Iterator[Progress]:
    """Train `state` in place to the end of `config`, yielding after every whole step (Ho et al. 2020, Algorithm 1).

    `digits` is uint8 (N, 28, 28). It may be stopped between any two steps, saved, and resumed. With several
    `ranks` each process computes its share of every batch, and all take the same steps as one alone would. Raises
    TrainingError if the loss stops being a number, and ConfigError for a batch that cannot be divided evenly.
    """
    ranks = ranks or Ranks()
    ranks.check(config.batch)
    device = next(state.model.parameters()).device
    digits, schedule = digits.to(device), schedule.to(device)
    weights = loss_weights(schedule, config)
    shared = ranks.parallel(state.model)
    forward = torch.compile(shared) if config.compile else shared
    per_epoch = max(1, len(digits) // config.batch)
    parameters: list[Tensor] = list(state.model.parameters())
    averages: list[Tensor] = list(state.ema.parameters())
    clock = StepClock(state.seconds)
    state.model.train()
    while (done := ranks.agreed(fraction_done(state, config, per_epoch), device)) < 1:
        lr = learning_rate(config, state.step, done)
        for group in state.optimizer.param_groups:
            group["lr"] = lr

        chosen = torch.from_numpy(batch_indices(len(digits), config.batch, seed=config.seed, step=state.step))
        x0 = to_x0(digits[chosen.to(device)])  # (B, 1, 28, 28)
        t = draw_timesteps(len(schedule), len(x0), config.middle, state.generator)
        eps = torch.randn(x0.shape, generator=state.generator, device=device)
        x0, t, eps = ranks.share(x0), ranks.share(t), ranks.share(eps)  # all draw the same, and deal it out
        eps_hat = forward(schedule.add_noise(x0, t, eps), t)
        error = (eps - eps_hat).square().mean(dim=(1, 2, 3))  # (B,)

        state.optimizer.zero_grad(set_to_none=True)
        (weights[t] * error).mean().backward()
        size = torch.nn.utils.clip_grad_norm_(parameters, config.grad_clip)
        loss = ranks.mean(error.mean().item(), device)
        if not math.isfinite(loss + size.item()):  # before the step, so that the weights stay good
            raise TrainingError(
                "the loss is no longer a number at step {step}: try a lower learning rate", step=state.step + 1
            )
        state.optimizer.step()

        state.step += 1
        keep_average(averages, parameters, config.ema_decay, state.step)
        # the divisor makes it a mean of the steps there were, which at first are few (Kingma & Ba 2015, section 3)
        state.loss += (1 - SMOOTH) / (1 - SMOOTH**state.step) * (loss - state.loss)
        state.seconds = clock.tick()
        total = max(state.step, round(state.step / max(fraction_done(state, config, per_epoch), 1e-9)))
        yield Progress(state.step, total, state.step * config.batch, loss, lr, state.seconds, t, error.detach())


def keep_average(averages: list[Tensor], parameters: list[Tensor], decay: float, step: int) -> None:
    """Move the averaged weights towards the weights after their `step`-th step, 1 the first, in place."""
    # an average over the first few steps must forget the random start, hence the faster forgetting early on
    decay = min(decay, step / (9 + step))
    torch._foreach_lerp_(averages, [p.detach() for p in parameters], 1 - decay)


def draw_timesteps(T: int, count: int, middle: float, generator: torch.Generator) -> Tensor:
    """Draw timesteps, int64 (count,), on the generator's device: uniform, but a share of `middle` logit-normal.

    A logit-normal distribution over t / T (Esser et al. 2024, "Scaling Rectified Flow Transformers", equation 19),
    here with most of its mass from t = 0.23 T to 0.6 T: nearer to clean data the shape is there already, nearer to
    noise there is none yet.
    """
    t = torch.randint(T, (count,), generator=generator, device=generator.device)
    if middle == 0:
        return t
    normal = torch.randn(count, generator=generator, device=generator.device)
    inner = (T * torch.sigmoid(MIDDLE_LOGIT + MIDDLE_SPREAD * normal)).long().clamp(max=T - 1)
    chosen = torch.rand(count, generator=generator, device=generator.device) < middle
    return torch.where(chosen, inner, t)


def fraction_done(state: TrainState, config: TrainConfig, per_epoch: int) -> float:
    """Return how much of the run is behind us, 0 to 1: by steps for `epochs`, by the clock for `minutes`."""
    if config.epochs is not None:
        return state.step / max(1, round(config.epochs * per_epoch))
    assert config.minutes is not None  # TrainConfig allows no third case
    return state.seconds / (60 * config.minutes)


def learning_rate(config: TrainConfig, step: int, done: float) -> float:
    """Return the rate at a step: a linear warm-up, under a cosine from `config.lr` to zero over the run."""
    warm = min(1.0, (step + 1) / max(1, config.warmup))
    return config.lr * warm * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def loss_weights(schedule: Schedule, config: TrainConfig) -> Tensor:
    """Return the weight of each timestep's squared error, float32 (T,), with mean 1."""
    if config.loss_weight == "mse":
        return torch.ones(len(schedule), device=schedule.snr.device)
    if config.loss_weight == "min_snr":
        weights = schedule.snr.clamp(max=config.min_snr_gamma) / schedule.snr  # Hang et al. 2023, section 3.4
    else:
        weights = (config.p2_k + schedule.snr) ** -config.p2_gamma  # Choi et al. 2022, equation 8
    return (weights / weights.mean()).float()
