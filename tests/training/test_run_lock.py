import subprocess
import sys

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
