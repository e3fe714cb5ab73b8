"""Finish my drawing: what is known stays as it was given, what is seen on the way, and what is refused."""

import base64
import itertools
import zlib
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import torch

from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.machine.scheduler import NETWORK, Kind
from ddpm_demo.measuring import classifier
from ddpm_demo.measuring.classifier import Classifier
from ddpm_demo.measuring.completion import MASKS, known_mask
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.ui.film import completion
from ddpm_demo.ui.film.completion import COMPLETION_STEPS, COMPLETIONS, messages_of, read_completion, read_known
from ddpm_demo.ui.parts.shared_runs import RUNS

DIGIT = 0  # of the test set: a seven


def completion_messages(checkpoints, name, question):
    return messages_of(read_completion(checkpoints, name, question))


@pytest.fixture
def checkpoints(tiny, tmp_path):
    path = tmp_path / "own.safetensors"
    checkpoint.save(path, checkpoint.Checkpoint(tiny, ScheduleConfig(), Provenance()))
    return {"own": path}


@pytest.fixture(autouse=True)
def judge(monkeypatch):
    """A classifier that reads the brightness, so that anybody can check its answers."""

    class Bright(Classifier):
        def classes(self, x0):
            return ((x0.mean(dim=(1, 2, 3)).clamp(-1, 1) + 1) * 4.999).long().cpu()

    known = SimpleNamespace(model=Bright(), accuracy=0.5)
    monkeypatch.setattr(classifier, "load_judge", lambda: known)
    return known


def text_of(array, kind):
    return base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode()


def question_of(mask="lower half", **changes):
    digits, _ = load_mnist(train=False)
    given = {
        "x0": text_of(to_x0(digits[DIGIT]).numpy(), "<f4"),
        "known": text_of(known_mask(mask).numpy(), "u1"),
        "jumps": 0,
        "seed": 3,
    }
    return {**given, **changes}


def pictures_of(message):
    levels = np.frombuffer(zlib.decompress(base64.b64decode(message["x_t"])), np.uint8)
    return levels.reshape(message["n"], 28, 28)


def walk_of(messages):
    return [message for message in messages if "x_t" in message]


@pytest.mark.parametrize("mask", MASKS)
def test_the_known_part_of_the_last_message_is_what_was_given(checkpoints, mask):
    digits, _ = load_mnist(train=False)
    *_, last = walk_of(completion_messages(checkpoints, "own", question_of(mask)))
    known, finished = known_mask(mask)[0, 0].numpy(), pictures_of(last)
    assert (last["t"], last["done"], last["difference"], len(finished)) == (-1, 1, 0, COMPLETIONS)
    for picture in finished:
        np.testing.assert_array_equal(picture[known], digits[DIGIT].numpy()[known])
    assert len({picture[~known].tobytes() for picture in finished}) == COMPLETIONS  # four ways


@pytest.mark.parametrize("jumps", [0, 2])
def test_every_step_is_seen_with_the_known_part_at_its_own_noise(checkpoints, linear, jumps):
    messages = list(completion_messages(checkpoints, "own", question_of(jumps=jumps)))
    walk, reading = walk_of(messages), messages[-1]
    assert [message["first"] for message in walk] == list(range(COMPLETION_STEPS))
    assert [message["t"] for message in walk] == [*linear.timesteps(COMPLETION_STEPS)[1:], -1]
    assert walk[-1]["calls"] == COMPLETION_STEPS * (jumps + 1) - jumps
    assert all(before["done"] < after["done"] for before, after in itertools.pairwise(walk))
    # where the paper is, x_t = -sqrt(alpha_bar) + sqrt(1 - alpha_bar) eps: its mean over the known paper says alpha_bar
    paper = np.zeros((28, 28), bool)
    paper[:4] = True
    for message in walk[COMPLETION_STEPS // 2 :]:
        alpha_bar = linear.alpha_bar_at(message["t"])
        sent = pictures_of(message)[:, paper] / 127.5 - 1
        noise = np.random.default_rng(0).normal(size=100_000)
        expected = (-np.sqrt(alpha_bar) + np.sqrt(1 - alpha_bar) * noise).clip(-1, 1)
        assert sent.mean() == pytest.approx(expected.mean(), abs=5 * expected.std() / np.sqrt(sent.size) + 0.005)
    finished = torch.from_numpy(pictures_of(walk[-1]).astype("f4") / 127.5 - 1)[:, None]
    assert reading["classes"] == classifier.load_judge().model.classes(finished).tolist()


def test_the_same_seed_is_the_same_film_and_another_is_another(checkpoints):
    def film(**changes):
        return [message["x_t"] for message in walk_of(completion_messages(checkpoints, "own", question_of(**changes)))]

    assert film(jumps=1) == film(jumps=1)
    assert film(jumps=1)[-1] != film(jumps=1, seed=4)[-1]
    assert film(jumps=1)[-1] != film(jumps=2)[-1]


def test_a_stop_ends_the_work_at_that_step(checkpoints):
    before = NETWORK.turns[Kind.FILM]
    messages = completion_messages(checkpoints, "own", question_of(jumps=2))
    for _ in range(2):
        next(messages)
    messages.close()
    assert NETWORK.turns[Kind.FILM] - before == 2 * 3  # every call was a turn; none comes after the stop


@pytest.mark.parametrize(("known", "why"), [(0, "no part of the picture is known"), (1, "nothing to complete")])
def test_a_part_that_is_nothing_or_everything_gets_a_sentence(checkpoints, known, why):
    with pytest.raises(ConfigError, match=why):
        next(completion_messages(checkpoints, "own", question_of(known=text_of(np.full(784, known), "u1"))))


def test_a_few_timesteps_are_enough(tiny, tmp_path):
    short = ScheduleConfig(timesteps=10)
    checkpoint.save(tmp_path / "short.safetensors", checkpoint.Checkpoint(tiny, short, Provenance()))
    walk = walk_of(completion_messages({"short": tmp_path / "short.safetensors"}, "short", question_of()))
    assert len(walk) == 10


BAD = [
    *(None, "x", [], {}),
    *({"x0": bad} for bad in (None, "no base64!", text_of(np.zeros(783), "<f4"), text_of(np.full(784, 7), "<f4"))),
    {"x0": text_of(np.full(784, np.nan), "<f4")},
    *({"known": bad} for bad in (None, 3, "é", [1] * 784, text_of(np.ones(783), "u1"), text_of(np.full(784, 2), "u1"))),
    *({"jumps": bad} for bad in (-1, 11, None, "5", float("nan"), 2.5, True, 10**400)),
    *({"seed": bad} for bad in (-1, 2**31, None, "5")),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad)[:30])
def test_questions_past_the_interface_are_refused(checkpoints, bad):
    question = question_of(**bad) if isinstance(bad, dict) and bad else bad
    with pytest.raises(ConfigError):
        next(completion_messages(checkpoints, "own", question))


@pytest.mark.parametrize("name", [None, "", "full", "assets/checkpoints/lite.safetensors", ["own"], {}, 0])
def test_only_a_listed_checkpoint_completes(checkpoints, name):
    with pytest.raises(ConfigError, match="listed checkpoints"):
        next(completion_messages(checkpoints, name, question_of()))


def test_what_is_known_is_read_as_it_was_sent():
    sent = np.arange(784) % 3 == 0
    np.testing.assert_array_equal(read_known(text_of(sent, "u1")).flatten().numpy(), sent)


def test_the_page_is_told_in_a_sentence_what_went_wrong(checkpoints, monkeypatch):
    with gr.Blocks() as demo:
        completion.build_completion(checkpoints, gr.Dropdown(["own"], value="own"))
    (complete_digit,) = [
        function
        for block in demo.blocks.values()
        for function in getattr(block, "server_fns", [])
        if function.__name__ == "complete_digit"
    ]
    refused = complete_digit(question_of(checkpoint="own", jumps=11))
    assert refused == {"error": "the number of jumps must be a whole number from 0 to 10"}
    assert "listed checkpoints" in complete_digit(question_of())["error"]

    monkeypatch.setattr(classifier, "load_judge", lambda: (_ for _ in ()).throw(DemoError("the judge is gone")))
    walk = RUNS.get(complete_digit(question_of(checkpoint="own"))["run"]).read()
    assert len(list(itertools.islice(walk, COMPLETION_STEPS))) == COMPLETION_STEPS  # the pictures come
    with pytest.raises(DemoError, match="the judge is gone"):
        next(walk)
