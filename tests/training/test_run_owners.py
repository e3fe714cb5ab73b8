"""Who may change a run: the visitor who began it, by its key, and the host."""

import pytest

from ddpm_demo.core.config import DemoError
from ddpm_demo.training import run_key, shelf
from ddpm_demo.training.trainer import Trainer
from ddpm_demo.ui.parts.host import Host
from ddpm_demo.ui.parts.readers import MOST_KEYS, shown_keys
from ddpm_demo.ui.tabs.train_desk import NOT_YOURS, Desk
from ddpm_demo.ui.tabs.train_settings import read_run_settings

SETTINGS = ("lite", 8, "1 3", "linear", 1e-3, 8, 0.9, "minutes", 5, 0, ["1", "7"], "mine")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "runs_dir", lambda: tmp_path / "runs")
    desk = Desk({}, allowed=True, trainer=Trainer(save_every=0.2), host=Host(alone=False))
    yield desk
    if desk.trainer.busy:
        desk.trainer.stop()
        desk.trainer.wait(300)


def test_others_watch_and_do_nothing_else(desk):
    begun = desk.start(read_run_settings(*SETTINGS))
    run = begun["run"]
    strangers = [], ["another key"], [desk.host.key[:-1]], [begun["key"] + "x"], begun["key"], None
    for keys in strangers:
        for action in ("pause", "go on", "stop", "resume"):
            assert desk.control({"action": action, "run": run, "keys": keys}) == {"error": NOT_YOURS}, (action, keys)
        for action in ("rename", "delete"):
            answer = desk.change({"action": action, "run": run, "name": "theirs", "keys": keys})
            assert answer == {"error": NOT_YOURS}, (action, keys)
        assert desk.live({"keys": keys})["yours"] is False
        assert [known["yours"] for known in desk.shelf({"keys": keys})["runs"]] == [False]
    assert desk.trainer.busy
    assert shelf.entry(run).name == "mine"


@pytest.mark.parametrize("who", ["starter", "host"])
def test_its_starter_and_the_host_may(desk, who):
    begun = desk.start(read_run_settings(*SETTINGS))
    run, keys = begun["run"], ["of another run", begun["key"] if who == "starter" else desk.host.key]
    assert desk.live({"keys": keys})["yours"] is True
    assert desk.control({"action": "stop", "keys": keys}) == {}
    desk.trainer.wait(300)
    assert desk.change({"action": "rename", "run": run, "name": "yours", "keys": keys}) == {}
    assert desk.change({"action": "delete", "run": run, "keys": []}) == {"error": NOT_YOURS}
    assert desk.change({"action": "delete", "run": run, "keys": keys}) == {}


def test_a_restarted_server_knows_the_starter_and_no_old_host(desk):
    begun = desk.start(read_run_settings(*SETTINGS))
    desk.trainer.stop()
    desk.trainer.wait(300)
    again = Desk({}, allowed=True, host=Host(alone=False))
    asked = {"action": "resume", "run": begun["run"]}
    assert again.control({**asked, "keys": [desk.host.key]}) == {"error": NOT_YOURS}
    assert again.control({**asked, "keys": [begun["key"]]}).get("error") != NOT_YOURS
    if again.trainer.busy:
        again.trainer.stop()
        again.trainer.wait(300)


def test_a_run_without_a_key_is_the_hosts(desk, tmp_path):
    """Such as one of an older version, or one that `ddpm-demo train` wrote onto the shelf."""
    directory = shelf.create("old", read_run_settings(*SETTINGS).model, 4000)
    assert not desk.may_change(directory, ["any", ""])
    assert desk.may_change(directory, [desk.host.key])


def test_alone_with_the_server_everybody_is_the_host():
    assert Host().is_among([])
    assert not Host(alone=False).is_among([Host(alone=False).key])
    assert Host().address("http://127.0.0.1:7860/") == "http://127.0.0.1:7860/"
    host = Host(alone=False)
    assert host.address("http://127.0.0.1:7860/") == f"http://127.0.0.1:7860/?host={host.key}"


def test_the_folder_keeps_only_the_hash(tmp_path):
    key = run_key.new_key(tmp_path)
    assert run_key.fits(tmp_path, key)
    assert not any(key.encode() in path.read_bytes() for path in tmp_path.iterdir())
    (tmp_path / run_key.KEY_FILE).write_bytes(b"\xff")
    assert not run_key.fits(tmp_path, key)
    with pytest.raises(DemoError, match="cannot write"):
        run_key.new_key(tmp_path / "not there")


def test_only_keys_are_read_of_what_a_visitor_shows():
    assert shown_keys({}) == shown_keys({"keys": "abc"}) == shown_keys({"keys": {"a": "b"}}) == []
    assert shown_keys({"keys": ["a", 7, None, "", "x" * 100, ["b"]]}) == ["a"]
    assert len(shown_keys({"keys": ["a"] * 1000})) == MOST_KEYS
