"""Languages of the page: a toy catalogue, as somebody would add one, and the shipped ones."""

import json
import re

import pytest
from babel.numbers import format_decimal

from ddpm_demo.core.config import ConfigError
from ddpm_demo.ui.parts.bridge import STATIC
from ddpm_demo.ui.words import language as languages_of_the_page
from ddpm_demo.ui.words.faults import faults
from ddpm_demo.ui.words.glossary import glossary_value
from ddpm_demo.ui.words.language import ENGLISH, best_code, codes, in_language, language, languages, read_catalogue
from ddpm_demo.ui.words.sentences import missing, sentences
from ddpm_demo.ui.words.visitor import accepted, visitors_choice
from ddpm_demo.words.sentence import say

TOY = """
name = "Cymraeg"
[server]
"{count} digit|{count} digits" = "{count} z|{count} a|{count} b|{count} c|{count} d|{count} e"
"{who} and {share:.1f}" = "{share:.2f}: {who}"
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A language of one file: Welsh, which has all six forms of the plural."""
    (tmp_path / "cy.toml").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(languages_of_the_page, "FOLDER", tmp_path)
    languages.cache_clear(), language.cache_clear()
    yield language("cy")
    languages.cache_clear(), language.cache_clear()


def test_a_language_is_one_file(toy, caplog):
    assert (toy.name, toy.direction, best_code(["cy-GB"], codes())) == ("Cymraeg", "ltr", "cy")
    counted = [in_language(say("{count} digit|{count} digits", count=count), toy) for count in (0, 1, 2, 3, 6, 7)]
    assert counted == ["0 z", "1 a", "2 b", "3 c", "6 d", "7 e"]
    inner = say("{count} digit|{count} digits", count=1)
    assert in_language({"x": [say("{who} and {share:.1f}", who=inner, share=0.5)]}, toy) == {"x": ["0.50: 1 a"]}
    for _ in range(2):
        assert in_language(say("never heard"), toy) == "never heard"
    assert len([record for record in caplog.records if "never heard" in record.message]) == 1
    assert in_language(say("never heard"), ENGLISH) == "never heard"


SHARES = {"de": "12,5\xa0%", "es": "12,5\xa0%", "fr": "12,5\xa0%", "pt-BR": "12,5%", "tr": "%12,5", "zh-CN": "12.5%"}


@pytest.mark.parametrize("code", SHARES)
def test_numbers_are_written_as_the_language_writes_them(tmp_path, code):
    (tmp_path / f"{code}.toml").write_text('name = "x"', encoding="utf-8")
    there, locale = read_catalogue(tmp_path / f"{code}.toml"), code.replace("-", "_")
    assert there.written(12345.67, ",.1f") == format_decimal(12345.7, locale=locale)
    assert there.written(0.125, ".1%") == there.written(0.125, "share") == SHARES[code]
    assert there.written(40000, "") == "40000"


def test_the_visitors_wish_comes_before_the_hosts_and_the_browsers(tmp_path, toy):
    (tmp_path / "de.toml").write_text('name = "Deutsch"', encoding="utf-8")
    (tmp_path / "tr.toml").write_text('name = "Türkçe"\ndraft = true', encoding="utf-8")
    languages.cache_clear()
    headers = {"cookie": "a=b; ddpm_language=cy", "accept-language": "fr;q=0.5, de-AT;q=0.4, *;q=0.1, cy;q=0, x;q=y"}
    assert accepted(headers) == ["fr", "de-AT", "*"]
    assert visitors_choice(headers, {"lang": "de"}, "tr") == "de"
    assert visitors_choice(headers, {"lang": "xx"}, "tr") == "cy"
    del headers["cookie"]
    assert visitors_choice(headers, {}, "tr") == "tr"
    assert visitors_choice(headers, {}) == "de"
    assert visitors_choice({"accept-language": "tr"}, {}) == "en"  # a draft is offered to nobody
    assert visitors_choice({"accept-language": "tr"}, {"lang": "tr"}) == "tr"
    assert codes(drafts=False) == ["en", "cy", "de"]


def test_every_sentence_is_found_once():
    found = sentences()
    texts = [text for section in found.values() for text in section]
    assert len(texts) == len(set(texts))
    assert "Language" in found["browser"]
    raised = {  # by errors of every kind, on every floor
        "{name} must be a whole number from {low} to {high}, got {got}",
        "there is no checkpoint file {path}",
        "its header is cut short",
        "MNIST's file {path} is missing; reinstall ddpm_demo",
        "the picture has {width} x {height} pixels; the limit is {most} million",
        "{name} holds {count} pictures; the limit is {most}",
        "the loss is no longer a number at step {step}: try a lower learning rate",
        "another program is training the run in {folder}: stop it there first",
    }
    assert raised | {"Digit"} <= set(found["server"])
    assert "Where does the seven vanish?" in found["lessons"]
    # a bar of mathematics in a sentence with places would part it into forms of the plural
    assert [text for text in texts if "{" in text and " |" in text and not text.startswith("\n")] == []


SAID = re.compile(r'\bsay\(\s*("(?:[^"\\]|\\.)*")((?:\s*\+\s*"(?:[^"\\]|\\.)*")*)')


def test_no_sentence_of_javascript_escapes():
    """As one would that stands in another's brackets: babel passes over it (findings/babel_loses_inner_calls.sh)."""
    known = {text for section in sentences().values() for text in section}
    said = {
        json.loads(first) + "".join(json.loads(part) for part in re.findall(r'"(?:[^"\\]|\\.)*"', rest))
        for path in STATIC.rglob("*.js")
        for first, rest in SAID.findall(path.read_text(encoding="utf-8"))
    }
    assert len(said) > 500
    assert said <= known


def test_a_catalogue_is_asked_what_it_lacks(toy, capsys):
    from ddpm_demo.__main__ import main

    assert "Digit" in missing(toy)["server"]
    assert faults(toy) == [
        "cy.toml, line 4: the page does not say '{count} digit|{count} digits'; did you mean '{n} digit|{n} digits'?",
        "cy.toml, line 5: the page does not say '{who} and {share:.1f}'",
    ]
    assert main(["words", "--missing", "cy"]) == 0
    lines = capsys.readouterr().out
    assert f"{json.dumps('Digit')} = {json.dumps('Digit')}" in lines
    assert '[words."DDIM"]\nname = "DDIM"\nforms = ["DDIM"' in lines
    assert "# cy: 0 of " in lines
    assert "# cy.toml, line 5: the page does not say" in lines
    (toy.path.parent / "welsh.toml").write_text("", encoding="utf-8")
    assert main(["words", "--missing", "it"]) == 0
    lines = capsys.readouterr().out
    assert "# welsh.toml is not read" in lines
    assert "one | many | other" in lines
    assert '\nname = "the language, as its speakers call it"\ndraft = true\n' in lines
    for code in ("italian", "../it", "xx"):
        assert main(["words", "--missing", code]) == 2
        assert f"{code!r} is no language" in capsys.readouterr().err


ONE = '"{count} step|{count} steps" = "{count} passo|{count} passi"'
GOOD = f"""name = "Italiano"
draft = true
[browser]
"Language" = "Lingua"
{ONE}
[server]
"How many steps, from 10 to {{most}}." = "Quanti passi, da 10 a {{most}}."
"less than {{least:.3%}}" = "meno di {{least:.3%}}"
[words."variance"]
name = "varianza"
forms = ["varianza"]
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("", "", None),
        ("a {most}", "a {massimo}", "line 7: its {places} .*{most} is lacking, {massimo} is not there in English"),
        ("a {most}", "in su", "line 7: .*{most} is lacking"),
        ("a {most}", "a {most", "line 7: a { or } stands alone"),
        ("di {least:.3%}", "di {least:.e%}", "line 8: no number can be written as {...:.e%}"),
        ("passi", "passi|{count} x|{count} y", "line 5: 4 forms of the plural, and the language has 3: one.many.other"),
        ('"Language"', '"Langauge"', "line 4: the page does not say 'Langauge'; did you mean 'Language'"),
        ('"Lingua"', "3", "line 4: a translation is a text in quotes"),
        ('"Lingua"', '" "', "line 4: a translation is a text in quotes, and not empty"),
        ('"Lingua"', '"Lingua', "line 4: the quotes are not closed on this line"),
        ('"Lingua"', '"Lingua"\n"Language" = "L"', "line 5: this key is there already"),
        ("[words", '[browser]\n"Stop" = "Ferma"\n[words', "line 9: this table is there already"),
        ("[server]", '[server]\n"Stop" = "Ferma"', r"line 7: this belongs in \[browser\], not in \[server\]"),
        ("[server]", "[sever]", r"line 6: no table is called \[sever\]"),
        ("draft", "darft", "line 2: nothing is called `darft` here"),
        ("true", '"yes"', "line 2: `draft` must be true or false"),
        ('name = "Italiano"', "", "line 1: it must begin with the language's own name"),
        ('"Italiano"', '"Italiano', "line 1: the quotes are not closed"),
        ('"variance"', '"varianze"', "line 9: the glossary has no word .*; did you mean 'variance'"),
        ('["varianza"]', '"varianza"', "line 9: `name` is a text in quotes, `forms` a list"),
        ("forms", "form", "line 9: .* has `name` and `forms`, and nothing else"),
    ],
)
def test_a_slip_is_said_with_its_line(tmp_path, right, wrong, said):
    (tmp_path / "it.toml").write_text(GOOD.replace(right, wrong, 1) if right else GOOD, encoding="utf-8")
    try:
        found = faults(read_catalogue(tmp_path / "it.toml"))
    except ConfigError as error:
        found = [str(error)]
    assert len(found) == (said is not None)
    assert said is None or re.match("it.toml, " + said, found[0])


@pytest.mark.parametrize(
    ("forms", "count"),
    [
        ("{n} o {time}|a {time}|b {time}|{n} c {time}|{n} d {time}|{n} e {time}", 0),
        ("{n} o {time}|a {time}|b {time}|c {time}|{n} d {time}|{n} e {time}", 1),  # few is more than one number
        ("{n} o {time}|a|b {time}|{n} c {time}|{n} d {time}|{n} e {time}", 1),
    ],
)
def test_a_form_that_one_number_takes_may_leave_it_out(tmp_path, forms, count):
    catalogue = f'name = "x"\n[server]\n"{{n}} step in {{time}}|{{n}} steps in {{time}}" = "{forms}"\n'
    (tmp_path / "ar.toml").write_text(catalogue, encoding="utf-8")
    there = read_catalogue(tmp_path / "ar.toml")
    assert len([fault for fault in faults(there) if "its {places}" in fault]) == count
    if not count:
        said = say("{n} step in {time}|{n} steps in {time}", n=2, time=5)
        assert in_language(said, there) == "b 5"


def test_the_catalogues_that_are_offered_lack_nothing():
    english = [word["name"] for word in glossary_value(ENGLISH)["words"]]
    wrong = {}
    for code in codes()[1:]:
        there = language(code)
        lacks = [] if there.draft else [text for texts in missing(there).values() for text in texts]
        words = [] if there.draft else [name for name in english if name not in there.words]
        if found := [*faults(there), *(f"{code} lacks {text!r}" for text in [*lacks, *words])]:
            wrong[code] = [*found[:20], f"{len(found)} in all"]
    assert wrong == {}, "`ddpm-demo words --missing` says what; a catalogue that waits for a translator is a draft"
    assert {"de", "es", "fr", "pt-BR", "tr", "zh-CN", "ja", "ar"} <= set(codes())
    files = {path.stem for path in languages_of_the_page.FOLDER.glob("*.toml")} - {"glossary"}
    assert files == set(languages()), "a catalogue is named by its BCP 47 tag, such as `it.toml`"
