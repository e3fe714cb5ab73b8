import io
import json

import numpy as np
import pytest
from PIL import Image, ImageSequence

from ddpm_demo.store.pictures import CLASS_COLOURS, film_gif, frame_time, grid_png, tile
from ddpm_demo.ui.parts.plots import radial_figure, schedule_figure
from ddpm_demo.ui.parts.schedules import curve_style
from ddpm_demo.ui.tabs.train import first_train_value
from ddpm_demo.words.sentence import Sentence


def some_digits(count):
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def test_tile_puts_every_image_in_its_place():
    images = some_digits(5)
    grid = tile(images, gap=2)
    assert grid.shape == (2 * 30 + 2, 3 * 30 + 2)
    np.testing.assert_array_equal(grid[2:30, 2:30], images[0])
    np.testing.assert_array_equal(grid[32:60, 32:60], images[4])


def test_png_holds_the_pixels():
    images = some_digits(4)
    picture = np.asarray(Image.open(io.BytesIO(grid_png(images, scale=2))))
    np.testing.assert_array_equal(picture[::2, ::2], tile(images))


def test_gif_moves_and_keeps_sixteen_greys():
    frames = [some_digits(4), np.zeros((4, 28, 28), np.uint8), np.full((4, 28, 28), 255, np.uint8)]
    film = Image.open(io.BytesIO(film_gif(frames)))
    assert film.n_frames == 3
    film.seek(2)
    assert np.asarray(film.convert("L")).max() == 255
    film.seek(0)
    assert len(np.unique(np.asarray(film.convert("L")))) <= 16


@pytest.mark.parametrize("limit", [None, 3_000])
@pytest.mark.parametrize("count", [5, 51])
def test_a_gif_has_a_frame_for_each_equal_ones_too_and_shows_it_as_long_as_is_said(count, limit):
    """Pillow alone would merge them: of a film whose last eleven pictures are equal it leaves 41 of 51."""
    first = some_digits(4)
    frames = [first // (count - k) for k in range(count - 3)] + [first] * 3
    film = Image.open(io.BytesIO(film_gif(frames, limit=limit)))
    assert film.n_frames == count
    times = [frame.info["duration"] for frame in ImageSequence.Iterator(film)]
    assert times == [frame_time(count)] * (count - 1) + [1500]
    assert frame_time(count) == {5: 800, 51: 80}[count]
    shown = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(film)]
    for at in (-2, -3):
        np.testing.assert_array_equal(shown[at], shown[-1])  # the second black is black
    assert (shown[-1][:4, :4] == 0).all()


def test_figures_are_plain_json_with_the_numbers_given():
    table, names = (np.array([0.9, 0.5]), np.array([0.1, 0.2])), ("linear", "cosine", "custom")
    styles = {name: curve_style(name) for name in names}
    figure = json.loads(json.dumps(schedule_figure(dict.fromkeys(names, table), styles)))
    curves = [trace["y"] for trace in figure["data"][:6]]
    assert curves == [[0.9, 0.5], [0.94868, 0.70711], [0.31623, 0.70711], [0.1, 0.2], [9.0, 1.0], [9.5424, 0.0]]
    assert len(figure["data"]) == 18
    figure = json.loads(json.dumps(radial_figure([0, 1, 2, 3], [[1.0, 0.0]] * 4)))
    assert figure["data"][3]["y"] == [1.0, None]
    figure = schedule_figure(dict.fromkeys(names, table), styles)
    titles = [note["text"] for note in figure["layout"]["annotations"]]
    assert len(titles) == 5
    assert all(isinstance(title, Sentence) for title in [*titles, figure["layout"]["xaxis5"]["title"]["text"]])


def luminance(colour):
    """Relative luminance of a #rrggbb colour (WCAG 2.2)."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_every_class_of_the_cloud_is_seen_in_light_and_dark():
    assert len(set(CLASS_COLOURS)) == 10
    near_black = luminance("#0b0f19")  # the dark theme's ground
    for colour in CLASS_COLOURS:
        assert 1.05 / (luminance(colour) + 0.05) > 2.2, colour
        assert (luminance(colour) + 0.05) / (near_black + 0.05) > 3, colour


def test_the_page_gets_a_labelled_line_and_ten_marks_for_each_baseline():
    value = first_train_value(allowed=True)
    levels = {level["text"]: level["y"] for level in value["levels"]}
    assert levels["answering zero"] == 1
    assert levels["best matrix of the pixels"] == 0.0745
    assert levels["full, as shipped"] == pytest.approx(0.0206, abs=1e-4)
    lines = value["loss"]["figure"]["data"][5:]
    assert {line["name"]: line["y"] for line in lines} == {name: [loss, loss] for name, loss in levels.items()}
    assert [line["text"][1] for line in lines] == [f"{name}: {loss:.3g}" for name, loss in levels.items()]
    marks = value["tenths"]["figure"]["data"][2:]
    assert [mark["name"] for mark in marks] == list(levels)
    assert all(len(mark["y"]) == 10 for mark in marks)
