import subprocess
import sys
import threading
import time

import pytest

from ddpm_demo.core.config import DemoError
from ddpm_demo.training.run_lock import LockedError, RunLock, is_locked


def test_the_second_gets_a_sentence(tmp_path):
    with RunLock(tmp_path) as lock:
        assert lock.holds
        assert is_locked(tmp_path)
        with pytest.raises(LockedError, match="another program is training the run in"):
            RunLock(tmp_path)
    assert not is_locked(tmp_path)
    RunLock(tmp_path).release()


def test_a_killed_process_loses_it(tmp_path):
    code = "import sys, time; from pathlib import Path; from ddpm_demo.training.run_lock import RunLock\n"
    code += "lock = RunLock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    assert is_locked(tmp_path)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    RunLock(tmp_path).release()


def test_a_deleted_directory_is_noticed_and_an_unwritable_one_named(tmp_path):
    with RunLock(tmp_path / "run") as lock:
        lock.path.unlink()
        assert not lock.holds
    assert not is_locked(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoError, match="cannot write"):
        RunLock(tmp_path / "file")


def test_those_who_ask_do_not_take_each_other_for_the_trainer(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    RunLock(tmp_path).release()
    with (tmp_path / ".lock").open() as asker:
        fcntl.flock(asker, fcntl.LOCK_SH)  # as long as it likes: a slow thread of a busy server
        assert not is_locked(tmp_path)


def test_a_listing_never_waits_for_a_trainer(tmp_path, monkeypatch):
    def no_waiting(seconds):
        raise AssertionError(f"slept for {seconds} s")

    with RunLock(tmp_path):
        monkeypatch.setattr(time, "sleep", no_waiting)
        assert all(is_locked(tmp_path) for _ in range(20))
    assert not is_locked(tmp_path)


def test_many_who_ask_at_once_all_get_the_truth_and_do_not_keep_a_trainer_out(tmp_path):
    RunLock(tmp_path).release()
    answers, stop, go = [], threading.Event(), threading.Barrier(9)

    def ask():
        go.wait()
        while not stop.is_set():
            answers.append(is_locked(tmp_path))

    askers = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
    for asker in askers:
        asker.start()
    go.wait()
    while len(answers) < 100 and any(asker.is_alive() for asker in askers):
        time.sleep(0.01)
    free = list(answers)
    try:
        for _ in range(5):
            RunLock(tmp_path).release()
    finally:
        stop.set()
        for asker in askers:
            asker.join()
    assert free
    assert not any(free)


def test_another_thread_may_release_it(tmp_path):
    lock = RunLock(tmp_path)
    other = threading.Thread(target=lock.release)
    other.start()
    other.join()
    RunLock(tmp_path).release()


def test_what_is_odd_in_the_locks_place_is_no_trainer(tmp_path):
    (tmp_path / ".lock").mkdir()
    assert not is_locked(tmp_path)
    with pytest.raises(DemoError, match="cannot write"):
        RunLock(tmp_path)
