"""The bench of company: a few films, and that it would notice one that differs."""

import torch

from ddpm_demo.bench import company
from ddpm_demo.bench.company import bench_company, grey_levels_apart


def test_films_do_not_depend_on_who_else_has_one_made():
    alone, shared = bench_company(films=9)
    assert (alone["films_a_call"], alone["same_bits"], alone["apart"]) == (1, 9, 0)
    assert (shared["films_a_call"], shared["within_a_grey_level"]) == (8, 9)
    assert shared["apart"] <= 1


def test_a_film_that_differs_is_noticed(monkeypatch):
    monkeypatch.setattr(company, "made_alone", lambda loaded, job: torch.full((job.n, 1, 28, 28), 9.0))
    row = next(bench_company(films=3))
    assert (row["same_bits"], row["within_a_grey_level"], row["apart"]) == (0, 0, 255)


def test_grey_levels():
    a, b = torch.zeros(2, 1, 2, 2), torch.tensor([0.0, 0.008]).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    assert grey_levels_apart(a, b) == 1
