"""The page's tabs, one row each: their order is the page's, and nothing else lists them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddpm_demo.films.executor import Executor
from ddpm_demo.ui.film.generate_tab import build_generate_tab
from ddpm_demo.ui.tabs.network import build_network_tab
from ddpm_demo.ui.tabs.noise import build_noise_tab
from ddpm_demo.ui.tabs.receptive import build_receptive_tab
from ddpm_demo.ui.tabs.schedule import build_schedule_tab
from ddpm_demo.ui.tabs.train import build_train_tab
from ddpm_demo.ui.tabs.train_desk import Desk
from ddpm_demo.words.sentence import say


@dataclass(frozen=True)
class Ingredients:
    """What tabs are built from: the checkpoints by name, the desk of the Train tab, and what makes the films, if any.

    Training adds to `checkpoints` while the page is served.
    """

    checkpoints: dict[str, Path]
    desk: Desk
    executor: Executor | None = None


@dataclass(frozen=True)
class TabEntry:
    """A row of the table.

    `id` names the tab in the page (`#tab-ID`), in links and to `open_tab.js`. `build` lays it out inside an open
    `gr.Tab` and returns the components that the rest of the page sets, if any.
    """

    title: str
    id: str
    build: Callable[[Ingredients], Any]


TABS = (
    TabEntry(say("Noise"), "noise", lambda page: build_noise_tab(page.checkpoints)),
    TabEntry(say("Schedule"), "schedule", lambda page: build_schedule_tab()),
    TabEntry(say("Network"), "network", lambda page: build_network_tab(page.checkpoints)),
    TabEntry(say("Receptive field"), "receptive-field", lambda page: build_receptive_tab(page.checkpoints)),
    TabEntry(say("Generate"), "generate", lambda page: build_generate_tab(page.checkpoints, page.executor)),
    TabEntry(say("Train"), "train", lambda page: build_train_tab(page.desk)),
)


def tab_ids() -> dict[str, str]:
    """Return the tabs' ids by title."""
    return {tab.title: tab.id for tab in TABS}
