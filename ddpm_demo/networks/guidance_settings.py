"""Settings of guidance that name a network: the guide's checkpoint, or the digit that the classifier asks for."""

from dataclasses import dataclass

from ddpm_demo.core.config import ConfigError, Interval, check_number, check_whole


@dataclass(frozen=True)
class GuidanceConfig(Interval):
    """A weaker network that guides a better one by its faults (Karras et al. 2024; `guidance.Autoguidance`), and when.

    `guide` is the name or path of its checkpoint; `weight` how far the answer goes from the guide's to the network's
    own: 0 is the guide alone, 1 the network alone, more goes past it. Raises ConfigError on anything else.
    """

    guide: str
    weight: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a guide without a name, and a weight that would only make noise."""
        super().__post_init__()
        if not isinstance(self.guide, str) or not self.guide:
            raise ConfigError(f"the guide must be the name or path of a checkpoint, got {self.guide!r}")
        check_number("the guidance weight", self.weight, low=0.0, high=10.0)


@dataclass(frozen=True)
class DigitConfig(Interval):
    """A digit that the network is asked for (`guidance.ClassifierGuidance`): which, how strongly, and when.

    Raises ConfigError on anything else.
    """

    digit: int
    weight: float = 16.0  # recognised as asked in 97 of 100; less leaves more variety (assets/classifiers/README.md)

    def __post_init__(self) -> None:
        """Refuse anything but a digit from 0 to 9, and a weight out of range."""
        super().__post_init__()
        check_whole("the digit asked for", self.digit, low=0, high=9)
        check_number("the digit weight", self.weight, low=0.0, high=20.0)
