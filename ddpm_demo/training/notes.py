"""What is said of a run to whoever looks at the page: whole sentences, without the server's folders."""

import os
from pathlib import Path
from typing import Any

from ddpm_demo.words.sentence import Sentence, say


def without_folder(said: Any, folder: Path) -> Any:
    """Return a sentence, or a value of one, that names the files in a folder without the folder."""
    if isinstance(said, Sentence) and said.values:
        return Sentence(said.template, {name: without_folder(value, folder) for name, value in said.values.items()})
    if not isinstance(said, str | Path):
        return said
    text = str(said).replace(f"{folder}{os.sep}", "")
    return said if text == said else text  # what names no file stays a sentence


def time_words(seconds: float) -> str:
    """Return a length of time as people say it: `45 seconds`, `12 minutes`, `1.5 hours`."""
    if seconds < 90:
        return say("{seconds} second|{seconds} seconds", seconds=round(seconds))
    if seconds < 5400:
        return say("{minutes} minute|{minutes} minutes", minutes=round(seconds / 60))
    return say("{hours:.1f} hours", hours=seconds / 3600)
