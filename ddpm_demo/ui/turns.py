"""Fair turns for the networks of all visitors and of the trainer."""

from torch import Tensor

from ddpm_demo.network_thread import NetworkThread
from ddpm_demo.sampling import EpsModel

NETWORK = NetworkThread()  # one for all: two networks at once on two cores only get in each other's way


class InTurn:
    """A network that takes a turn for every call, so that ten visitors all see their films move."""

    def __init__(self, model: EpsModel) -> None:
        self.model = model

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat (B, C, H, W), as the network does."""
        return NETWORK.turn(lambda: self.model(x_t, t))
