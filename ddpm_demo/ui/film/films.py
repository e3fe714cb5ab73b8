"""What the server remembers of a film that was sent: its floats, for the pixel inspector and for taking home."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ddpm_demo.core.config import ALWAYS, ConfigError, DigitConfig, GuidanceConfig, Interval, SamplerConfig
from ddpm_demo.core.sampling import Step, to_uint8
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.film_job import Asked
from ddpm_demo.ui.readers import MAX_SEED, flag, number, one_of, whole

SAMPLERS = {
    "DDPM, the spec's rule (σ² = β)": {"kind": "ddpm", "variance": "beta"},
    "DDPM, posterior variance": {"kind": "ddpm", "variance": "posterior"},
    "DDIM": {"kind": "ddim"},
    "DPM-Solver++(2M)": {"kind": "dpmpp"},
}
CLIPS = {"none": "none", "clip x̂₀ to [−1, 1]": "x0", "clamp x_t to [−1, 1]": "x_t"}
ANY_DIGIT = "any digit"
WISHES = (ANY_DIGIT, *(str(digit) for digit in range(10)))
MAX_ASKING = 20  # the weight of a wish
NO_GUIDE = "— none —"  # among the names of checkpoints; no run of the shelf can be called so
MAX_WEIGHT = 5
MAX_IMAGES = 64
MIN_STEPS = 5
MAX_STEPS = 1000
KEPT_STEPS = 200  # at most, of a film, besides the finished picture
KEPT_PICTURES = 3200  # digits times steps, so 50 steps of 64 digits: more would pass 4 MB on the way to the page
FINE_PICTURES = 800  # digits times steps that are sent in 256 grey levels; more in 16, for the same reason
FINE_DIGITS = 16  # up to so many digits are drawn at twice their size in a GIF
FILM_MEMORY = 512 * 2**20  # bytes of floats and messages, over all films; the least recently used film goes first


@dataclass(frozen=True)
class FilmSettings:
    """What a visitor asked for, checked; `sampler` and `clip` are the page's words."""

    checkpoint: str
    sampler: str
    clip: str
    config: SamplerConfig
    n: int
    seed: int
    guidance: GuidanceConfig | None = None
    asked: DigitConfig | None = None


def read_film_settings(
    checkpoint: str,
    sampler: object,
    clip: object,
    steps: object,
    eta: object,
    count: object,
    seed: object,
    guide: object = NO_GUIDE,
    weight: object = 1,
    digit: object = ANY_DIGIT,
    asking: object = DigitConfig.weight,
    first: object = None,
    last: object = 0,
    guide_too: object = False,
) -> FilmSettings:
    """Check what came from the page; raise ConfigError on settings that make no sense.

    A digit is asked for at timesteps from `first` (None: the very beginning) down to `last`; `guide_too` limits the
    guide to the same.
    """
    refusal = "choose one of the listed samplers and ways of clipping"
    sampler, clip = one_of(sampler, SAMPLERS, refusal), one_of(clip, CLIPS, refusal)
    config = SamplerConfig(
        **SAMPLERS[sampler],  # type: ignore[arg-type]
        clip=CLIPS[clip],  # type: ignore[arg-type]
        steps=whole("steps", steps, MIN_STEPS, MAX_STEPS),
        eta=number("η", eta, 0, 1),
    )
    n = whole("the number of digits", count, 1, MAX_IMAGES)
    interval = read_interval(first, last)
    asked = read_wish(digit, asking, interval)
    limited = flag("whether the guide keeps to the interval", guide_too)
    guidance = read_guidance(checkpoint, guide, weight, interval if limited else ALWAYS)
    return FilmSettings(checkpoint, sampler, clip, config, n, whole("the seed", seed, 0, MAX_SEED), guidance, asked)


def read_interval(first: object, last: object) -> Interval:
    """Check the timesteps between which guidance is to hold; a `first` of None, or of the last t there is, is T - 1."""
    low = whole("the last timestep of the guidance", last, 0, MAX_STEPS - 1)
    if first in (None, MAX_STEPS - 1):
        return Interval(last=low)
    return Interval(first=whole("the first timestep of the guidance", first, low, MAX_STEPS - 1), last=low)


def interval_of(guidance: Interval | None) -> Interval:
    """Return when a guide, or the asking for a digit, has a part, and nothing else of it; `ALWAYS` without one."""
    return ALWAYS if guidance is None else Interval(first=guidance.first, last=guidance.last)


def read_wish(digit: object, weight: object, interval: Interval = ALWAYS) -> DigitConfig | None:
    """Check the page's words for a digit to ask for, `ANY_DIGIT` for none."""
    wanted = one_of(digit, WISHES, "choose any digit, or one from 0 to 9")
    if wanted == ANY_DIGIT:
        return None
    strength = number("the weight of the asking", weight, 0, MAX_ASKING)
    return DigitConfig(int(wanted), strength, first=interval.first, last=interval.last)


def read_guidance(checkpoint: str, guide: object, weight: object, interval: Interval = ALWAYS) -> GuidanceConfig | None:
    """Check the page's words for a guide, of which `NO_GUIDE` is one; raise ConfigError if they make no sense."""
    if guide == NO_GUIDE:
        return None
    if not isinstance(guide, str):
        raise ConfigError("choose one of the listed guides, or none")
    strength = number("the guidance weight", weight, 0, MAX_WEIGHT)
    guidance = GuidanceConfig(guide, strength, first=interval.first, last=interval.last)
    if guidance.guide == checkpoint:
        raise ConfigError("a network cannot guide itself: choose another guide, or none")
    return guidance


def words_of(config: SamplerConfig) -> tuple[str, str]:
    """Return a sampler and its way of clipping in the page's words."""
    rules = (name for name, rule in SAMPLERS.items() if all(getattr(config, key) == rule[key] for key in rule))
    return next(rules), next(name for name, clip in CLIPS.items() if clip == config.clip)


@dataclass(frozen=True)
class Kept:
    """A step that the film shows; what network and guide said; what DPM-Solver++ needs; what asking for a digit did.

    `answers` and `asked` are None where guide or asking have no part, be it at this timestep only.
    """

    step: Step
    answers: tuple[Tensor, Tensor] | None
    x0_before: Tensor | None
    t_before: int | None
    asked: Asked | None = None


@dataclass
class Film:
    """A film as far as it got; `kept` in the order of its frames.

    `network` and `guide`, empty for none, are called as `checkpoint.find` wants them.
    """

    settings: FilmSettings
    schedule: Schedule
    network: str
    guide: str = ""
    kept: list[Kept] = field(default_factory=list)
    finished: Tensor | None = None
    messages: int = 0  # bytes of what was sent of it and can be sent again
    forgotten: bool = False
    _floats: int = 0

    @property
    def bytes(self) -> int:
        """How much memory its pictures and messages take."""
        return self._floats + self.messages

    def keep(self, kept: Kept) -> None:
        """Add a step. Two that follow one another share pictures: what one ends with, the other begins with."""
        self._floats += sum(picture.numel() * picture.element_size() for picture in _new_pictures(kept, self.kept))
        self.kept.append(kept)

    def forget(self) -> None:
        """Give the memory back; whoever still makes it adds nothing more."""
        self.forgotten = True
        self.kept, self._floats, self.messages = [], 0, 0

    def last(self) -> Tensor:
        """Return the newest picture (N, C, H, W): the digits, or what they had come to when the film was stopped."""
        return self.finished if self.finished is not None else self.kept[-1].step.x_s

    def frames(self) -> list[np.ndarray]:
        """Return every frame as grey bytes (N, 28, 28), the newest picture last."""
        pictures = [kept.step.x_t for kept in self.kept] + [self.last()]
        return [to_uint8(picture[:, 0]).numpy() for picture in pictures]

    def frame(self, index: object) -> Kept:
        """Return the step behind a frame; raise ConfigError if it has none."""
        return self.kept[whole("the frame", index, 0, len(self.kept) - 1)]


def _new_pictures(kept: Kept, before: list[Kept]) -> list[Tensor]:
    """Return the pictures of a step that the one before it does not hold already."""
    known = {id(picture) for picture in _pictures(before[-1])} if before else set()
    return [picture for picture in _pictures(kept) if id(picture) not in known]


def _pictures(kept: Kept) -> list[Tensor]:
    step = kept.step
    pictures = {id(p): p for p in (step.x_t, step.eps_hat, step.x0_hat, step.z, step.x_s, *(kept.answers or ()))}
    for picture in (kept.x0_before, kept.asked and kept.asked.pull):
        if picture is not None:
            pictures[id(picture)] = picture
    return list(pictures.values())


def on_cpu(step: Step) -> Step:
    """Return the step with its pictures where they are read from: a GPU's memory is for the network."""
    if step.x_t.device.type == "cpu":
        return step
    pictures = {name: getattr(step, name).cpu() for name in ("x_t", "eps_hat", "x0_hat", "z", "x_s")}
    return Step(index=step.index, t=step.t, s=step.s, std=step.std, **pictures)


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
        self._guard = threading.Lock()

    def add(self, run: str, film: Film) -> None:
        """Remember a film that begins; one of the same name, if there is any, is forgotten."""
        with self._guard:
            before = self._films.pop(run, None)
            if before is not None:
                before.forget()
            self._films[run] = film

    def keep(self, run: str, kept: Kept) -> None:
        """Add a step to a film, forgetting other films while there is too much of them all."""
        with self._guard:
            film = self._films.get(run)
            if film is None:  # so much happened since that it was forgotten while it was made
                return
            film.keep(kept)
            self._make_room()

    def note_message(self, run: str, size: int) -> None:
        """Count the bytes of a message that is kept for a film."""
        with self._guard:
            film = self._films.get(run)
            if film is not None:
                film.messages += size
                self._make_room()

    def forget_all(self) -> None:
        """Forget every film: whoever asks for one gets it made anew."""
        with self._guard:
            for film in self._films.values():
                film.forget()
            self._films.clear()

    def touch(self, run: str) -> None:
        """Take notice that somebody looks at a film."""
        with self._guard:
            if run in self._films:
                self._films.move_to_end(run)

    def _make_room(self) -> None:
        while len(self._films) > 1 and self.bytes > self.memory:
            _, oldest = self._films.popitem(last=False)
            oldest.forget()

    @property
    def bytes(self) -> int:
        """How much memory all of them take."""
        return sum(film.bytes for film in self._films.values())

    def __len__(self) -> int:
        return len(self._films)

    def get(self, run: object) -> Film:
        """Return a film; raise ConfigError if it is unknown or forgotten."""
        with self._guard:
            film = self._films.get(run) if isinstance(run, str) else None
            if film is not None and film.kept:
                self._films.move_to_end(str(run))
                return film
        raise ConfigError("the server no longer has this film; press Generate again: the seed brings it back")


FILMS = Films()


def grey_levels(pictures: Tensor, *, reach: float, bits: int) -> bytes:
    """Return pictures as grey levels of 8 bits, or of 4, two a byte, -`reach` black and `reach` white."""
    top = 2**bits - 1
    scaled = (pictures.float().clamp(-reach, reach) / reach + 1) * (top / 2)
    levels: np.ndarray = scaled.round().to(torch.uint8).flatten().numpy()
    if bits == 4:
        levels = levels[0::2] * 16 + levels[1::2]
    return levels.tobytes()
