"""The words of the page: each explained once and briefly, found where it stands, used in lessons once it is known."""

import re
from dataclasses import replace

import pytest

from ddpm_demo.core.config import ConfigError
from ddpm_demo.ui.lessons.entry import shipped_lessons
from ddpm_demo.ui.words.drawings import DRAWINGS
from ddpm_demo.ui.words.glossary import glossary_value, read_glossary
from ddpm_demo.ui.words.language import language, languages

WANTED = (
    *("variance", "ᾱ", "ε", "SNR", "checkpoint", "GroupNorm", "SiLU", "DDPM", "DDIM", "DPM-Solver++", "η", "guidance"),
    *(
        "seed",
        "receptive field",
        "dilation",
        "time embedding",
        "residual",
        "β",
        "x̂₀",
        "xₜ",
        "x_T",
        "schedule",
        "channel",
    ),
)


def key(lesson):
    return lesson.name.split("-", 1)[1]


def texts_of(lesson):
    """All sentences of a lesson, without its items of the tests, which stand outside the lessons."""
    yield from (lesson.title, lesson.opening, lesson.explain, *lesson.words.values(), *lesson.captions.values())
    yield from (task.say for task in lesson.tasks)
    for question in (lesson.predict, lesson.question):
        yield from (question.ask, question.right)
        for choice in question.choices:
            yield from (choice.say, choice.wrong, choice.misconception, choice.refutation)
    for idea in lesson.misconceptions.values():
        yield from (idea.misconception, idea.refutation)


def uses(lesson, word):
    """Whether a lesson uses a word; what stands in braces is a number's name."""
    forms = "|".join(map(re.escape, word.forms or (word.name,)))
    found = re.compile(rf"(?<![\w'’])(?:{forms})(?![\w\u0302])")
    return any(found.search(re.sub(r"\{[^}]*\}", "0", text)) for text in texts_of(lesson))


def too_early(lessons, words):
    """What lessons use before it is introduced, or though no lesson does; and what its own lesson does not use."""
    place = {key(lesson): number for number, lesson in enumerate(lessons)}
    faults = [
        f"{lesson.name}: {word.name}"
        for number, lesson in enumerate(lessons)
        for word in words
        if uses(lesson, word) and number < place.get(word.lesson, len(lessons))
    ]
    return faults + [
        f"{w.lesson} does not say {w.name}" for w in words if w.lesson and not uses(lessons[place[w.lesson]], w)
    ]


def test_lessons_use_a_word_only_after_it_was_introduced():
    words, lessons = read_glossary(), shipped_lessons()
    assert too_early(lessons, words) == []
    ddim = next(word for word in words if word.name == "DDIM")  # and it is noticed where one does not
    assert too_early(lessons, [replace(ddim, lesson="one-go")]) == ["5-step: DDIM"]
    assert "copies does not say DDIM" in too_early(lessons, [replace(ddim, lesson="copies")])


def test_each_word_is_explained_once_in_one_or_two_plain_sentences():
    words = read_glossary()
    forms = [form for word in words for form in word.forms]
    assert len(set(forms)) == len(forms)
    assert len({word.name for word in words}) == len(words)
    for word in words:
        assert 1 <= len(re.findall(r"[.](?=\s|$)", re.sub(r"et al\.", "", word.say))) <= 3, word.name
        assert len(word.say) <= 200, word.name
    assert [wanted for wanted in WANTED if wanted not in forms] == []
    used = {word.picture for word in words} | {lesson.drawing for lesson in shipped_lessons()}
    assert used - {""} == set(DRAWINGS)


def test_the_drawings_are_drawn_from_the_real_tables():
    pictures = glossary_value()["pictures"]
    linear, cosine = pictures["alpha bar"]["lines"]
    assert (linear[0], linear[-1]) == pytest.approx((1, 0), abs=1e-3)
    assert linear[12] == pytest.approx(0.0786, abs=2e-3)  # of t = 499, by numpy in test_lessons.py
    assert cosine[12] == pytest.approx(0.493, abs=5e-3)
    assert len(pictures["spread taps"]["dots"]) == 9
    assert len(pictures["field"]["dots"]) == 81  # 1 + 2 + 6 = 9 pixels wide, without holes


def test_a_broken_glossary_gets_one_sentence_with_its_line(tmp_path):
    path = tmp_path / "glossary.toml"
    path.write_text('[[word]]\nname = "a"\nsay = "b"\npicture = "c"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="line 4: `picture` must be one of bell"):
        read_glossary(path)


def test_a_word_is_found_whole_and_nowhere_else(page):
    sentences = [
        "At t = 3 don't add xₜ₋₁, but xₜ; √ᾱₜ x̂₀ and x0.",
        "Seeds? Seed it: the seed_3 is a seed.",
        "DDIM's x_T",
        "ddim",
    ]
    found = page(
        """
        const { makeFinder } = await import("./static/glossary.js");
        const finder = makeFinder(given.words);
        const part = (text) => ({ at, form, word }) => [form, word.name, text.slice(at, at + form.length)];
        reply = given.sentences.map((text) => finder(text).map(part(text)));
        """,
        words=glossary_value()["words"],
        sentences=sentences,
    )
    assert [[form for form, _, _ in each] for each in found] == [
        ["t", "xₜ", "ᾱₜ", "x̂₀"],
        ["Seed", "seed"],
        ["DDIM", "x_T"],
        [],
    ]
    assert all(form == there for each in found for form, _, there in each)


SENTENCES = {  # each with the words in it, by their English names
    "de": {
        "Die Varianz ist klein, eine Kovarianz ist keine.": ["variance"],
        "Gaußsches Rauschen in x₀": ["Gaussian noise", "x₀"],
        "Ein Seedling ist kein Seed.": ["seed"],
    },
    "fr": {"Il n’a pas d’échantillonneur.": ["sampler"], "d'une graine": ["seed"]},
    "tr": {"SNR'nin değeri, varyansın değil": ["SNR", "variance"]},
    "ja": {
        "画素の標準偏差は分散の平方根です。": ["standard deviation", "variance"],
        "値ᾱはSNRを決めます": ["ᾱ (alpha bar)", "SNR"],
        "ガウスノイズをtで足す": ["Gaussian noise", "t"],
        "シードとシードリング": ["seed"],
        "testの層": [],
    },
    "zh-CN": {"方差是标准差的平方": ["variance", "standard deviation"], "时间t的SNR": ["t", "SNR"]},
    "ar": {"ما هو التباين هنا؟": ["variance"], "في SNR هنا": ["SNR"]},
}


@pytest.mark.parametrize("code", SENTENCES)
def test_words_are_found_in_the_sentences_of_a_language(code, page):
    value = glossary_value(language(code))
    found = page(
        """
        const { makeFinder } = await import("./static/glossary.js");
        const finder = makeFinder(given.words);
        reply = given.sentences.map((text) => finder(text).map(({ word }) => word.name));
        """,
        words=value["words"],
        sentences=list(SENTENCES[code]),
    )
    names = {word.name: language(code).words[word.name]["name"] for word in read_glossary()}
    assert found == [[names[name] for name in said] for said in SENTENCES[code].values()]


@pytest.mark.parametrize("code", languages())
def test_a_catalogue_has_a_table_for_each_word(code):
    tables = language(code).words
    assert set(tables) == {word.name for word in read_glossary()}
    forms = [form for table in tables.values() for form in table["forms"]]
    assert len(set(forms)) == len(forms)
    english, there = glossary_value(), glossary_value(language(code))
    assert glossary_value() == english  # whoever came before
    assert there["pictures"] == english["pictures"]
    assert all(a["say"] != b["say"] for a, b in zip(english["words"], there["words"], strict=True))
