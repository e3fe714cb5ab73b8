"""Fair turns on one processor: whoever waits for the network the longest goes next."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from ddpm_demo.sampling import EpsModel


class Turns:
    """A lock that is given in the order of asking; an ordinary one may go to the same thread again and again."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and hand it on at the end."""
        with self._guard:
            mine = threading.Event()
            if self._taken:
                self._waiting.append(mine)
            else:
                self._taken = True
                mine.set()
        mine.wait()
        try:
            yield
        finally:
            with self._guard:
                if self._waiting:
                    self._waiting.popleft().set()
                else:
                    self._taken = False


NETWORK = Turns()  # one for all visitors: two networks at once on two cores only get in each other's way


class InTurn:
    """A network that takes a turn for every call, so that ten visitors all see their films move."""

    def __init__(self, model: EpsModel, turns: Turns = NETWORK) -> None:
        self.model, self.turns = model, turns

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat (B, C, H, W), as the network does."""
        with self.turns.turn():
            return self.model(x_t, t)
