"""The checkpoint files that browsers may fetch, to run a network themselves."""

import threading
from collections import OrderedDict

from ddpm_demo.core.model import Denoiser
from ddpm_demo.networks.loaded_networks import LoadedNetwork

KEPT_FILES = 16  # a run in training writes another one every half-minute


class OfferedWeights:
    """The checkpoint files that pages have been told about, by digest; the one mentioned longest ago goes first."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._guard = threading.Lock()

    def offer(self, loaded: LoadedNetwork) -> str:
        """Let browsers fetch a network's file; return the digest that they ask for, empty if it has none."""
        if not loaded.file or not isinstance(loaded.model, Denoiser) or loaded.channels != 1:
            return ""
        with self._guard:
            self._files[loaded.digest] = loaded.file
            self._files.move_to_end(loaded.digest)
            while len(self._files) > KEPT_FILES:
                self._files.popitem(last=False)
        return loaded.digest

    def get(self, digest: str) -> bytes | None:
        """Return a file that was offered; None if it was not, or too long ago."""
        with self._guard:
            return self._files.get(digest)


WEIGHTS = OfferedWeights()
