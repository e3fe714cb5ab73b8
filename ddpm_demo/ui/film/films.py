"""What the server remembers of a film that was sent: its floats, for the pixel inspector and for downloads."""

import dataclasses
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.sampling import to_uint8
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.films.film_job import FilmStep
from ddpm_demo.ui.film.film_settings import FilmSettings
from ddpm_demo.ui.parts.readers import whole
from ddpm_demo.words.sentence import say

KEPT_STEPS = 200  # at most, of a film, besides the finished picture
KEPT_PICTURES = 3200  # digits times steps, so 50 steps of 64 digits: more would pass 4 MB on the way to the page
FINE_PICTURES = 800  # digits times steps that are sent in 256 grey levels; more in 16, for the same reason
FINE_DIGITS = 16  # up to so many digits are drawn at twice their size in a GIF
FILM_MEMORY = 512 * 2**20  # bytes of floats and messages, over all films; the least recently used film goes first


@dataclass
class Film:
    """A film as far as it got; `steps` in the order of its frames.

    `network` and `guide`, empty for none, are called as `checkpoint.find` wants them.
    """

    settings: FilmSettings
    schedule: Schedule
    network: str
    guide: str = ""
    steps: list[FilmStep] = field(default_factory=list)
    finished: Tensor | None = None
    messages: int = 0  # bytes of what was sent of it and can be sent again
    forgotten: bool = False
    _floats: int = 0

    @property
    def bytes(self) -> int:
        """How much memory its pictures and messages take."""
        return self._floats + self.messages

    def keep(self, kept: FilmStep) -> None:
        """Add a step. Two that follow one another share pictures: what one ends with, the other begins with."""
        self._floats += sum(picture.numel() * picture.element_size() for picture in _new_pictures(kept, self.steps))
        self.steps.append(kept)

    def forget(self) -> None:
        """Give the memory back; nothing more is added by whoever still makes it."""
        self.forgotten = True
        self.steps, self._floats, self.messages = [], 0, 0

    def last(self) -> Tensor:
        """Return the newest picture (N, C, H, W): the digits, or what they had come to when the film was stopped."""
        return self.finished if self.finished is not None else self.steps[-1].step.x_s

    def frames(self) -> list[np.ndarray]:
        """Return every frame as grey bytes (N, 28, 28), the newest picture last."""
        pictures = [kept.step.x_t for kept in self.steps] + [self.last()]
        return [to_uint8(picture[:, 0]).numpy() for picture in pictures]

    def frame(self, index: object) -> FilmStep:
        """Return the step behind a frame; raise ConfigError if it has none."""
        return self.steps[whole(say("the frame"), index, 0, len(self.steps) - 1)]


def _new_pictures(kept: FilmStep, before: list[FilmStep]) -> list[Tensor]:
    """Return the pictures of a step that the one before it does not hold already."""
    known = {id(picture) for picture in _pictures(before[-1])} if before else set()
    return [picture for picture in _pictures(kept) if id(picture) not in known]


def _pictures(kept: FilmStep) -> list[Tensor]:
    step, prediction = kept.step, kept.prediction
    every = [step.x_t, step.eps_hat, step.x0_hat, step.z, step.x_s, *(prediction.guidance_pair or ())]
    every += [picture for guess in step.later for picture in (guess.x, guess.eps_hat, guess.x0_hat)]
    every += [step.x0_before] if step.x0_before is not None else []
    every += [prediction.classifier_pull.pull] if prediction.classifier_pull else []
    return list({id(picture): picture for picture in every}.values())


def on_cpu(film_step: FilmStep) -> FilmStep:
    """Return the step with its pictures where they are read from: a GPU's memory is for the network."""
    if film_step.step.x_t.device.type == "cpu":
        return film_step

    def cpu(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.cpu()
        if isinstance(value, tuple):
            return tuple(map(cpu, value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.replace(
                value, **{f.name: cpu(getattr(value, f.name)) for f in dataclasses.fields(value)}
            )
        return value

    moved: FilmStep = cpu(film_step)
    return moved


def kept_steps(n: int) -> int:
    """Return how many steps of a film of `n` digits are kept and sent."""
    return min(KEPT_STEPS, KEPT_PICTURES // n)


def film_bits(n: int, steps: int) -> int:
    """Return in how many bits a grey level of a film is sent: 8, or 4 where 8 would be too much."""
    return 8 if n * steps <= FINE_PICTURES else 4


class Films:
    """The films of all visitors, by the name of their run, in bounded memory: the least recently used goes first."""

    def __init__(self, memory: int = FILM_MEMORY) -> None:
        self.memory = memory
        self._films: OrderedDict[str, Film] = OrderedDict()
        self._bytes = 0
        self._guard = threading.Lock()

    def add(self, run: str, film: Film) -> None:
        """Remember a film that begins; any other of the same name is forgotten."""
        with self._guard:
            before = self._films.pop(run, None)
            if before is not None:
                self._forget(before)
            self._films[run] = film
            self._bytes += film.bytes

    def keep(self, run: str, kept: FilmStep) -> None:
        """Add a step to a film, forgetting other films while there is too much of them all."""
        with self._guard:
            film = self._films.get(run)
            if film is None:  # so much happened since that it was forgotten while it was made
                return
            before = film.bytes
            film.keep(kept)
            self._bytes += film.bytes - before
            self._make_room()

    def note_message(self, run: str, size: int) -> None:
        """Count the bytes of a message that is kept for a film."""
        with self._guard:
            film = self._films.get(run)
            if film is not None:
                film.messages += size
                self._bytes += size
                self._make_room()

    def forget_all(self) -> None:
        """Forget every film: whoever asks for one gets it made anew."""
        with self._guard:
            for film in self._films.values():
                self._forget(film)
            self._films.clear()

    def touch(self, run: str) -> None:
        """Note that somebody looks at a film."""
        with self._guard:
            if run in self._films:
                self._films.move_to_end(run)

    def _make_room(self) -> None:
        while len(self._films) > 1 and self._bytes > self.memory:
            _, oldest = self._films.popitem(last=False)
            self._forget(oldest)

    def _forget(self, film: Film) -> None:
        self._bytes -= film.bytes
        film.forget()

    @property
    def bytes(self) -> int:
        """How much memory all of them take; kept as they grow, since with many films counting them would take time."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._films)

    def get(self, run: object) -> Film:
        """Return a film; raise ConfigError if it is unknown or forgotten."""
        with self._guard:
            film = self._films.get(run) if isinstance(run, str) else None
            if film is not None and film.steps:
                self._films.move_to_end(str(run))
                return film
        raise ConfigError("the server no longer has this film; press Generate again: the seed brings it back")


FILMS = Films()
