from pathlib import Path

import pytest

from ddpm_demo.training.notes import time_words, without_folder
from ddpm_demo.training.run_entry import read_entry
from ddpm_demo.ui.words.language import Language, in_language
from ddpm_demo.words.sentence import say, with_commas

WRITTEN = """
name = "Loud"
[server]
"cannot write {path}: {why}" = "NO {path} ({why})"
"{before}, {after}" = "{after}/{before}"
"{path} is not there" = "{path} GONE"
"""


@pytest.fixture
def loud(tmp_path):
    (tmp_path / "de.toml").write_text(WRITTEN, encoding="utf-8")
    return Language("de", "Loud", path=tmp_path / "de.toml")


def test_a_note_names_files_without_their_folder_and_stays_a_sentence(loud):
    folder = Path("runs")
    note = say(
        "cannot write {path}: {why}", path=folder / "a" / "b", why=say("cannot write {path}: {why}", path=1, why=2)
    )
    shown = without_folder(say("{before}, {after}", before=note, after=folder), folder / "a")
    assert shown == "cannot write b: cannot write 1: 2, runs"
    assert in_language(shown, loud) == "runs/NO b (NO 1 (2))"
    assert without_folder(say(f"cannot write {folder / 'b'}"), folder) == "cannot write b"


def test_a_list_and_a_time_are_said_in_words(loud):
    assert with_commas(["a", "b", "c"]) == "a, b, c"
    assert in_language(with_commas(["a", "b", "c"]), loud) == "c/b/a"
    assert with_commas(["a"]) == "a"
    said = [time_words(seconds) for seconds in (0.6, 45, 89.4, 90, 5399, 5400)]
    assert said == ["1 second", "45 seconds", "89 seconds", "2 minutes", "90 minutes", "1.5 hours"]


def test_what_is_wrong_with_a_run_is_said_in_another_language(tmp_path, loud):
    fault = read_entry(tmp_path / "no-run").fault
    assert (fault, in_language(fault, loud)) == ("run.safetensors is not there", "run.safetensors GONE")
