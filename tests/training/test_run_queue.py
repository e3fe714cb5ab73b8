"""The queue of runs: who is next, who may change it, and what becomes of a run that cannot begin."""

import pytest

from ddpm_demo.core.config import DemoError
from ddpm_demo.training import shelf
from ddpm_demo.training.run_entry import NAME_FILE
from ddpm_demo.training.run_queue import BROKEN, BUSY, FULL, MOST_WAITING, QueuePlace, RunQueue
from ddpm_demo.training.trainer import Trainer
from ddpm_demo.ui.parts.host import Host
from ddpm_demo.ui.tabs.train_desk import NOT_THE_HOST, Desk
from ddpm_demo.ui.words import visitor
from ddpm_demo.ui.words.language import codes, language

SETTINGS = ["lite", 8, "1 3", "linear", 1e-3, 8, 0.9, "minutes", 5, 0, ["1", "7"], "mine"]


class FakeTrainer(Trainer):
    """One whose runs begin and end when the test says so."""

    going = False

    @property
    def busy(self):
        return self.going

    def end(self):
        self.going = False
        self._freed()


@pytest.fixture
def trainer():
    return FakeTrainer()


@pytest.fixture
def begun():
    return []


@pytest.fixture
def begin(trainer, begun):
    def make(name):
        def now(key):
            begun.append((name, key))
            trainer.going = True

        return now

    return make


def test_first_come_first_served(trainer, begin, begun):
    queue = RunQueue(trainer)
    queue.begin_now(lambda: begin("now")(""))
    ada, ben = queue.join([], "a", begin("a")), queue.join(["of another server"], "b", begin("b"))
    assert queue.place([ada]) == QueuePlace(2, 1, "a")
    assert queue.place(["x", ben]) == QueuePlace(2, 2, "b")
    assert queue.place(["x"]) == QueuePlace(2)
    trainer.end()
    assert begun == [("now", ""), ("a", ada)]
    assert queue.place([ben]) == QueuePlace(1, 1, "b")
    trainer.end()
    trainer.end()
    assert begun == [("now", ""), ("a", ada), ("b", ben)]
    assert not queue.busy


def test_nobody_passes_those_who_wait(trainer, begin):
    queue = RunQueue(trainer)
    trainer.going = True
    queue.join([], "a", begin("a"))
    trainer.going = False  # for the moment between one run and the next
    with pytest.raises(DemoError, match=BUSY):
        queue.begin_now(lambda: begin("b")(""))


def test_who_joins_when_it_has_become_free_begins_at_once(trainer, begin, begun):
    queue = RunQueue(trainer)
    key = queue.join([], "a", begin("a"))
    assert begun == [("a", key)]
    assert queue.place([key]) == QueuePlace(0)


def test_one_run_a_visitor_who_keeps_the_place(trainer, begin, begun):
    queue = RunQueue(trainer)
    trainer.going = True
    key = queue.join([], "a", begin("a"))
    queue.join([], "other", begin("other"))
    assert queue.join([key], "better", begin("better")) == key
    assert queue.place([key]) == QueuePlace(2, 1, "better")
    trainer.end()
    assert begun == [("better", key)]


def test_the_queue_is_bounded_and_is_left_and_cleared(trainer, begin, begun):
    queue = RunQueue(trainer)
    trainer.going = True
    keys = [queue.join([], str(k), begin(str(k))) for k in range(MOST_WAITING)]
    with pytest.raises(DemoError, match=FULL):
        queue.join([], "too many", begin("too many"))
    queue.join(keys[:1], "another, in its place", begin("0"))
    queue.leave(keys[:1])
    queue.leave(["nobody's"])
    assert queue.place(keys[1:2]) == QueuePlace(MOST_WAITING - 1, 1, "1")
    queue.clear()
    trainer.end()
    assert (queue.place(keys), begun) == (QueuePlace(0), [])


def test_a_run_that_cannot_begin_lets_the_next_and_its_visitor_is_told_once(trainer, begin, begun, caplog):
    queue = RunQueue(trainer)
    trainer.going = True

    def fails(error):
        def now(_):
            raise error

        return now

    full, broken = queue.join([], "a", fails(DemoError("no disk"))), queue.join([], "b", fails(OSError("secret")))
    last = queue.join([], "c", begin("c"))
    trainer.end()
    assert begun == [("c", last)]
    assert [queue.fault([last]), queue.fault([full]), queue.fault([full])] == ["", "no disk", ""]
    assert queue.fault([broken]) == BROKEN
    assert "secret" in caplog.text
    trainer.end()
    with pytest.raises(DemoError, match="no disk"):
        queue.join([], "a", fails(DemoError("no disk")))


@pytest.mark.parametrize("code", codes())
def test_a_run_without_a_name_gets_one_in_the_language_of_whoever_begins_it(code, tmp_path, monkeypatch):
    """Even when its turn comes long after, in the trainer's own thread."""
    monkeypatch.setattr(shelf, "runs_dir", lambda: tmp_path / "runs")
    trainer = FakeTrainer()
    monkeypatch.setattr(trainer, "start", lambda directory, make: None)
    trainer.going = True
    desk = Desk({}, allowed=True, trainer=trainer, host=Host(alone=False))
    reader = language(code)
    with monkeypatch.context() as patch:
        patch.setattr(visitor, "visitors_language", lambda: reader)
        for _ in range(2):
            desk.wait({"action": "join", "asked": [*SETTINGS[:-1], ""]})
    trainer.going = False
    trainer._freed()
    names = [(folder / NAME_FILE).read_text(encoding="utf-8") for folder in (tmp_path / "runs").iterdir()]
    template = reader.of("my {channels}-channel run {number}")
    assert sorted(names) == [template.format(channels=8, number=number) for number in (1, 2)]


def test_a_real_run_begins_when_the_one_before_has_ended(tmp_path, monkeypatch):
    """The desk's own answers, and a trainer that trains."""
    monkeypatch.setattr(shelf, "runs_dir", lambda: tmp_path / "runs")
    desk = Desk({}, allowed=True, trainer=Trainer(save_every=0.2), host=Host(alone=False))
    try:
        first = desk.wait({"action": "join", "asked": SETTINGS})  # the trainer is free
        run = desk.live({"keys": [first["key"]]})
        assert (run["yours"], run["host"], run["queue"]["waiting"]) == (True, False, 0)
        joined = desk.wait({"action": "join", "asked": [*SETTINGS[:-1], "second"], "keys": []})
        queue = {"waiting": 1, "place": 1, "name": "second", "most_pause": None, "fault": ""}
        assert desk.live({"keys": [joined["key"]]})["queue"] == queue
        assert desk.live({"keys": []})["queue"] == {
            "waiting": 1,
            "place": None,
            "name": "",
            "most_pause": None,
            "fault": "",
        }
        assert desk.wait({"action": "clear", "keys": [joined["key"]]}) == {"error": NOT_THE_HOST}
        assert "error" in desk.wait({"action": "join", "asked": [*SETTINGS, "more"]})
        assert "error" in desk.wait({"action": "join", "asked": "lite"})
        assert "error" in desk.wait({"action": "push in"})
        before = desk.trainer._thread
        desk.control({"action": "stop", "keys": [first["key"]]})
        before.join(300)
        second = desk.live({"keys": [joined["key"]]})
        assert second["yours"] is True
        assert shelf.entry(second["busy"]).name == "second"
        desk.wait({"action": "join", "asked": [*SETTINGS[:-1], "third"]})
        assert desk.wait({"action": "clear", "keys": [desk.host.key]}) == {}
        desk.control({"action": "stop", "keys": [joined["key"]]})
    finally:
        if desk.trainer.busy:
            desk.trainer.stop()
        desk.trainer.wait(300)
    assert not desk.trainer.busy
