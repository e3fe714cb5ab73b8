"""A film as messages to the page: what the network makes, as it makes it."""

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.core.config import ALWAYS
from ddpm_demo.core.guidance import check_within
from ddpm_demo.core.sampling import Step, start_noise
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.films.film_job import ClassifierPull, FilmJob, FilmStep, frame_indices
from ddpm_demo.networks.loaded_networks import LoadedNetwork, steering_classifier
from ddpm_demo.ui.film.film_settings import FilmSettings, interval_of
from ddpm_demo.ui.film.films import Film, Films, film_bits, kept_steps, on_cpu
from ddpm_demo.ui.parts.bridge import base64_of
from ddpm_demo.ui.parts.frames import packed

MESSAGES_PER_SECOND = 25  # more than this would only queue up on the way to the page
EPS_REACH = 3.0  # the noise is shown from -3 to 3: 99.7 % of a Gaussian
PULL_REACH = 1.0  # what asking for a digit takes from the noise is smaller


class FilmMessages:
    """Writes a film down: its floats into `films`, and its frames into messages for the page.

    A frame is x_t, x0_hat and eps_hat of one step; of a long run at most `kept_steps` are sent, even in log-SNR, and
    the finished picture always. `run` names the film to the page.
    """

    def __init__(self, run: str, film: Film, films: Films) -> None:
        self.run, self.film, self._films = run, film, films
        n, config = film.settings.n, film.settings.config
        self._timesteps = film.schedule.timesteps(config.steps)
        self._shown = _shown(film.schedule, self._timesteps, n)
        self.bits = film_bits(n, len(self._shown))
        self._same = {
            "run": run,
            "seed": film.settings.seed,
            "n": n,
            "size": 28,
            "frames": len(self._shown) + 1,
            "reach": EPS_REACH,
        }
        self._first, self._sent, self._pending = 0, 0.0, list[FilmStep]()
        self.seconds = 0.0  # of computing

    def begin(self, x_T: Tensor) -> dict[str, Any]:
        """Return the first message: x_T alone, before the network has run."""
        return {
            **self._same,
            "bits": self.bits,
            "first": 0,
            "steps": [self._moment(self._timesteps[0], 0.0)],
            "x_t": packed([x_T], self.bits),
            "x0_hat": "",
            "eps_hat": "",
            "done": 0.0,
            **self._progress(0, None),
        }

    def take(self, film_step: FilmStep, left: float | None = None) -> list[dict[str, Any]]:
        """Write a step down; return what is to be sent now: nothing, a message, or at the end two.

        `left` is how many seconds it will take to the end; None is for a film that nobody else's turns hold up.
        """
        step = film_step.step
        self.seconds += film_step.seconds
        if step.index in self._shown:
            kept = on_cpu(film_step)
            if not self.film.forgotten:
                self._films.keep(self.run, kept)
            self._pending.append(kept)
        now = time.perf_counter()
        if step.s >= 0 and now - self._sent < 1 / MESSAGES_PER_SECOND:
            return []
        pending, self._pending, self._sent = self._pending, [], now
        message = {
            **self._same,
            "bits": self.bits,
            "first": self._first,
            "steps": [self._moment(kept.step.t, kept.step.std) for kept in pending],
            "x_t": packed([kept.step.x_t for kept in pending], self.bits),
            "x0_hat": packed([kept.step.x0_hat for kept in pending], self.bits),
            "eps_hat": packed([kept.step.eps_hat for kept in pending], self.bits, EPS_REACH),
            **self._pulls([kept.prediction.classifier_pull for kept in pending]),
            "done": (step.index + 1) / len(self._timesteps),
            **self._progress(step.index + 1, left),
        }
        self._first += len(pending)
        return [message] if step.s >= 0 else [message, self._end(step)]

    def _end(self, step: Step) -> dict[str, Any]:
        self.film.finished = finished = step.x_s.cpu()
        return {
            **self._same,
            "bits": 8,
            "first": self._first,
            "steps": [self._moment(-1, 0.0)],
            "x_t": packed([finished], 8),
            "x0_hat": packed([finished], 8),
            "eps_hat": packed([torch.zeros_like(finished)], 8, EPS_REACH),
            "done": 1.0,
            **self._progress(len(self._timesteps), None),
        }

    def _pulls(self, pulls: list[ClassifierPull | None]) -> dict[str, Any]:
        """Return what asking for a digit did at the steps that were asked: the pull as pictures, each digit's ten odds.

        `asked_at` are the places of these steps among those of the message.
        """
        some = [each for each in pulls if each is not None]
        if not some:
            return {}
        odds = torch.stack([each.probabilities.cpu() for each in some])  # (steps, N, 10)
        return {
            "asked_at": [k for k, each in enumerate(pulls) if each is not None],
            "pull": packed([each.pull for each in some], self.bits, PULL_REACH),
            "pull_reach": PULL_REACH,
            "odds": base64_of((odds * 255).round().to(torch.uint8).numpy()),
        }

    def _progress(self, made: int, left: float | None) -> dict[str, Any]:
        """Return how far the film is, in numbers: one message serves readers of any language."""
        steps = len(self._timesteps)
        if left is None:
            left = self.seconds / made * (steps - made) if made else 0.0
        return {"progress": {"made": made, "steps": steps, "seconds": self.seconds, "left": left}}

    def _moment(self, t: int, std: float) -> dict[str, float]:
        """Return the numbers beside a frame: its timestep, how much signal there is, and the step's noise."""
        return {"t": t, "alpha_bar": self.film.schedule.alpha_bar_at(t), "sigma": std}


def start_picture(schedule: Schedule, *, n: int, seed: int, steps: int) -> dict[str, Any]:
    """Return x_T as a message of its own, as the first frame of a film with these settings will show it."""
    timesteps = schedule.timesteps(steps)
    bits = film_bits(n, len(_shown(schedule, timesteps, n)))
    x_T = start_noise(n, 1, 28, torch.Generator().manual_seed(seed))
    begin = {"n": n, "seed": seed, "size": 28, "bits": bits, "t": timesteps[0], "x_t": packed([x_T], bits)}
    return {"begin": begin}


def _shown(schedule: Schedule, timesteps: Sequence[int], n: int) -> set[int]:
    return set(frame_indices(schedule, timesteps, kept_steps(n)))


def film_job(loaded: LoadedNetwork, settings: FilmSettings, guide: LoadedNetwork | None = None) -> FilmJob:
    """Return what decides the pixels of a film; raise ConfigError when the guide cannot guide this network."""
    guidance, digit = settings.guidance, settings.wish
    weight = guidance.weight if guidance else 1.0
    loaded.guided_by(guide, weight, guidance or ALWAYS)
    if digit:
        check_within(digit, loaded.schedule)
    helped = guidance is not None and guide is not None and weight != 1
    return FilmJob(
        loaded.digest,
        settings.config,
        settings.n,
        settings.seed,
        guide=guide.digest if guide and helped else "",
        weight=weight if helped else 1.0,
        channels=loaded.channels,
        digit=digit,
        classifier=steering_classifier()[1] if digit else "",
        interval=interval_of(guidance) if helped else ALWAYS,
    )


def new_film(loaded: LoadedNetwork, settings: FilmSettings, guide: LoadedNetwork | None = None) -> Film:
    """Return a film that has not begun."""
    film = Film(settings, loaded.schedule, loaded.known_as or settings.checkpoint)
    if settings.guidance and guide:
        film.guide = guide.known_as or settings.guidance.guide
    return film
