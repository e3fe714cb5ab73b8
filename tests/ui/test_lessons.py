"""Lessons without a browser: the reader and its sentences, truths against other ways to compute them, their keys."""

import re
import time
from dataclasses import replace
from itertools import combinations, pairwise
from operator import eq
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ddpm_demo.core.config import ConfigError, ModelConfig
from ddpm_demo.core.model import Denoiser, seeded_denoiser
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import Walk, start_noise
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.explaining.how_far import look_at
from ddpm_demo.films.film_job import FilmJob, FilmWalk, film_alone
from ddpm_demo.machine.device import best_placement
from ddpm_demo.measuring.classifier import load_judge
from ddpm_demo.measuring.completion import measure_completion
from ddpm_demo.networks.drawing_digits import draw_digits
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.ideal import IdealDenoiser
from ddpm_demo.networks.loaded_networks import classifier_at, load_placed
from ddpm_demo.networks.recommended import RECOMMENDED_SAMPLER
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.shipped import find_checkpoint, shipped_checkpoints
from ddpm_demo.training.recipes import train_config
from ddpm_demo.training.run import Run
from ddpm_demo.training.training_set import variations
from ddpm_demo.ui.film.experiments import GENTLE
from ddpm_demo.ui.lessons import entry, truths_of_diffusion, truths_of_wishes
from ddpm_demo.ui.lessons.classroom import DONT_KNOW, Classroom
from ddpm_demo.ui.lessons.entry import FILES, read_lessons, shipped_lessons
from ddpm_demo.ui.lessons.judging import (
    grade,
    idea_behind_answer,
    idea_behind_prediction,
    rank_correlation,
    verdict,
    words_of_reveal,
)
from ddpm_demo.ui.lessons.lesson import WHEN, questions_of_test
from ddpm_demo.ui.lessons.lesson_file import SAID, read_lesson
from ddpm_demo.ui.lessons.truths import TRUTHS, answers_of, compute_truth
from ddpm_demo.ui.lessons.workplace import Truth, Workplace
from ddpm_demo.words.sentence import Sentence, say

SHAPE = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)


def network(path, weights):
    """Write a checkpoint whose last layer is all zero but for what `weights` sets; return the page's list with it."""
    model = seeded_denoiser(SHAPE, seed=0)
    with torch.no_grad():
        weights(model)
    checkpoint.save(path, checkpoint.Checkpoint(model, ScheduleConfig(), Provenance()))
    return {"made": path, "tiny": path}


def silent(model: Denoiser) -> None:
    model.out_project.weight.zero_()
    model.out_project.bias.zero_()


def loud(model: Denoiser) -> None:
    model.out_project.weight.normal_(0, 1, generator=torch.Generator().manual_seed(1))


def asked(name, **arguments):
    return compute_truth(Workplace({}), name, arguments)


def lesson(number):
    return shipped_lessons()[number - 1]


def copy_of(tmp_path, number, *changes):
    """Copy a lesson with a change or two, as a teacher would; return its path."""
    (source,) = FILES.glob(f"{number}-*.toml")
    text = source.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def line_of(path, part):
    return next(k for k, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1) if part in text)


def test_the_lessons_stand_in_their_order_and_none_is_long():
    lessons = shipped_lessons()
    numbers = [int(each.name.split("-")[0]) for each in lessons]
    assert numbers == list(range(1, len(lessons) + 1))
    assert len({each.title for each in lessons}) == len(lessons) == len(list(FILES.glob("[0-9]*.toml")))
    assert all(5 <= each.minutes <= 8 for each in lessons)
    assert {each.predict.kind for each in lessons} == set(SAID)  # every way of guessing is there


def test_each_lesson_has_an_item_of_the_test_that_it_does_not_ask():
    without = [each.name for each in shipped_lessons() if each.test is None]
    assert not without, f"{', '.join(without)}: a shipped lesson has a [test] question"
    items = [item for when in WHEN for item in questions_of_test(shipped_lessons(), when)]
    assert len({(item.truth, str(item.arguments)) for item in items}) == len(WHEN) * len(shipped_lessons())
    used = [(a.truth, str(a.arguments)) for each in shipped_lessons() for a in (each.predict, each.question)]
    assert not set(used) & {(item.truth, str(item.arguments)) for item in items}


def test_what_is_asked_again_takes_what_it_does_not_say_from_the_first_question(tmp_path):
    path = tmp_path / "own.toml"
    text = (FILES / "7-far.toml").read_text(encoding="utf-8")
    text, _, later = text.partition("[test.later]")
    first, _, again = text.partition("[test.again]")
    path.write_text(text, encoding="utf-8")
    own = read_lesson(path)
    assert own.again.arguments == {"dilations": [1, 1, 2, 4]}
    assert (own.again.truth, own.again.choices, own.again.right) == (own.test.truth, own.test.choices, own.test.right)
    assert own.later == own.again  # a class's own lesson need not have one
    path.write_text(first, encoding="utf-8")
    own = read_lesson(path)
    assert own.again == own.test == own.later
    for broken, sentence in (
        (again.replace("[1, 1, 2, 4]", "[1, 2, 4, 8]"), "this is an earlier test's question again"),
        (again + 'right = "{nothing}"\n', "is not a value here"),
        (again.replace("with = { dilations = [1, 1, 2, 4] }", ""), "needs dilations"),
        (again + 'also = "x"\n', "nothing is called `also` here"),
        (again + 'truth = "most_left_of"\n', "must be one of schedules, t, got 'dilations'"),
    ):
        path.write_text(f"{first}[test.again]{broken}", encoding="utf-8")
        with pytest.raises(ConfigError, match=re.escape(sentence)):
            read_lesson(path)
    path.write_text(f"{text}[test.later]{later.replace('[3, 3, 3]', '[1, 1, 2, 4]')}", encoding="utf-8")
    with pytest.raises(ConfigError, match="this is an earlier test's question again"):
        read_lesson(path)


def test_every_shipped_lesson_leaves_a_sentence_with_a_picture_and_leads_to_the_next():
    for each in shipped_lessons():
        assert each.remember, each.name
        assert each.leads, each.name
        assert each.drawing or each.captions or each.predict.kind == "curve", f"{each.name} keeps no picture"


SIX_IDEAS = (  # what students say in forums, in their words
    "It predicts all the noise, so one step must do",
    "x_T is my picture in code, and denoising decodes it",
    "The noising is known, so taking it back is a calculation",
    "It cuts pictures out of the training set",
    "More steps are always better",
    "The seed is a key to a stored digit",
)


def test_every_wrong_answer_of_a_shipped_lesson_is_refuted_by_name():
    named = ""
    for each in shipped_lessons():
        words = set(SAID[each.predict.kind]) - {"right", "close"} if each.predict.kind != "choice" else set()
        assert set(each.misconceptions) == words, each.name
        questions = [each.question, *each.tests.values()]
        for question in [each.predict, *questions] if each.predict.kind == "choice" else questions:
            without = [choice.key for choice in question.choices if not choice.misconception]
            assert len(without) <= 1, f"{each.name}: {without}"
            if without and not TRUTHS[question.truth].network:
                assert without == [compute_truth(Workplace({}), question.truth, question.arguments).right]
            named += "".join(choice.misconception for choice in question.choices)
        named += "".join(idea.misconception for idea in each.misconceptions.values())
    assert [idea for idea in SIX_IDEAS if idea not in named] == []


def test_whoever_remembers_one_tests_keys_does_not_pass_another():
    """By the shipped networks; without the two lessons whose truths take long."""
    place = Workplace(shipped_checkpoints())
    quick = [each for each in shipped_lessons() if each.name not in ("11-asked", "12-finish")]
    keys = [[compute_truth(place, q.truth, q.arguments).right for q in each.tests.values()] for each in quick]
    for one, another in combinations(zip(*keys, strict=True), 2):
        assert sum(map(eq, one, another)) <= len(quick) // 3  # as many as by guessing
    for each, right in zip(quick, keys, strict=True):
        for question, key in zip(each.tests.values(), right, strict=True):
            assert all(choice.misconception for choice in question.choices if choice.key != key), each.name


def test_not_to_know_is_no_right_answer_and_is_told_the_key():
    check = next(function for function in room_with({}).functions() if function.__name__ == "check_test")
    for when, key in (("before", "later"), ("after", "earlier"), ("later", "same")):
        told = check({"when": when, "item": 0, "answer": DONT_KNOW})
        assert told == check({"when": when, "item": 0, "answer": key}) | {"correct": False}
        assert told["right"] == key
    assert "choose one of the answers" in check({"when": "after", "item": 0, "answer": "!"})["error"]
    assert set(check({"when": "between", "item": 0, "answer": DONT_KNOW})) == {"error"}


def test_nothing_that_the_page_is_given_tells_an_answer():
    for each in shipped_lessons():
        shown = str(each.public())
        assert not any(
            word in shown for word in ("'truth'", "'right'", "'wrong'", "'near'", "'arguments'", "'refutation'")
        )


def test_the_teachers_guide_names_every_truth_and_every_part_of_the_page():
    guide = (FILES / "README.md").read_text(encoding="utf-8")
    for name, function in TRUTHS.items():
        assert f"`{name}`" in guide
        assert all(f"`{value}`" in guide for value in (*function.values, *function.answers, *function.arguments))
    from ddpm_demo.ui.lessons.places import CONTROLS, WATCHES

    assert all(f"`{name}`" in guide for name in (*CONTROLS, *WATCHES))


@pytest.mark.parametrize(
    ("old", "new", "words", "part"),
    [
        ('kind = "mark"', 'kind = "marks"', "must be one of choice, mark, rank, curve, got 'marks'", 'kind = "marks"'),
        ("near = 60", 'near = "60"', "`predict.near` must be a number, got '60'", "near ="),
        ("high = 999\n", "", "`predict.high` is missing", "[predict]"),
        (
            'truth = "crossing"',
            'truth = "cross"',
            "`truth` must be one of crossing, field_width, guess_taken, look_width, got 'cross'",
            '"cross"',
        ),
        ("share = 0.5", "shares = 0.5", "must be one of schedule, share, got 'shares'", "shares"),
        ("{t:.0f} on.", "{tt:.0f} on.", "{tt} is not a value here; there are t, eye, prediction", "{tt"),
        ('key = "later"', 'key = "sooner"', "must be one of earlier, same, later, got 'sooner'", '"sooner"'),
        ('key = "later"', 'key = "same"', "each of earlier, same, later must be offered once", "[question]"),
        ('tab = "Noise"', 'tab = "Noises"', "must be one of Noise, Schedule", "Noises"),
        ('control = "noise picture"', 'control = "slider"', "got 'slider'", '"slider"'),
        ('watch = "t"', 'watch = "time"', "got 'time'", '"time"'),
        ("minutes = 5", "minutes = 5\nlength = 3", "nothing is called `length` here", "length"),
        ('title = "', "title = ", "", "title"),
        ("{t:.0f} on.", "{t:.0q} on.", "`close`", "close"),
        ('here = "by linear"', 'hear = "by linear"', "`hear` must be one of here, there", "hear ="),
        ('drawing = "alpha bar"', 'drawing = "a fish"', "`drawing` must be one of bell", "a fish"),
        ('say = "Later"', 'say = "Later"\nmisconception = "It is slow."', "needs its `refutation`", '"It is slow."'),
        ('say = "Later"', 'say = "Later"\nmisconception = "a"\nrefutation = "{a}"', "{a} is not a value", '"{a}"'),
        ("[question]", "[reveal.misconceptions.far]\n[question]", "must be one of close, too_low, too_high", ".far]"),
    ],
)
def test_a_broken_lesson_gets_one_sentence_with_its_line(tmp_path, old, new, words, part):
    path = copy_of(tmp_path, 1, (old, new))
    with pytest.raises(ConfigError) as fault:
        read_lesson(path)
    said = str(fault.value)
    assert said.startswith(f"own.toml, line {line_of(path, part)}: "), said
    assert words in said
    assert "\n" not in said


def test_whoever_is_wrong_is_told_the_idea_behind_it_and_nobody_else(tmp_path):
    """For a guess as for an answer; with the truth's values in the refutation."""
    seen, early = "To see is not to be stronger", "All schedules arrive at pure noise"
    own = read_lesson(copy_of(tmp_path, 1, (seen, "{t:.0f}. " + seen), (early, "{other:.0f}. " + early)))
    truth = Truth(259.0, {"t": 259.0, "other": 490.0})
    told = idea_behind_prediction(own, truth, 900.0, {})
    assert told["misconception"] == own.misconceptions["too_high"].misconception
    assert told["refutation"].startswith(f"259. {seen}")
    assert idea_behind_prediction(own, truth, 259.0, {}) == {}
    truth = replace(truth, right="later")
    assert idea_behind_answer(own.question, truth, "earlier")["refutation"].startswith(f"490. {early}")
    assert [idea_behind_answer(own.question, truth, key) for key in ("later", DONT_KNOW)] == [{}, {}]
    assert idea_behind_answer(own.question, replace(truth, right="earlier"), "earlier") == {}


def test_a_file_that_is_not_there_or_no_text_gets_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_lesson(tmp_path / "none.toml")
    (tmp_path / "picture.toml").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        read_lesson(tmp_path / "picture.toml")


def test_a_class_adds_its_own_after_the_others(tmp_path):
    path = copy_of(tmp_path, 1, ("Where does the seven vanish?", "Ours"))
    assert [each.title for each in read_lessons([path])] == [*(each.title for each in shipped_lessons()), "Ours"]
    with pytest.raises(ConfigError, match="there is a lesson own already"):
        read_lessons([path, path])


def test_where_signal_and_noise_cross_is_found_as_numpy_finds_it():
    beta = np.linspace(1e-4, 0.02, 1000)
    wanted = int(np.argmax(np.cumprod(1 - beta) < 0.5))
    assert asked("crossing", schedule="linear", share=0.5).right == wanted == 259
    slower = {"beta_1": 1e-4, "beta_T": 0.002}
    assert asked("crossing", schedule=slower, share=0.5).right == int(
        np.argmax(np.cumprod(1 - np.linspace(1e-4, 0.002, 1000)) < 0.5)
    )


def test_walking_and_jumping_agree_only_where_the_jump_is_the_schedules():
    truth = asked("walk_compared", t=499)
    assert truth.right == "same"
    assert truth.values["jumped"] == pytest.approx(
        (1 - np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[499]) ** 0.5, rel=0.02
    )
    assert asked("walk_compared", t=499, within=0.0).right != "same"  # no two draws of noise are equal


def test_the_order_of_schedules_is_that_of_their_formulas():
    def cosine(t):
        f = np.cos((np.arange(1001) / 1000 + 0.008) / 1.008 * np.pi / 2) ** 2
        return np.cumprod(1 - np.clip(1 - f[1:] / f[:-1], None, 0.999))[t]

    for t in (250, 500, 999):
        left = {
            "linear": np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[t],
            "custom": np.cumprod(1 - np.linspace(1e-4, 0.01, 1000))[t],
            "cosine": cosine(t),
        }
        truth = asked("most_left", schedules=["linear", "cosine", "custom"], t=t)
        assert truth.right == sorted(left, key=lambda name: -left[name])
        assert [truth.values[name] for name in left] == pytest.approx(list(left.values()))


def test_the_width_of_the_field_is_one_and_twice_every_gap():
    gaps = [1, 1, 3, 3, 9, 9, 27, 27]
    assert asked("field_width", dilations=gaps).right == 1 + 6 + 2 * sum(gaps) + 2 == 169
    assert asked("field_compared", dilations=[1] * 8).right == "narrower"
    assert asked("field_compared", dilations=[1, 2, 4, 8]).right == "wider"


def test_what_is_drawn_twice_is_what_the_command_line_draws(tmp_path):
    place = Workplace(network(tmp_path / "made.safetensors", loud))
    first = {"kind": "ddim", "steps": 4}
    truth = compute_truth(
        place, "drawn_twice", {"first": first, "second": first, "other_noise": True, "count": 3, "seed": 5}
    )
    assert truth.right == "same"
    assert truth.values["agree"] == pytest.approx(1)
    contrast = truth.values["first_contrast"]
    assert contrast == truth.values["second_contrast"] == pytest.approx(0.50154, abs=1e-5)  # a product by hand
    config = SamplerConfig(kind="ddim", steps=4, clip="x0", variance="posterior")
    loaded = place.load("made")
    *_, drawn = draw_digits(loaded.model, loaded.schedule, config, n=3, seed=5)
    expected = drawn.images.float() / 127.5 - 1
    assert float((truth.pictures["first"][:, 0].clamp(-1, 1) - expected).abs().max()) < 0.005


def test_the_error_in_each_tenth_is_that_of_a_network_that_says_nothing(tmp_path):
    place = Workplace(network(tmp_path / "made.safetensors", silent))
    curve = compute_truth(place, "error_left", {"digits": 24}).right
    assert curve == pytest.approx([1.0] * 10, abs=0.05)  # the mean square of the noise itself
    eps = torch.randn(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    truth = compute_truth(place, "harder_at", {"t": 20, "other": 900})
    assert truth.right == "same"
    assert truth.values["first"] == pytest.approx(float(eps.square().mean()))


def test_the_keys_follow_the_schedule(monkeypatch):
    question, ranking = lesson(1).question, lesson(3).predict
    before = asked(question.truth, **question.arguments).right, asked(ranking.truth, **ranking.arguments).right
    configs = {
        "linear": ScheduleConfig(kind="cosine"),
        "cosine": ScheduleConfig(),
        "custom": ScheduleConfig(beta_T=0.03),
    }
    monkeypatch.setattr(truths_of_diffusion, "named_configs", lambda custom: configs)
    after = asked(question.truth, **question.arguments).right, asked(ranking.truth, **ranking.arguments).right
    assert before == ("later", ["cosine", "custom", "linear"])
    assert after == ("earlier", ["linear", "cosine", "custom"])


def test_what_a_step_takes_from_its_guess_is_what_the_picture_gains():
    """The same by another way: a film whose guess is all ones, and whose x_t is all zeros, at that step."""
    schedule = Schedule.from_config(ScheduleConfig())
    for steps, near in ((50, 500), (50, 20), (10, 500), (1000, 3)):
        truth = compute_truth(Workplace({}), "guess_taken", {"steps": steps, "t": near})
        t, s = int(truth.values["t"]), int(truth.values["s"])
        assert (t, s) in pairwise([*schedule.timesteps(steps), -1])
        assert abs(t - near) <= 1000 / steps
        x_t, ones = torch.zeros(1, 1, 4, 4, dtype=torch.float64), torch.ones(1, 1, 4, 4, dtype=torch.float64)
        timesteps = [each for each in (t, s) if each >= 0]
        config = SamplerConfig(kind="ddim", steps=len(timesteps))
        walk = Walk(schedule, config, x_t, generator=torch.Generator(), timesteps=timesteps)
        step = walk.take(schedule.predict_eps(x_t, t, ones))
        assert truth.right == pytest.approx(100 * float(step.x_s.mean()), rel=1e-9)
    less = {"first": {"steps": 50, "t": 20}, "second": {"steps": 50, "t": 500}}
    assert compute_truth(Workplace({}), "guess_taken_compared", less).right == "less"
    same = {"first": {"steps": 50, "t": 500}, "second": {"steps": 50, "t": 500}}
    assert compute_truth(Workplace({}), "guess_taken_compared", same).right == "same"


def test_an_early_guess_is_the_average_digit_and_a_late_one_the_digit_that_comes_out():
    place = Workplace({"lite": find_checkpoint("lite")})
    early, late = (
        compute_truth(place, "guess_like", {"checkpoint": "lite", "t": t, "steps": 25, "count": 2}) for t in (714, 200)
    )
    assert (early.right, late.right) == ("mean", "digit")
    mean = to_x0(load_mnist(train=True)[0]).double().mean(0).flatten()
    like = [float(np.corrcoef(guess.flatten().double(), mean)[0, 1]) for guess in early.pictures["guess"]]
    assert early.values["mean"] == pytest.approx(sum(like) / 2, abs=1e-6)
    assert late.values["digit"] > 0.95


def room_with(checkpoints):
    return Classroom(shipped_lessons(), checkpoints)


def wait_for(ask):
    for _ in range(6000):  # five minutes: a loaded machine is slow, not wrong
        answer = ask()
        if "done" not in answer:
            return answer
        time.sleep(0.05)
    raise AssertionError("no answer")


def test_the_key_of_a_question_follows_the_network(tmp_path):
    """The lesson asks what the network answers; a network that says nothing makes another choice the right one."""
    copied = tmp_path / "made.safetensors"
    room = room_with(network(copied, silent))
    reveal = next(function for function in room.functions() if function.__name__ == "reveal_truth")
    question = {"lesson": "4-answer", "prediction": "grey", "kept": {}}
    answer = wait_for(lambda: reveal(question))
    assert (answer["right"], answer["verdict"]) == ("grey", "right")
    network(copied, loud)  # the same name, other weights
    answer = wait_for(lambda: reveal(question))
    assert answer["right"] in ("picture", "digit")
    assert answer["verdict"] == "wrong"


def test_every_question_has_its_key_among_its_choices_whatever_the_network(tmp_path):
    place = Workplace(network(tmp_path / "made.safetensors", loud))
    questions = [a for each in shipped_lessons() for a in (each.predict, each.question, *each.tests.values())]
    for question in questions:
        arguments = dict(question.arguments)
        for name in ("first", "second"):
            if name in arguments and isinstance(arguments[name], dict):
                arguments[name] = {**arguments[name], "steps": 3}
        truth = compute_truth(place, question.truth, arguments)
        if question.choices and isinstance(truth.right, str):
            assert truth.right in [choice.key for choice in question.choices]
            for choice in question.choices:  # every sentence can be filled in, and says why
                right, words = grade(replace(question, right=question.right or "-"), truth, choice.key)
                assert right == (choice.key == truth.right)
                assert words
                assert "{" not in words
        assert set(truth.values) >= set(TRUTHS[question.truth].values)
        assert set(truth.pictures) == set(TRUTHS[question.truth].pictures)
        assert answers_of(question.truth, arguments) or TRUTHS[question.truth].gives in ("mark", "curve")


@pytest.mark.parametrize(
    ("number", "right", "prediction", "expected"),
    [
        (1, 259.0, 300, "close"),
        (1, 259.0, 700, "too_high"),
        (1, 259.0, 10, "too_low"),
        (3, ["cosine", "custom", "linear"], ["cosine", "custom", "linear"], "right"),
        (3, ["cosine", "custom", "linear"], ["custom", "cosine", "linear"], "wrong"),
        (10, [float(10 - k) for k in range(10)], [100 - 10 * k for k in range(10)], "close"),
        (10, [float(10 - k) for k in range(10)], [10 * k for k in range(10)], "far"),
        (10, [float(10 - k) for k in range(10)], [50] * 10, "far"),
    ],
)
def test_predictions_are_judged(number, right, prediction, expected):
    asked_lesson = lesson(number)
    values = dict.fromkeys(("t", "linear", "cosine", "custom", "clean", "middle", "noisy", "times"), 1.0)
    truth = Truth(right, values)
    assert verdict(asked_lesson, truth, prediction) == expected
    words, why = words_of_reveal(asked_lesson, truth, prediction, {"eye": 1.0})
    assert words == say(asked_lesson.words[expected], **values, prediction=prediction)
    assert "{" not in why
    assert isinstance(words, Sentence)
    assert isinstance(why, Sentence)


def test_rank_correlation_is_spearmans():
    assert rank_correlation([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(0.8)  # 1 - 6 * 2 / (4 * 15)
    assert rank_correlation([1, 1, 2], [1, 2, 3]) == pytest.approx(0.8660254)
    assert rank_correlation([5, 5, 5], [1, 2, 3]) == 0


@pytest.mark.parametrize("name", ["lesson_screen", "prepare_truth", "reveal_truth", "check_answer", "check_test"])
@pytest.mark.parametrize(
    "bad", [None, [], "x", {}, {"lesson": []}, {"lesson": "12-none"}, {"item": 11}, {"item": True}]
)
def test_nonsense_gets_a_sentence(name, bad):
    ask = next(function for function in room_with({}).functions() if function.__name__ == name)
    assert set(ask(bad)) == {"error"}


@pytest.mark.parametrize("bad", [None, "x", [], 1000, -1, True, float("nan")])
def test_a_prediction_out_of_range_gets_a_sentence(bad):
    ask = next(function for function in room_with({}).functions() if function.__name__ == "reveal_truth")
    answer = ask({"lesson": "1-vanish", "prediction": bad, "kept": {}})
    assert answer == {"error": "this is not a prediction for this lesson"}


def test_without_the_checkpoint_a_lesson_says_so():
    ask = next(function for function in room_with({}).functions() if function.__name__ == "reveal_truth")
    answer = ask({"lesson": "4-answer", "prediction": "grey", "kept": {}})
    assert "is not here" in answer["error"]


def test_a_lesson_begins_with_its_own_digit_and_noise():
    ask = next(function for function in room_with({}).functions() if function.__name__ == "lesson_screen")
    view = ask({"lesson": "1-vanish"})
    assert view["digit"]["link"] == ["digit", "7-0"]
    assert (view["noise"]["seed"], view["t"], view["schedule"]) == (0, 0, "linear")


def test_the_pictures_of_a_walk_are_the_digits_own(linear):
    truth = asked("walk_compared", t=0)
    x0 = to_x0(load_mnist(train=False)[0][:1])
    assert float((truth.pictures["walked"] - x0).abs().max()) < 0.06  # one step of the first, smallest beta
    assert entry.page_words()["entry"]


def test_what_asking_in_an_interval_makes_is_what_the_films_make(monkeypatch):
    """The same by another way: the film's walk, steps and executor's question, and the judge on its last picture."""
    monkeypatch.setattr(truths_of_wishes, "ASKED_STEPS", 6)
    tiny = load_placed(find_checkpoint("tiny"))

    def share(digit, asked):
        config = SamplerConfig(kind="ddim", steps=6, clip="x0")
        job = FilmJob(tiny.digest, config, 4, 0, digit=asked, classifier="x" if asked else "")
        classify = classifier_at(tiny.schedule, tiny.placement.device) if asked else None
        *_, last = film_alone(tiny, None, FilmWalk(job, tiny.schedule), classify)
        return (load_judge().model.classes(last.step.x_s) == digit).double().mean()

    place = Workplace({"tiny": find_checkpoint("tiny")})
    arguments = {"checkpoint": "tiny", "digit": 1, "first_t": 700, "last_t": 300, "count": 4}
    truth = compute_truth(place, "asked_within", arguments)
    assert truth.values["asked"] == share(1, DigitConfig(1, GENTLE, first=700, last=300))
    assert truth.values["anyway"] == share(1, None)
    thirds = compute_truth(place, "asked_best", {"checkpoint": "tiny", "digit": 1, "count": 4})
    assert thirds.values["middle"] == share(1, DigitConfig(1, GENTLE, first=665, last=333))
    assert thirds.values[thirds.right] == max(thirds.values[name] for name in ("early", "middle", "late"))


def test_what_is_completed_is_what_the_command_measures():
    tiny, judge = load_placed(find_checkpoint("tiny")), load_judge()
    digits, labels = (part[:4] for part in load_mnist(train=False))
    place = Workplace({"tiny": find_checkpoint("tiny")})
    ways = {"first": {"jumps": 0, "steps": 5}, "second": {"mask": "quarter", "jumps": 2, "steps": 5}}
    truth = compute_truth(place, "completed_compared", {"digits": 4, **ways})
    for name, mask, jumps in (("first", "lower half", 0), ("second", "quarter", 2)):
        config = replace(RECOMMENDED_SAMPLER, steps=5)
        *_, measured = measure_completion(
            tiny.model,
            tiny.schedule,
            config,
            judge.model,
            digits,
            labels,
            mask=mask,
            jumps=jumps,
            seed=0,
            device=tiny.placement.device,
        )
        assert truth.values[name] == measured.as_original
        assert truth.values[f"calls_{name}"] == 5 * (jumps + 1) - jumps
    assert truth.values["kept"] == 0.0


def test_a_left_out_drawing_is_as_far_as_numpy_finds_it(monkeypatch):
    monkeypatch.setattr(truths_of_wishes, "LEFT_OUT", 3)
    monkeypatch.setattr(truths_of_wishes, "newest_drawings", lambda: None)  # other tests of this process leave runs
    sevens = truths_of_wishes.first_of(7, 5)
    found = []
    for k in range(3):
        rest = torch.cat((sevens[:k], sevens[k + 1 :]))
        taught = list(variations(rest, 0).numpy() / 255)
        for drawing in np.pad(rest.numpy() / 255, ((0, 0), (2, 2), (2, 2))):
            taught += [drawing[y : y + 28, x : x + 28] for y in range(5) for x in range(5)]
        found.append(min(np.sqrt(((each - sevens[k].numpy() / 255) ** 2).sum()) for each in taught))
    truth = asked("left_out_drawing", sign=7, drawings=5)
    assert truth.values["left_out"] == pytest.approx(sorted(found)[1], rel=1e-6)
    assert truth.right in ("close", "between", "far")
    compared = asked("sets_compared", sign=7, few=5, many=40)
    assert compared.values["few"] == truth.values["left_out"]
    assert compared.right == ("many" if compared.values["many"] < 0.95 * compared.values["few"] else "same")


def test_the_lesson_on_copying_asks_of_the_newest_run_of_own_drawings(monkeypatch, tmp_path):
    monkeypatch.setattr(truths_of_wishes, "LEFT_OUT", 2)
    drawings = truths_of_wishes.first_of(4, 6)
    config = train_config("lite", epochs=1.0, pictures=6)
    run = Run.begin(tmp_path / "mine", SHAPE, config, best_placement(), drawings=drawings)
    run.save()
    assert truths_of_wishes.newest_drawings() is None or tmp_path not in truths_of_wishes.newest_drawings().parents
    entry_of = SimpleNamespace(directory=tmp_path / "mine", fault="")
    monkeypatch.setattr(
        truths_of_wishes.shelf, "entries", lambda: [SimpleNamespace(directory=tmp_path, fault=""), entry_of]
    )
    truth = asked("left_out_drawing", sign=7, drawings=12)
    assert truth.values["drawings"] == 6
    assert any(torch.equal(truth.pictures["drawing"][0], one) for one in to_x0(drawings[:2]))


def test_what_the_perfect_network_draws_are_copies_and_another_networks_are_not(tmp_path):
    truth = asked("draws", count=2, steps=8)
    digits = load_mnist(train=True)[0]
    assert truth.right == "copies"
    assert (truth.values["copies"], truth.values["count"], truth.values["distance"]) == (2, 2, 0)
    drawn = ((truth.pictures["drawn"][:, 0] + 1) * 127.5).round()
    assert all(bool((digits == digit).all(dim=(1, 2)).any()) for digit in drawn)
    place = Workplace(network(tmp_path / "loud.safetensors", loud))
    other = compute_truth(place, "draws", {"checkpoint": "made", "count": 2, "steps": 2})
    assert other.right != "copies"
    assert other.values["distance"] > 1


def test_the_perfect_memory_is_better_on_what_it_knows_and_worse_on_what_not(tmp_path):
    place = Workplace(network(tmp_path / "silent.safetensors", silent))
    for taught, right in ((True, "better"), (False, "worse")):
        asked_for = {"checkpoint": "made", "t": 50, "taught": taught, "digits": 4}
        truth = compute_truth(place, "memory_compared", asked_for)
        # whoever says nothing is off by the noise, whose mean square is 1
        assert truth.values["network"] == pytest.approx(1, abs=0.1)
        assert truth.right == right
    pictures = load_mnist(train=False)[0][:4][:, None].double() / 127.5 - 1
    eps = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0)).double()
    linear = Schedule.from_config(ScheduleConfig())
    x_t = linear.add_noise(pictures, 50, eps)
    exact = IdealDenoiser(load_mnist(train=True)[0], linear, dtype=torch.float64)(x_t, torch.full((4,), 50))
    assert truth.values["perfect"] == pytest.approx(float((exact - eps).square().mean()), rel=1e-3)


def test_how_far_a_network_looks_is_what_the_comparison_with_patches_finds(tmp_path):
    place, few = (
        Workplace(network(tmp_path / "loud.safetensors", loud)),
        {"checkpoint": "made", "digits": 2, "drawings": 50},
    )
    linear = Schedule.from_config(ScheduleConfig())
    widths = [look_at(place.load("made").model, linear, t, digits=2, taught=50).width for t in (50, 600)]
    assert compute_truth(place, "look_width", {**few, "t": 50}).right == widths[0]
    truth = compute_truth(place, "look_compared", {**few, "t": 50, "other": 600})
    assert [truth.values["width"], truth.values["other"]] == widths
    assert truth.right == ("wider" if widths[1] > widths[0] else "same" if widths[1] == widths[0] else "narrower")


def test_flow_matchings_straight_steps_draw_what_ddim_draws_and_not_what_adds_noise(tmp_path):
    place = Workplace(network(tmp_path / "made.safetensors", loud))
    same = compute_truth(place, "flow_drawn", {"sampler": {"kind": "ddim", "steps": 5}, "count": 2})
    assert same.right == "same"
    other = compute_truth(place, "flow_drawn", {"sampler": {"kind": "ddim", "steps": 5, "eta": 1.0}, "count": 2})
    assert other.right in ("like", "other")
    assert other.values["most"] > 1
    torch.testing.assert_close(other.pictures["flow"], same.pictures["flow"])  # which draws no noise on the way
    # the same straight walk, written out
    loaded = place.load("made")
    x = start_noise(2, 1, 28, torch.Generator().manual_seed(0)).double()
    timesteps = loaded.schedule.timesteps(5)
    levels = [loaded.schedule.alpha_bar_at(t) for t in timesteps] + [1.0]
    clock = [(1 - a) ** 0.5 / (a**0.5 + (1 - a) ** 0.5) for a in levels]
    x = x / (levels[0] ** 0.5 + (1 - levels[0]) ** 0.5)
    way = [x]
    for k, t in enumerate(timesteps):
        scale = levels[k] ** 0.5 + (1 - levels[k]) ** 0.5
        with torch.no_grad():
            eps = loaded.model((x * scale).float(), torch.full((2,), t)).double()
        clean = (x - clock[k] * eps) / (1 - clock[k])
        x = x + (clock[k + 1] - clock[k]) * (eps - clean)
        way.append(x)
    torch.testing.assert_close(same.pictures["flow"], x.float(), rtol=1e-3, atol=1e-3)
    truth = compute_truth(place, "straighter", {"steps": 5, "count": 2})
    points = torch.stack(way).flatten(2)
    longer = points.diff(dim=0).norm(dim=2).sum(dim=0) / (points[-1] - points[0]).norm(dim=1)
    assert truth.values["flow"] == pytest.approx(100 * (float(longer.mean()) - 1), rel=1e-2)
    assert truth.right in TRUTHS["straighter"].answers


def test_a_share_is_written_with_a_space():
    assert say("{share:.1%} of {percent:g} %", share=0.394, percent=7) == "39.4 % of 7 %"
