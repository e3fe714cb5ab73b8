"""`ddpm-demo words`: what a translation of the page lacks."""

import argparse

SUMMARY = "print what a translation of the page lacks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo words`."""
    parser.add_argument(
        "--missing", metavar="LANG", required=True, help="a language, such as `tr`, whether or not it has a catalogue"
    )


def run_words(arguments: argparse.Namespace) -> int:
    """`ddpm-demo words`: what is wrong in a catalogue, and what it lacks as lines to translate and put there."""
    from babel import Locale, UnknownLocaleError

    from ddpm_demo.core.config import ConfigError
    from ddpm_demo.ui.words.faults import as_toml, faults
    from ddpm_demo.ui.words.glossary import read_glossary
    from ddpm_demo.ui.words.language import FOLDER, LANGUAGE_FILE, Language, languages, read_catalogue
    from ddpm_demo.ui.words.sentences import missing, sentences

    code = arguments.missing
    try:
        if not LANGUAGE_FILE.fullmatch(code):
            raise ValueError
        Locale.parse(code, sep="-")
    except (ValueError, UnknownLocaleError):
        raise ConfigError(
            f"{code!r} is no language: name it by its BCP 47 tag, such as `it`, `pt-BR`, `zh-CN`"
        ) from None
    path = languages().get(code)
    catalogue = Language(code, code) if path is None else read_catalogue(path)
    lacks, wrong = missing(catalogue), faults(catalogue)
    every, left = (sum(len(texts) for texts in found.values()) for found in (sentences(), lacks))
    same = sum(english == text for texts in catalogue.sections.values() for english, text in texts.items())
    print(f"# {code}: {every - left} of {every} sentences are there, {same} of them as in English")
    print("# plural forms, in this order: " + " | ".join(catalogue.forms))
    for file in sorted(FOLDER.glob("*.toml")):
        if file.stem != "glossary" and file.stem not in languages():
            print(f"# {file.name} is not read: name it by its BCP 47 tag, such as `it.toml`")
    for fault in wrong:
        print(f"# {fault}")
    if path is None:
        print(f'# {code}.toml begins with these lines\nname = "the language, as its speakers call it"\ndraft = true')
    for section, texts in lacks.items():
        if texts:
            print(f"\n[{section}]")
        for text in texts:
            print(f"{as_toml(text)} = {as_toml(text)}")
    for word in read_glossary():
        if word.name not in catalogue.words:
            print(f"\n[words.{as_toml(word.name)}]\nname = {as_toml(word.name)}\nforms = {as_toml(word.forms)}")
    return 0
