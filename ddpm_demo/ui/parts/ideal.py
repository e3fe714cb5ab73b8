"""What the page asks the perfect network: its answer to an x_t, and which training digits it is made of."""

import time
from pathlib import Path
from typing import Any, cast

import torch

from ddpm_demo.machine.scheduler import NETWORK
from ddpm_demo.networks.ideal import IdealDenoiser
from ddpm_demo.networks.ideal_checkpoints import IDEAL
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_placed
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.ui.parts.bridge import base64_of, server_function
from ddpm_demo.ui.parts.digits import closest_t, read_noisy_picture

HEAVIEST = 5  # training digits that are shown with their shares


def whole_ideal() -> tuple[LoadedNetwork, IdealDenoiser]:
    """Return the ideal of all training digits, in its place."""
    loaded = load_placed(Path(IDEAL))
    return loaded, cast(IdealDenoiser, loaded.model)


@server_function
def ideal_answer(question: Any) -> dict[str, Any]:
    """Answer the page: the ideal's x0_hat (float32, 784) for an x_t, and the training digits that weigh most in it."""
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
    return {
        "t": t,
        "x0_hat": base64_of(x0_hat.float().numpy()),
        "digits": len(digits),
        "index": index.tolist(),
        "share": share.tolist(),
        "label": labels[index].tolist(),
        "pictures": base64_of(digits[index].numpy()),
        "milliseconds": 1000 * (time.perf_counter() - begun),
    }
