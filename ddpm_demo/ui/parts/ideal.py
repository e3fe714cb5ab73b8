"""What the page asks the perfect network: its answer to an x_t, and which training digits it is made of."""

import time
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from ddpm_demo.machine.scheduler import NETWORK
from ddpm_demo.networks.ideal import IdealDenoiser
from ddpm_demo.networks.ideal_checkpoints import IDEAL
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_named, load_placed
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.ui.parts.bridge import base64_of, server_function
from ddpm_demo.ui.parts.digits import closest_t, read_noisy_picture

HEAVIEST = 5  # training digits that are shown with their shares
LOOKED_UP = 32  # test digits, for how much one training digit usually weighs
MEAN_FROM = 900  # from this t on the answer is compared with the mean training digit
BESIDE = "lite"  # the network whose answer is compared with it, too


def whole_ideal() -> tuple[LoadedNetwork, IdealDenoiser]:
    """Return the ideal of all training digits, in its place."""
    loaded = load_placed(Path(IDEAL))
    return loaded, cast(IdealDenoiser, loaded.model)


@lru_cache(maxsize=1)
def half_weight_t() -> int:
    """Return the last t at which, for most of `LOOKED_UP` test digits, one training digit has half of all weight."""
    loaded, ideal = whole_ideal()
    x0 = to_x0(load_mnist(train=False)[0][:LOOKED_UP])
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))

    def heaviest(t: int) -> float:
        x_t, steps = loaded.schedule.add_noise(x0, t, eps).to(loaded.placement.device), torch.full((LOOKED_UP,), t)
        return float(NETWORK.turn(lambda: ideal.weights(x_t, steps.to(x_t.device)).amax(dim=1)).median())

    last, past = 0, len(loaded.schedule)
    while past - last > 1:  # the more noise, the more digits share the weight
        t = (last + past) // 2
        last, past = (t, past) if heaviest(t) > 0.5 else (last, t)
    return last


def like_the_mean(x0_hat: Tensor) -> float:
    """Return the correlation of a clean image (1, 1, 28, 28) with the mean training digit."""
    both = torch.stack([x0_hat.flatten().double().cpu(), mean_digit().flatten().double()])
    return float(torch.corrcoef(both)[0, 1])


@lru_cache(maxsize=1)
def mean_digit() -> Tensor:
    """Return the mean of all training digits, float32 (1, 28, 28), -1 to 1."""
    return to_x0(load_mnist(train=True)[0]).mean(dim=0)


@server_function
def ideal_answer(question: Any) -> dict[str, Any]:
    """Answer the page: the ideal's x0_hat (float32, 784) for an x_t, and the training digits that weigh most in it.

    `half` is `half_weight_t`. With so much noise that the answer is nearly the mean digit, `mean` is its correlation
    with that, and `beside_mean` the one of `lite`'s own answer.
    """
    x_t, alpha_bar = read_noisy_picture(question)
    loaded, ideal = whole_ideal()
    t, device = closest_t(loaded.schedule, alpha_bar), loaded.placement.device
    begun = time.perf_counter()

    def look() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x, steps = x_t.to(device), torch.tensor([t], device=device)
        heaviest = ideal.heaviest(x, steps, HEAVIEST)
        return ideal.expected_x0(x, steps).cpu(), heaviest.index[0].cpu(), heaviest.share[0].cpu()

    x0_hat, index, share = NETWORK.turn(look)
    digits, labels = load_mnist(train=True)
    like: dict[str, Any] = {"mean": None}
    if t >= MEAN_FROM:
        network = load_named(BESIDE)
        with torch.no_grad():
            eps_hat = (
                NETWORK.turn(lambda: network.model(x_t.to(device), torch.tensor([t], device=device))).float().cpu()
            )
        beside = network.schedule.predict_x0(x_t, t, eps_hat)
        like = {"mean": like_the_mean(x0_hat), "beside": BESIDE, "beside_mean": like_the_mean(beside)}
    return {
        "t": t,
        **like,
        "half": half_weight_t(),
        "test_digits": LOOKED_UP,
        "x0_hat": base64_of(x0_hat.float().numpy()),
        "digits": len(digits),
        "index": index.tolist(),
        "share": share.tolist(),
        "label": labels[index].tolist(),
        "pictures": base64_of(digits[index].numpy()),
        "milliseconds": 1000 * (time.perf_counter() - begun),
    }
