"""The figures of an evaluation, in lines for people and as a table for the model card."""

from collections.abc import Iterator
from typing import Any

from ddpm_demo.core.samplers import SAMPLERS
from ddpm_demo.measuring.quality import CONFIDENCE

PER_DIGIT = 10  # timesteps of each test digit
TEST_DIGITS = 10_000  # of MNIST
# what people read: the name of a figure, which field it is, and how it is written
FIGURES = (
    ("Frechet distance", "frechet", ".2f"),
    ("precision", "precision", ".3f"),
    ("recall", "recall", ".3f"),
    (f"recognised (confidence >= {CONFIDENCE})", "recognised", ".3f"),
    ("total variation of classes", "total_variation", ".3f"),
    ("nearest training digit, median", "nearest_median", ".2f"),
    ("nearest training digit, smallest", "nearest_min", ".2f"),
    ("ink, mean of all pixels from 0 to 1", "ink", ".4f"),
)


def evaluation_lines(facts: dict[str, Any]) -> Iterator[str]:
    """Yield what people read of an evaluation, line by line."""
    held_out, drawn, real = (facts[name] for name in ("held_out", "generated", "real"))
    yield f"{facts['checkpoint']}, {facts['parameters']:,} parameters; {facts['device']}, {facts['dtype']}"
    yield ""
    yield f"held-out loss {held_out['loss']:.5f}: {test_digits(held_out['digits'])}, {PER_DIGIT} timesteps each"
    yield "by tenth of t " + " ".join("-" if tenth is None else f"{tenth:.3g}" for tenth in held_out["by_tenth"])
    yield ""
    yield f"{drawn['n']} digits, seed {facts['seed']}, {drawing_words(facts)}"
    yield f"{'':36} {'drawn':>9} {'real':>9}"
    if facts["as_asked"] is not None:
        yield f"{'read as the digit asked for':36} {facts['as_asked']:>9.3f}"
    for name, field, form in FIGURES:
        yield f"{name:36} {drawn[field]:>9{form}} {real[field]:>9{form}}"
    for name, figures in (("drawn", drawn), ("real", real)):
        yield f"{'classes 0 to 9, ' + name:36} " + " ".join(f"{count:>5}" for count in figures["classes"])
    for name, figures in (("drawn", drawn), ("real", real)):
        shares = ("    -" if share is None else f"{share:.3f}" for share in figures["ink_by_class"])
        yield f"{'ink of classes 0 to 9, ' + name:36} " + " ".join(shares)
    yield ""
    yield f"The judge gets {facts['classifier']['accuracy']:.2%} of MNIST's test digits right"
    yield "real: as many test digits as were drawn, a fixed random choice"


def evaluation_table(facts: dict[str, Any]) -> Iterator[str]:
    """Yield an evaluation as the lines of a Markdown table, for the model card."""
    held_out, drawn, real = (facts[name] for name in ("held_out", "generated", "real"))
    yield f"| {facts['checkpoint']}: {drawn['n']} digits, {drawing_words(facts)} | drawn | real |"
    yield "|---|---|---|"
    yield f"| held-out loss ({test_digits(held_out['digits'])}) | {held_out['loss']:.5f} | |"
    if facts["as_asked"] is not None:
        yield f"| read as the digit asked for | {facts['as_asked']:.3f} | |"
    for name, field, form in FIGURES:
        yield f"| {name} | {drawn[field]:{form}} | {real[field]:{form}} |"
    yield f"| classes 0 to 9 | {' '.join(map(str, drawn['classes']))} | {' '.join(map(str, real['classes']))} |"
    yield f"| test digits that the judge gets right | | {facts['classifier']['accuracy']:.2%} |"


def test_digits(count: int) -> str:
    """Return which of MNIST's test digits a held-out loss is measured on: its two halves are not alike."""
    return f"{count:,} test digits" if count >= TEST_DIGITS else f"the first {count:,} test digits"


def drawing_words(facts: dict[str, Any]) -> str:
    """Return how the digits were drawn in a few words: the sampler, its guide, and what was asked for."""
    words, asked = sampler_words(facts["sampler"], facts["guidance"]), facts["asked"]
    if not asked:
        return words
    which = "each digit in turn" if len(asked) > 1 else f"a {asked[0]['digit']}"
    return f"{words}, asked for {which} with weight {asked[0]['weight']:g}{interval_words(asked[0])}"


def sampler_words(sampler: dict[str, Any], guidance: dict[str, Any] | None) -> str:
    """Return a sampler's settings and its guide in a few words, only those that matter to its kind."""
    words = f"{sampler['kind']} {sampler['steps']} steps, clip {sampler['clip']}"
    for name in SAMPLERS[sampler["kind"]].settings:
        value = sampler[name]
        words += f", {name.replace('_', ' ')} {value if isinstance(value, str) else f'{value:g}'}"
    if guidance is None:
        return words
    return f"{words}, guided by {guidance['guide']} with weight {guidance['weight']:g}{interval_words(guidance)}"


def interval_words(held: dict[str, Any]) -> str:
    """Return at which timesteps guidance takes part, nothing if at all of them; older results have no interval."""
    first, last = held.get("first"), held.get("last", 0)
    return "" if (first, last) == (None, 0) else f" from t = {'T - 1' if first is None else first} to {last}"
