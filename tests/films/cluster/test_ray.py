"""The real Ray, on this machine: films by its workers, one of which is killed, and what the option refuses."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ddpm_demo.bench import classroom
from ddpm_demo.bench.classroom import class_row, read_status
from ddpm_demo.commands.app import check_ray, local_workers
from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.films.cluster.ray_pool import RayPool, WorkerSlot, worker_slots


def test_workers_of_this_machine_make_films_and_one_may_be_killed(monkeypatch):
    monkeypatch.setattr(classroom, "SETTLED_SECONDS", 0.0)
    monkeypatch.setenv("RAY_worker_niceness", "0")  # or a busy machine has the workers wait
    with classroom.server("local:2") as (process, address):
        workers = wait_for(lambda: ready(address, 2))
        assert {row["device"] for row in workers} <= {"cpu", "cuda", "mps"}
        row = class_row(process, address, "lite", [0, 1], 5, 1)  # it compares the digits with its own
        assert (row["refused"], row["mixed"], row["cut"], row["films"]) == (0, 0, 0, 2)
        killed = threading.Thread(target=kill_a_busy_one, args=(address,))
        killed.start()
        row = class_row(process, address, "lite", [2, 3], 50, 1)
        killed.join()
        assert (row["refused"], row["mixed"], row["cut"]) == (0, 0, 0)
        again = wait_for(lambda: ready(address, 2))
        assert len({row["pid"] for row in again} - {row["pid"] for row in workers}) == 1  # Ray has started it again
        for line in listening_to_everybody():
            assert not any(f"pid={pid}," in line for pid in descendants(process.pid)), line


def test_films_by_ray_are_those_that_are_made_here_to_the_last_bit(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("HOME", str(tmp_path))
    program = Path(__file__).parent / "ray_films.py"
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["ddpm 6", "ddim 6", "dpmpp 6"]
    assert not (tmp_path / ".ray").exists()  # Ray leaves nothing at home


def ready(address, count):
    workers = [row for row in read_status(address)["workers"] if row["ready"]]
    return workers if len(workers) == count else None


def wait_for(answer, seconds=300):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := answer():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come to be")


def kill_a_busy_one(address):
    busy = wait_for(lambda: [row for row in read_status(address)["workers"] if row["films"]])
    os.kill(busy[0]["pid"], signal.SIGKILL)


def listening_to_everybody():
    """Lines of `ss` for sockets that other machines could reach; none where there is no `ss`."""
    with contextlib.suppress(FileNotFoundError):
        lines = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout.splitlines()
        return [line for line in lines if not re.search(r"\s(127\.0\.0\.1|\[::ffff:127\.0\.0\.1\]|\[::1\]):", line)]
    return []


def descendants(pid):
    found, parents = {pid}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def node(name, cpus, gpus=0.0, alive=True):
    resources = {"CPU": cpus, "GPU": gpus} if gpus else {"CPU": cpus}
    return {"NodeID": name, "NodeManagerAddress": f"ip-{name}", "Alive": alive, "Resources": resources}


def test_there_is_a_worker_for_each_gpu_and_each_machine_without_one():
    nodes = [node("a", 8.0), node("b", 16.0, 2.0), node("c", 4.0, alive=False), node("d", 0.0)]
    assert worker_slots(nodes, 0) == [
        WorkerSlot("a", 0, "ip-a/1", 8, 0.0),
        WorkerSlot("b", 0, "ip-b/1", 8, 1.0),
        WorkerSlot("b", 1, "ip-b/2", 8, 1.0),
    ]
    assert worker_slots(nodes[:1], 3) == [WorkerSlot("a", index, f"ip-a/{index + 1}", 2, 0.0) for index in range(3)]
    assert worker_slots([node("g", 4.0, 1.0)], 2) == [
        WorkerSlot("g", index, f"ip-g/{index + 1}", 2, 0.5) for index in range(2)
    ]


def test_where_the_workers_are_is_checked():
    assert [local_workers(text) for text in ("local:1", "local:64", "10.0.0.1:6379", "auto")] == [1, 64, 0, 0]
    for text in ("local:", "local:0", "local:65", "local:x", "here", ":6379", "ray://host:10001", "host:"):
        with pytest.raises(ConfigError, match="--cluster"):
            local_workers(text)


def test_without_ray_the_option_says_what_to_install(monkeypatch):
    monkeypatch.setattr("ddpm_demo.commands.app.importlib.util.find_spec", lambda name: None)
    with pytest.raises(DemoError, match=r'pip install "ddpm-demo\[cluster\]"'):
        check_ray()


def test_a_cluster_that_is_not_there_is_one_sentence():
    with pytest.raises(DemoError, match=r"^cannot start with the cluster 127\.0\.0\.1:9: .+$"):
        RayPool("127.0.0.1:9", 0)
