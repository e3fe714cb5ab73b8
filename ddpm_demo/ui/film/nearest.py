"""Did the film copy? The nearest training digit to each of its digits, and when a perfect network knew which it was."""

import base64
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.sampling import to_uint8
from ddpm_demo.machine.scheduler import NETWORK
from ddpm_demo.measuring.copying import nearest
from ddpm_demo.networks.ideal import IdealDenoiser
from ddpm_demo.networks.ideal_checkpoints import IdealName, is_ideal
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store.drawings_file import drawings_of_run
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.ui.film.film_settings import MAX_IMAGES
from ddpm_demo.ui.film.films import FILMS, Film, Films
from ddpm_demo.ui.parts.bridge import base64_of, server_function
from ddpm_demo.ui.parts.readers import named_values

UNSEEN = 64  # test digits that say what is far


@server_function
def nearest_digits(question: Any, films: Films = FILMS) -> dict[str, Any]:
    """Answer the page: of each digit of a film the nearest training digit and its distance, pixels being 0 to 1.

    The page names the film by its `run`, or sends the grey `digits` of one that its own device has made.
    `unseen` is the median distance of test digits. `decided` is the t at which, in a film by the ideal, one training
    digit first weighed more than one half in most digits; None for any other film. In a film by the ideal of own
    drawings these are compared, `drawings` of them, and there is no `unseen`.
    """
    fields = named_values(question, "run")
    film = None if fields.get("digits") else films.get(fields.get("run"))
    own = own_drawings(film.network) if film else None
    digits = load_mnist(train=True)[0] if own is None else own
    images = grey_digits(fields["digits"]) if film is None else to_uint8(film.last()[:, 0])
    index, distance = NETWORK.turn(lambda: nearest(images, digits))
    return {
        "index": index.tolist(),
        "distance": distance.tolist(),
        "pictures": base64_of(digits[index].numpy()),
        "drawings": None if own is None else len(own),
        "unseen": unseen_distance() if own is None else None,
        "unseen_digits": UNSEEN,
        "decided": decided_at(film) if film else None,
    }


def own_drawings(network: str) -> Tensor | None:
    """Return the drawings uint8 (N, 28, 28) that an ideal knows, by its name; None for any other network."""
    name = IdealName.parse(network) if is_ideal(network) else None
    return drawings_of_run(name.run) if name and name.run else None


def grey_digits(text: object) -> Tensor:
    """Read grey digits uint8 (N, 28, 28) that a page sent as base64; raise ConfigError if they are not."""
    try:
        content = base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except ValueError:
        content = b""
    if not content or len(content) % 28**2 or len(content) > MAX_IMAGES * 28**2:
        raise ConfigError("1 to {most} digits of 28x28 grey bytes are needed", most=MAX_IMAGES)
    return torch.frombuffer(bytearray(content), dtype=torch.uint8).view(-1, 28, 28)


@lru_cache(maxsize=1)
def unseen_distance() -> float:
    """Return how far a digit that was never taught lies from the nearest training digit, the median of `UNSEEN`."""
    test, digits = load_mnist(train=False)[0][:UNSEEN], load_mnist(train=True)[0]
    return float(NETWORK.turn(lambda: nearest(test, digits))[1].median())


def decided_at(film: Film) -> int | None:
    """Return the t at which most digits of a film by the ideal had one picture with more than half of all weight."""
    model = load_placed(Path(film.network)).model if is_ideal(film.network) else None
    if not isinstance(model, IdealDenoiser):
        return None
    for kept in list(film.steps):
        x_t, t = kept.step.x_t, kept.step.t
        steps = torch.full((len(x_t),), t)
        heaviest = NETWORK.turn(lambda x=x_t, at=steps: model.weights(x, at).amax(dim=1))  # type: ignore[misc]
        if float(heaviest.median()) > 0.5:
            return t
    return None
