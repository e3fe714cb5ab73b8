"""The principal plane against NumPy's singular values, and the film's way on it."""

import base64

import numpy as np
import pytest
import torch

from ddpm_demo.core.sampling import start_noise
from ddpm_demo.explaining.plane import CLOUD, mnist_plane, principal_plane
from ddpm_demo.machine.device import answering_placement
from ddpm_demo.networks.loaded_networks import LoadedNetwork
from ddpm_demo.ui.film.film_settings import FilmSettings
from ddpm_demo.ui.film.films import Films
from ddpm_demo.ui.film.path import path_cloud, path_trails
from ddpm_demo.ui.parts.plots import plane_figure
from tests.ui.film_messages import film_messages


def test_the_plane_is_that_of_the_singular_value_decomposition():
    points = np.random.default_rng(0).normal(size=(300, 6)) * [5, 1, 3, 0.5, 0.2, 1] + 4
    plane = principal_plane(points)
    _, s, v = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(plane.components @ v[:2].T), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(plane.explained, s[:2] ** 2 / (s**2).sum(), rtol=1e-9)
    np.testing.assert_allclose(plane.project(points).mean(axis=0), 0, atol=1e-9)


def test_the_cloud_is_real_digits_of_every_class():
    plane, points, labels = mnist_plane()
    assert np.bincount(labels).tolist() == [CLOUD] * 10
    np.testing.assert_allclose(plane.components @ plane.components.T, np.eye(2), atol=1e-9)
    figure = plane_figure(points, labels, plane.explained)
    assert [trace["name"] for trace in figure["data"]] == list("0123456789")
    assert f"{100 * plane.explained[0]:.1f} %" in figure["layout"]["xaxis"]["title"]["text"]
    assert len(path_cloud()["figure"]["data"]) == 10


def test_the_trails_are_the_films_pictures_on_the_plane(tiny, linear):
    films = Films()
    loaded = LoadedNetwork(tiny, linear, answering_placement(), None)
    *_, last = film_messages(loaded, FilmSettings("lite", sampler="ddim", clip="none", steps=6, n=3, seed=1), films)
    answer = path_trails({"run": last["run"]}, films)
    where = np.frombuffer(base64.b64decode(answer["x_t"]), "<f4").reshape(answer["frames"], answer["n"], 2)
    assert where.shape == (7, 3, 2)
    x_T = start_noise(3, 1, 28, torch.Generator().manual_seed(1))
    plane, _, _ = mnist_plane()
    np.testing.assert_allclose(where[0], plane.project(x_T.flatten(1).numpy()), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        where[-1], plane.project(films.get(last["run"]).last().flatten(1).numpy()), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("bad", [None, "x", {}, {"run": "nobody's"}, {"run": 5}])
def test_questions_past_the_interface_get_a_sentence(bad):
    assert set(path_trails(bad, Films())) == {"error"}
