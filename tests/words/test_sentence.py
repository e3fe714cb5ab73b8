import copy
import math
import pickle

import pytest

from ddpm_demo.core.config import ConfigError
from ddpm_demo.words.sentence import Sentence, say, sentence_in


def test_a_sentence_is_english_text_that_knows_how_it_was_made():
    sentence = say(
        "{count} digit|{count} digits, {share:.1f} % of {names}", count=3, share=12.345, names=["a", "b", "c"]
    )
    assert sentence == "3 digits, 12.3 % of a, b and c"
    assert say("{count} digit|{count} digits", count=1) == "1 digit"
    for same in (str(sentence), copy.deepcopy(sentence), pickle.loads(pickle.dumps(sentence))):
        assert isinstance(same, Sentence)
        assert (same, same.template, same.values) == (sentence, sentence.template, sentence.values)


def test_braces_mean_nothing_in_a_sentence_without_values():
    assert say("fill in {value}") == "fill in {value}"
    with pytest.raises(KeyError):
        say("fill in {value}", other=1)


def test_an_error_keeps_its_sentence_on_its_way():
    error = pickle.loads(pickle.dumps(ConfigError("{name} is too large", name="T")))
    assert str(error) == "T is too large"
    assert isinstance(error, ConfigError)
    assert isinstance(sentence_in(error), Sentence)
    assert sentence_in(error).template == "{name} is too large"
    assert str(ConfigError("got '{1: 2}'")) == "got '{1: 2}'"


@pytest.mark.parametrize(
    ("value", "how", "text"),
    [
        (4.04e-05, ".3g", "4.04 × 10⁻⁵"),
        (1e-05, "", "1 × 10⁻⁵"),
        (1e20, "g", "1 × 10²⁰"),
        (0.0001, "", "0.0001"),
        (math.inf, "", "inf"),
        ("1e-05", "", "1e-05"),  # what somebody typed stays as it is
    ],
)
def test_a_number_is_written_as_one_reads_it(value, how, text):
    assert say("{value:" + how + "}", value=value) == text
