import os
import shutil
from pathlib import Path

import pytest
import torch

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.model import Denoiser, seeded_denoiser
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.store.files import CACHE_VARIABLE, RUNS_FOLDER


def pytest_configure():
    """Let tests that run side by side, and the servers that they start, share the processors."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        threads = max(1, (os.cpu_count() or 1) // workers)
        torch.set_num_threads(threads)
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))


def pytest_collection_modifyitems(items):
    """Mark what drives a browser, by where it stands, and begin with it: the longest files must not come last."""
    for item in items:
        if Path(__file__).parent / "browser" in item.path.parents:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """One cache for the session and every server and program that it starts, never the developer's own.

    Shared, so that MNIST is unpacked and the classifier trained once.
    """
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(folder))
        yield folder


@pytest.fixture(scope="module", autouse=True)
def no_runs_of_other_files(cache):
    """A file of tests finds no training run that another has left in the cache: they stand in lists on every tab."""
    yield
    shutil.rmtree(cache / RUNS_FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def linear() -> Schedule:
    return Schedule.from_config(ScheduleConfig())


@pytest.fixture
def tiny() -> Denoiser:
    """A network that differs from the real ones in width and depth alone."""
    return seeded_denoiser(ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16), seed=0)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
