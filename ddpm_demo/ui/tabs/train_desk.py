"""What the Train tab's page asks the server: the state of the run, its pictures, and the shelf of runs."""

import base64
import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.core.model import count_parameters, unfilled_denoiser
from ddpm_demo.machine.device import best_placement
from ddpm_demo.machine.scheduler import NETWORK
from ddpm_demo.store import checkpoint
from ddpm_demo.training import shelf, snapshots
from ddpm_demo.training.baselines import comparable
from ddpm_demo.training.history import read_since, thinned
from ddpm_demo.training.run import Run
from ddpm_demo.training.run_entry import Entry
from ddpm_demo.training.run_key import fits, new_key
from ddpm_demo.training.run_queue import RunQueue
from ddpm_demo.training.trainer import Trainer
from ddpm_demo.ui.parts.bridge import server_function
from ddpm_demo.ui.parts.host import Host
from ddpm_demo.ui.parts.readers import named_values, shown_keys
from ddpm_demo.ui.tabs.train_pictures import look_back, moment, noises
from ddpm_demo.ui.tabs.train_settings import RunRequest, read_run_settings
from ddpm_demo.ui.words.visitor import visitors_words
from ddpm_demo.words.sentence import say

REFUSAL = say("training is switched off on this server")
NOT_THE_HOST = say("only the host can clear the queue")
NOT_YOURS = say(
    "somebody else started this run: only they, in the browser they started it from, or the host can do that"
)
RUN_SETTINGS = len(inspect.signature(read_run_settings).parameters)
POINTS = 1200  # of the loss, that a page gets when it opens


class Desk:
    """The trainer of all visitors and the shelf; its methods answer the page with plain JSON, errors in `error`."""

    def __init__(
        self,
        checkpoints: dict[str, Path],
        *,
        allowed: bool,
        trainer: Trainer | None = None,
        host: Host | None = None,
    ) -> None:
        """Add the shelf's runs to `checkpoints`, which all tabs share, and keep it up to date from now on.

        Without a `host` every visitor is the host.
        """
        self.allowed = allowed
        self.host = host or Host()
        self.trainer = trainer or Trainer(NETWORK.training_turn)
        self.queue = RunQueue(self.trainer)
        self.checkpoints, self._base = checkpoints, dict(checkpoints)
        shelf.clear_deleted()
        self.offer()

    def functions(self) -> list[Callable[[Any], dict[str, Any]]]:
        """Return what the page may call, as plain functions: Gradio marks them, which a method does not allow."""
        methods = (self.live, self.control, self.shelf, self.change, self.wait)
        return [moment, noises, look_back, *(_function(method) for method in methods)]

    def offer(self) -> dict[str, str]:
        """Bring the list of checkpoints up to date; return a label with the provenance for each name."""
        return shelf.offer(self.checkpoints, self._base)

    def start(
        self, settings: RunRequest, drawings: Tensor | None = None, *, first: Path | None = None
    ) -> dict[str, str]:
        """Start a run, on `drawings` uint8 (N, 28, 28) if any; return its id, `run`, and the `key` to change it.

        With `first` it starts from the weights of that checkpoint. Raises DemoError where it cannot start.
        """
        self.must_be_allowed()
        said = visitors_words()
        return self.queue.begin_now(lambda: self._begin(settings, drawings, first, said))

    def join(
        self,
        keys: Collection[str],
        settings: RunRequest,
        drawings: Tensor | None = None,
        *,
        first: Path | None = None,
    ) -> dict[str, str]:
        """Let such a run wait for its turn; return the `key` of its visitor, who holds `keys` already.

        Raises DemoError where it cannot wait, or start.
        """
        self.must_be_allowed()
        said = visitors_words()
        begin = functools.partial(self._begin, settings, drawings, first, said)
        return {"key": self.queue.join(keys, settings.name, begin)}

    def _begin(
        self,
        settings: RunRequest,
        drawings: Tensor | None,
        first: Path | None,
        said: Callable[[str], str],
        known: str | None = None,
    ) -> dict[str, str]:
        self.trainer.must_be_free()  # before a directory is made for nothing
        parameters = count_parameters(unfilled_denoiser(settings.model))
        directory = shelf.create(settings.name, settings.model, parameters, said)
        key = new_key(directory, known)
        placement = best_placement()
        self.trainer.start(
            directory,
            lambda: Run.begin(
                directory,
                settings.model,
                settings.config,
                placement,
                settings.schedule,
                first=checkpoint.load(first) if first else None,
                drawings=drawings,
            ),
        )
        return {"run": directory.name, "key": key}

    def must_be_allowed(self) -> None:
        """Raise DemoError where training is switched off."""
        if not self.allowed:
            raise DemoError(REFUSAL)

    def may_change(self, run: Path, keys: Collection[str]) -> bool:
        """Return whether a visitor who holds these keys may change the run in a directory."""
        return self.host.is_among(keys) or any(fits(run, key) for key in keys)

    def _must_be_theirs(self, run: Path, fields: Mapping[str, Any]) -> None:
        if not self.may_change(run, shown_keys(fields)):
            raise DemoError(NOT_YOURS)

    @server_function
    def live(self, question: Any) -> dict[str, Any]:
        """Answer the page that watches a run: what is new since its last question. With no run named: the newest."""
        fields = named_values(question)
        status = self.trainer.status
        run_id = fields.get("run") or status.run
        if run_id is None:
            known = shelf.entries()
            run_id = known[0].id if known else None
        answer: dict[str, Any] = {"phase": status.phase, "busy": status.run, "note": status.note, "run": run_id}
        keys = shown_keys(fields)
        answer["queue"] = {**asdict(self.queue.place(keys)), "fault": self.queue.fault(keys)}
        answer["host"] = self.host.is_among(keys)
        if status.phase == "idle":
            answer["busy"] = None
        elif status.run is not None:
            answer["yours"] = self.may_change(shelf.runs_dir() / status.run, keys)
        if run_id is None:
            return answer
        directory = shelf.directory_of(run_id)
        sitting, offset = fields.get("sitting"), fields.get("offset")
        part = read_since(
            directory,
            sitting if isinstance(sitting, str) else "",
            offset if isinstance(offset, int) and not isinstance(offset, bool) else 0,
        )
        pictures, weights = snapshots.steps_kept(directory)
        if status.run == run_id and status.progress is not None:
            progress = status.progress
            answer |= {"step": progress.step, "total": progress.total, "seconds": progress.seconds}
        return answer | {
            "comparable": comparable(directory),  # false at first: a run that has just begun has no file yet
            "lines": thinned(part.lines, POINTS),
            "sitting": part.sitting,
            "offset": part.offset,
            "fresh": part.fresh,
            "pictures": pictures,
            "weights": weights,
        }

    @server_function
    def control(self, question: Any) -> dict[str, Any]:
        """Do what a button of the page says: pause, go on, stop, or resume a run of the shelf.

        Only for whoever started the run, and for the host.
        """
        self.must_be_allowed()
        fields = named_values(question)
        action = fields.get("action")
        if action == "resume":
            known = shelf.entry(fields.get("run"))
            self._must_be_theirs(known.directory, fields)
            return {"run": self._resume(known)}
        action = {"pause": self.trainer.pause, "go on": self.trainer.go_on, "stop": self.trainer.stop}.get(str(action))
        if action is None:
            raise ConfigError("choose pause, go on, stop or resume")
        run = self.trainer.status.run
        if self.trainer.busy and run is not None:
            self._must_be_theirs(shelf.runs_dir() / run, fields)
        action()
        return {}

    def _resume(self, known: Entry) -> str:
        if known.fault:
            raise DemoError("this run cannot be resumed: {why}", why=known.fault)
        if known.finished:
            raise DemoError("this run is finished")
        placement = best_placement()
        self.queue.begin_now(
            lambda: self.trainer.start(known.directory, lambda: Run.resume(known.directory, placement))
        )
        return known.id

    @server_function
    def wait(self, question: Any) -> dict[str, Any]:
        """Do what a button of the queue says: join, with the settings in `asked`; leave; or, for the host, clear."""
        self.must_be_allowed()
        fields = named_values(question)
        action, keys = fields.get("action"), shown_keys(fields)
        if action == "join":
            asked = fields.get("asked")
            if not isinstance(asked, list) or len(asked) != RUN_SETTINGS:
                raise ConfigError("a run has {count} settings", count=RUN_SETTINGS)
            return self.join(keys, read_run_settings(*asked))
        if action == "leave":
            self.queue.leave(keys)
        elif action == "clear":
            if not self.host.is_among(keys):
                raise DemoError(NOT_THE_HOST)
            self.queue.clear()
        else:
            raise ConfigError("choose join, leave or clear")
        return {}

    @server_function
    def shelf(self, question: Any = None) -> dict[str, Any]:
        """Answer the page: every run on the shelf, and whether this visitor may change it."""
        keys = shown_keys(question) if isinstance(question, Mapping) else []
        self.offer()
        runs = [{**_shown(known), "yours": self.may_change(known.directory, keys)} for known in shelf.entries()]
        return {"runs": runs, "allowed": self.allowed}

    @server_function
    def change(self, question: Any) -> dict[str, Any]:
        """Rename or delete a run of the shelf, or hand out its checkpoint, which everybody may have."""
        fields = named_values(question)
        action, run_id = fields.get("action"), fields.get("run")
        if action == "export":
            name, content = shelf.export(run_id)
            file = base64.b64encode(content).decode("ascii")
            return {"file": file, "name": name, "type": "application/octet-stream"}
        self.must_be_allowed()
        self._must_be_theirs(shelf.directory_of(run_id), fields)
        if action == "rename":
            shelf.rename(run_id, fields.get("name"))
        elif action == "delete":
            shelf.delete(run_id)
        else:
            raise ConfigError("choose rename, export or delete")
        self.offer()
        return {}


def _function(method: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    @functools.wraps(method)
    def answer(question: Any = None) -> dict[str, Any]:
        return method(question)

    return answer


def _shown(known: Entry) -> dict[str, Any]:
    """Return a run as the page lists it."""
    return {
        "id": known.id,
        "name": known.name,
        "words": known.words,
        "step": known.step,
        "megabytes": known.megabytes,
        "finished": known.finished,
        "locked": known.locked,
        "fault": known.fault,
        "checkpoint": known.checkpoint is not None,
        "settings": asdict(known.config) if known.config else None,
    }
