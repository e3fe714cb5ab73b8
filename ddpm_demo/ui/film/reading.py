"""Which digits a classifier reads in finished pictures: it took no part in drawing them."""

from typing import Any

from torch import Tensor

from ddpm_demo.measuring import classifier
from ddpm_demo.store.mnist import to_x0
from ddpm_demo.ui.film.nearest import grey_digits
from ddpm_demo.ui.parts.bridge import server_function
from ddpm_demo.ui.parts.readers import image_of, named_values


def reading(pictures: Tensor, x0: Tensor) -> dict[str, Any]:
    """Return the `classes` of pictures (N, 1, 28, 28), that `of_x0` (1, 1, 28, 28), and the judge's `accuracy`."""
    judge = classifier.load_judge()
    return {
        "classes": judge.model.classes(pictures).tolist(),
        "of_x0": int(judge.model.classes(x0)[0]),
        "accuracy": judge.accuracy,
    }


@server_function
def read_digits(question: Any) -> dict[str, Any]:
    """Answer the page about `digits` that its device has made, grey bytes, and the `x0` that they come from."""
    fields = named_values(question, "digits and x0")
    return reading(to_x0(grey_digits(fields.get("digits"))), image_of(fields.get("x0"), "a digit", most=1))
