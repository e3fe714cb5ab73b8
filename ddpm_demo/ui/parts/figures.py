"""Figures as people read them: a share in per cent, never an exponent; `static/figures.js` writes them alike."""

LEAST_PER_CENT = 0.001  # per cent that are written; whatever is less is said to be less
NEARLY_ALL = 99.95


def per_cent(share: float) -> str:
    """Return a share from 0 to 1 in per cent: one decimal, below 1 % more of them, "less than 0.001 %" for a trace."""
    percent = 100 * share
    if percent == 0:
        return "0 %"
    if percent < LEAST_PER_CENT:
        return f"less than {LEAST_PER_CENT} %"
    if NEARLY_ALL <= percent < 100:
        return "more than 99.9 %"
    decimals = 0 if percent >= 100 else 1 if percent >= 1 else 2 if percent >= 0.1 else 3
    return f"{percent:.{decimals}f} %"


class Figure(float):
    """A number of a lesson's sentence, which may be written {like:share}: in per cent, as `per_cent` has it."""

    def __format__(self, spec: str) -> str:
        """Write the number by a format of Python's, or as a share."""
        return per_cent(self) if spec == "share" else super().__format__(spec)
