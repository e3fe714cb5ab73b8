"""A film in flow matching's clothes: its clock, how its path bends, and whether its steps are Euler's."""

from itertools import pairwise
from typing import Any

from ddpm_demo.explaining.flow import film_flow
from ddpm_demo.ui.film.films import FILMS, Films
from ddpm_demo.ui.parts.bridge import server_function
from ddpm_demo.ui.parts.readers import named_values


@server_function
def flow_of_film(question: Any, films: Films = FILMS) -> dict[str, Any]:
    """Answer the page: `explaining.flow.film_flow` of the film of this `run`, as far as it got.

    `whole` says that every step of it is known: of a long film only some frames are kept.
    """
    film = films.get(named_values(question, "run").get("run"))
    steps = [kept.step for kept in list(film.steps)]  # more may come while this is made
    flow = film_flow(film.schedule, steps)
    return {
        "times": flow.times.tolist(),
        "turn": flow.turn.tolist(),
        "detour": flow.detour.tolist(),
        "flow_detour": flow.flow_detour.tolist(),
        "off_euler": flow.off_euler,
        "whole": all(one.s == other.t for one, other in pairwise(steps)) and steps[-1].s == -1,
    }
