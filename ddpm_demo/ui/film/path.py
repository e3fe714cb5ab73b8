"""The path of a film: every digit as a trail on the plane in which MNIST's digits differ most."""

from typing import Any

import numpy as np

from ddpm_demo.explaining.plane import mnist_plane
from ddpm_demo.ui.film.films import FILMS, Films
from ddpm_demo.ui.parts import plots
from ddpm_demo.ui.parts.bridge import base64_of, browser_component, chart_value, server_function
from ddpm_demo.ui.parts.readers import named_values
from ddpm_demo.ui.words.page import prose
from ddpm_demo.words.sentence import say

PATH_LESSON = say("""
## The path of the film
A digit is a point in 784 dimensions. This is the plane through MNIST's mean along which real digits differ most (its
first two principal components): the cloud is real digits, coloured by class, and each line is one digit of the film
above on its path, up to the frame of the film's slider. All paths start close together, because noise prefers no
direction; then they part. Draw the path of x̂₀ as well: the network's guess moves long before the picture does.
""")


def build_path() -> None:
    """Lay out the section and connect it to the film."""
    prose(PATH_LESSON, elem_classes="ddpm-lesson")
    browser_component("film/path", None, elem_id="path", server=[path_cloud, path_trails])


@server_function
def path_cloud(_: Any = None) -> dict[str, Any]:
    """Answer the page: the chart of real digits on the plane, the trails still to come, and the plane itself.

    The mean digit and the two directions, float32 (784,) and (2, 784), place the films of the page's own device.
    """
    plane, points, labels = mnist_plane()
    figure = plots.plane_figure(points, labels, plane.explained)
    label = say(
        "real digits on MNIST's first two principal components, {share:.0%} of its variance, and the film's trails",
        share=float(plane.explained.sum()),
    )
    chart = chart_value(figure, label=label)
    directions = {"mean": plane.mean, "components": plane.components}
    return chart | {name: base64_of(numbers.astype(np.float32)) for name, numbers in directions.items()}


@server_function
def path_trails(question: Any, films: Films = FILMS) -> dict[str, Any]:
    """Answer the page: where the digits of a film were at each frame, float32 (F, N, 2), as x_t and as x0_hat."""
    film = films.get(named_values(question, "run").get("run"))
    plane, _, _ = mnist_plane()
    kept = list(film.steps)  # more may come while this is made
    answer: dict[str, Any] = {"frames": len(kept) + 1, "n": film.settings.n}
    for name in ("x_t", "x0_hat"):
        pictures = [getattr(one.step, name) for one in kept] + [film.last()]
        where = np.stack([plane.project(picture.flatten(1).numpy()) for picture in pictures])
        answer[name] = base64_of(where.astype(np.float32))
    return answer
