"""The pixel inspector: how every pixel of x_s was made, in the floats that the network and the sampler used."""

from typing import Any

from torch import Tensor

from ddpm_demo.core.config import Interval
from ddpm_demo.explaining.written_step import write_out
from ddpm_demo.ui.film.films import FILMS, Films
from ddpm_demo.ui.parts.bridge import base64_of, server_function
from ddpm_demo.ui.parts.readers import named_values, whole
from ddpm_demo.words.sentence import say


@server_function
def inspect_step(question: Any, films: Films = FILMS) -> dict[str, Any]:
    """Answer the page: one step of one digit of a film, as terms to add up, or `error` says why not."""
    fields = named_values(question, "run, frame and digit")
    film = films.get(fields.get("run"))
    kept = film.frame(fields.get("frame"))
    k = whole(say("the digit"), fields.get("digit"), 0, film.settings.n - 1)
    step, prediction = kept.step, kept.prediction
    written = write_out(film.schedule, film.settings.config, step)

    def floats(pictures: Tensor) -> str:
        return base64_of(pictures[k, 0].numpy())  # float32 (28, 28)

    guidance, answers = film.settings.guidance, dict[str, Any]()
    if guidance and guidance.weight != 1 and not guidance.holds_at(step.t):
        answers = {"guide": None, **_held(guidance)}
    elif prediction.guidance_pair and guidance:
        eps_model, eps_guide = prediction.guidance_pair
        answers = {"weight": guidance.weight, "model": floats(eps_model), "guide": floats(eps_guide)}
    wish, asking = film.settings.wish, dict[str, Any]()
    if wish and not wish.holds_at(step.t):
        asking = {"digit": wish.digit, "pull": None, **_held(wish)}
    elif prediction.classifier_pull and wish:
        asking = {"digit": wish.digit, "weight": wish.weight, "pull": floats(prediction.classifier_pull.pull)}
        asking["odds"] = prediction.classifier_pull.probabilities[k].tolist()
    return {
        "t": step.t,
        "s": step.s,
        "alpha_bar_t": film.schedule.alpha_bar_at(step.t),
        "alpha_bar_s": film.schedule.alpha_bar_at(step.s),
        "sigma": step.std,
        "rule": written.rule,
        "clean": written.clean,
        "clamped": written.clamped,
        "guidance": answers or None,
        "asked": asking or None,
        "terms": [
            {"name": term.name, "coefficient": term.coefficient, "values": floats(term.values)}
            for term in written.terms
        ],
        "x_t": floats(step.x_t),
        "eps_hat": floats(step.eps_hat),
        "x0_hat": floats(step.x0_hat),
        "z": floats(step.z),
        "x_s": floats(step.x_s),
    }


def _held(interval: Interval) -> dict[str, int | None]:
    """Return where guidance takes part, for a step outside."""
    return {"first": interval.first, "last": interval.last}
