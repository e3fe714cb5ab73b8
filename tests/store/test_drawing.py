import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ddpm_demo.store.drawing import centre_of_mass, digit_from_ink, digit_from_picture
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.picture_file import DrawingError


def as_file(array, form="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(array)).save(buffer, format=form)
    return buffer.getvalue()


def a_seven(size=300, ink=0, paper=255, at=(40, 60), width=14):
    picture = Image.new("L", (size, size), paper)
    x, y = at
    ImageDraw.Draw(picture).line([(x, y), (x + 100, y), (x + 40, y + 150)], fill=ink, width=width)
    return np.asarray(picture)


def test_it_fits_the_box_and_the_centre_of_mass():
    digit = digit_from_picture(as_file(a_seven()))
    rows, columns = np.nonzero(digit.max(axis=1) > 25)[0], np.nonzero(digit.max(axis=0) > 25)[0]
    assert max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 in (19, 20)
    assert centre_of_mass(digit.astype(float)) == pytest.approx((14, 14), abs=0.51)
    assert digit.max() == 255


def test_ink_may_be_dark_or_light_and_anywhere():
    dark, light = digit_from_picture(as_file(a_seven())), digit_from_picture(as_file(a_seven(ink=255, paper=0)))
    moved = digit_from_picture(as_file(a_seven(at=(150, 100))))
    faint = digit_from_picture(as_file(a_seven(ink=150, paper=220)))
    for other in (light, moved, faint):
        assert np.abs(dark.astype(int) - other).mean() < 3


def test_a_jpeg_with_a_shadow_is_read():
    shadow = np.linspace(0, 30, 300)[None, :]
    digit = digit_from_picture(as_file((a_seven() * 0.85 + shadow).astype(np.uint8), "JPEG"))
    assert np.abs(digit_from_picture(as_file(a_seven())).astype(int) - digit).mean() < 6


def test_transparency_is_paper():
    seven = a_seven()
    rgba = np.zeros((300, 300, 4), np.uint8)
    rgba[..., 3] = 255 - seven
    assert np.abs(digit_from_picture(as_file(rgba)).astype(int) - digit_from_picture(as_file(seven))).mean() < 2


def test_mnists_own_digits_come_back_as_they_were():
    digits, _ = load_mnist(train=False)
    like = []
    for digit in digits[:100].numpy():
        again = digit_from_ink(digit / 255)
        like.append(np.corrcoef(digit.ravel(), again.ravel())[0, 1])
    assert np.median(like) > 0.95


@pytest.mark.parametrize("content", [b"", b"no picture", b"GIF89a", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_what_is_no_picture_gets_a_sentence(content):
    with pytest.raises(DrawingError, match="cannot be read as a picture"):
        digit_from_picture(content)


def test_a_truncated_picture_gets_a_sentence():
    whole = as_file(np.random.default_rng(0).integers(0, 256, (100, 100), dtype=np.uint8))
    with pytest.raises(DrawingError, match="cannot be read as a picture"):
        digit_from_picture(whole[: len(whole) // 2])


@pytest.mark.parametrize("paper", [0, 128, 255])
def test_an_empty_sheet_gets_a_sentence(paper):
    with pytest.raises(DrawingError, match="nothing stands out"):
        digit_from_picture(as_file(np.full((50, 50), paper, np.uint8)))


def test_a_single_dot_is_a_digit_too():
    sheet = np.full((100, 100), 255, np.uint8)
    sheet[40:43, 60:62] = 0
    assert digit_from_picture(as_file(sheet)).shape == (28, 28)
