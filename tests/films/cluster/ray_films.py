"""Films by a worker of the real Ray, beside the same films made here: prints how many steps are equal to the last bit.

A program of its own, because Ray changes the process that starts it; `test_ray.py` runs it.
"""

import os
import threading

import torch

from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.films.cluster.ray_pool import cluster_executor
from ddpm_demo.films.film_job import FilmJob, FilmWalk, film_alone
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store.shipped import shipped_checkpoints

CONFIGS = [SamplerConfig(steps=6), SamplerConfig(kind="ddim", eta=0.5, steps=6), SamplerConfig(kind="dpmpp", steps=6)]


class Viewer:
    def __init__(self, walk):
        self.walk, self.steps, self.done = walk, [], threading.Event()

    def deliver(self, taken):
        self.steps.append(taken.step)
        if not self.walk.left:
            self.done.set()

    def fail(self, error):
        print(repr(error))
        self.done.set()


def main():
    network, guide = (load_placed(shipped_checkpoints()[name]) for name in ("lite", "tiny"))
    executor = cluster_executor("local:1", 1)
    viewers = []
    for k, config in enumerate(CONFIGS):
        job = FilmJob(network.digest, config, 1 + k, k, guide.digest if k else "", 2.0 if k else 1.0)
        viewers.append(Viewer(FilmWalk(job, network.schedule)))
        executor.begin(viewers[-1].walk, viewers[-1])
        assert viewers[-1].done.wait(240)  # one after the other: films that share a call are within a grey level only
    torch.set_num_threads(os.cpu_count() or 1)  # as the one worker of this machine: another number sums otherwise
    for viewer in viewers:
        walk, same = FilmWalk(viewer.walk.job, network.schedule), 0
        for step, alone in zip(viewer.steps, film_alone(network, guide, walk), strict=True):
            mine = alone.step
            names = ("x_t", "eps_hat", "x0_hat", "z", "x_s")
            same += all(torch.equal(getattr(mine, name), getattr(step, name)) for name in names)
        print(walk.job.config.kind, same)


if __name__ == "__main__":
    main()
