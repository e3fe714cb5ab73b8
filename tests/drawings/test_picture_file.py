import io
import struct
import zlib

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, ImageDraw, features

from ddpm_demo.drawings import picture_file
from ddpm_demo.drawings.picture_file import DrawingError, read_grey


def a_seven(size=300, ink=0, paper=255, mode="L"):
    picture = Image.new(mode, (size, size), paper)
    ImageDraw.Draw(picture).line([(40, 60), (140, 60), (80, 210)], fill=ink, width=14)
    return picture


def as_file(picture, form="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def resized(content, marker, offset, pack, width, height):
    """The file with another size written where its header, or its frame's, says how large it is."""
    at = content.index(marker) + offset
    new = struct.pack(pack, width, height)
    content = content[:at] + new + content[at + len(new) :]
    if marker == b"IHDR":  # a chunk of 13 bytes with a checksum
        content = content[: at + 13] + struct.pack(">L", zlib.crc32(content[at - 4 : at + 13])) + content[at + 17 :]
    return content


OTHERS = ["TIFF", "ICO", "ICNS", "PPM", "TGA", "PCX", "DDS", "SGI", "IM", "MSP", "XBM", "PDF", "JPEG2000", "SPIDER"]


@pytest.mark.parametrize("form", OTHERS)
def test_every_other_format_gets_the_sentence(form):
    if form == "JPEG2000" and not features.check("jpg_2000"):
        pytest.skip("this Pillow writes none")
    mode = {"MSP": "1", "XBM": "1", "SPIDER": "F", "ICNS": "RGBA"}.get(form, "RGB")
    with pytest.raises(DrawingError, match="use a PNG, JPEG, WebP, GIF or BMP"):
        read_grey(as_file(a_seven(size=256).convert(mode), form))


def test_an_eps_is_never_run_in_whatever_dress(monkeypatch):
    """Pillow gives it to Ghostscript and waits, without a limit: plain, after a DOS header, and as it writes one."""
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *a, **k: pytest.fail("Ghostscript was started"))
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n{} loop\n%%EOF\n"
    for content in (
        eps,
        b"\xc5\xd0\xd3\xc6" + struct.pack("<LL", 32, len(eps)) + bytes(20) + eps,
        as_file(a_seven(), "EPS"),
    ):
        with pytest.raises(DrawingError, match="cannot be read"):
            read_grey(content)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "CMYK"])
def test_the_five_formats_are_read_in_every_mode_they_have(form, mode):
    if form == "WEBP" and not features.check("webp"):
        pytest.skip("this Pillow has no WebP")
    if (mode == "CMYK") > (form == "JPEG") or (form, mode) == ("JPEG", "P"):
        pytest.skip("there is none")
    grey = read_grey(as_file(a_seven().convert(mode), form))
    assert np.abs(grey - np.asarray(a_seven(), dtype=np.float32)).mean() < 5


def test_a_file_turned_by_its_exif_is_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    grey = read_grey(as_file(a_seven().transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif))
    assert np.abs(grey - np.asarray(a_seven(), dtype=np.float32)).mean() < 3


def test_of_a_moving_picture_the_first_is_read():
    frames = [a_seven(), Image.new("L", (300, 300), 0)]
    for form in ("GIF", "PNG", "WEBP"):
        content = as_file(frames[0], form, save_all=True, append_images=frames[1:])
        assert np.abs(read_grey(content) - np.asarray(frames[0], dtype=np.float32)).mean() < 5


def large_ones():
    seven = a_seven(size=64)
    moving = {"save_all": True, "append_images": [Image.new("L", (64, 64))]}
    gif, webp = as_file(seven, "GIF"), as_file(seven.convert("RGBA"), "WEBP", **moving)
    return {
        "PNG": resized(as_file(seven), b"IHDR", 4, ">LL", 6000, 5000),
        "PNG, moving": resized(as_file(seven, "PNG", **moving), b"IHDR", 4, ">LL", 6000, 5000),
        "JPEG": resized(as_file(seven, "JPEG"), b"\xff\xc0", 5, ">HH", 6000, 5000),
        "BMP": resized(as_file(seven, "BMP"), b"BM", 18, "<LL", 6000, 5000),
        "GIF": resized(gif, b"GIF87a", 6, "<HH", 6000, 5000),
        "a GIF's frame": resized(gif, b"\x2c\0\0\0\0", 5, "<HH", 6000, 5000),
        "100 million": resized(as_file(seven), b"IHDR", 4, ">LL", 10_000, 10_000),
        "a thousand million": resized(as_file(seven), b"IHDR", 4, ">LL", 40_000, 40_000),
        "a GIF's frame of 400 million": resized(gif, b"\x2c\0\0\0\0", 5, "<HH", 20_000, 20_000),
        "WebP, moving": webp[: webp.index(b"VP8X") + 12]
        + struct.pack("<L", 5999)[:3]
        + struct.pack("<L", 4999)[:3]
        + webp[webp.index(b"VP8X") + 18 :],
    }


@pytest.mark.parametrize("kind", large_ones())
def test_large_pictures_are_refused_before_they_are_unpacked(kind, monkeypatch):
    monkeypatch.setattr(picture_file, "grey_of", lambda picture: pytest.fail("it was unpacked"))
    with pytest.raises(DrawingError, match=r"pixels(; the limit is 25 million|, which is the limit)"):
        read_grey(large_ones()[kind])


def test_large_files_are_refused_unread():
    with pytest.raises(DrawingError, match="5 MB"):
        read_grey(bytes(picture_file.MAX_BYTES + 1))


def test_a_jpeg_of_many_scans_is_refused():
    content = as_file(a_seven(), "JPEG", progressive=True)
    assert read_grey(content).shape == (300, 300)
    at = content.rindex(b"\xff\xda")
    scan = content[at:-2]
    with pytest.raises(DrawingError, match="cannot be read"):
        read_grey(content[:-2] + scan * 200 + content[-2:])


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_damaged_files_end_in_a_sentence_or_a_picture(form):
    content, rng = as_file(a_seven(size=64), form), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(content[: rng.integers(8, len(content))])
        for at in rng.integers(4, len(damaged), 8):
            damaged[at] = rng.integers(256)
        try:
            grey = read_grey(bytes(damaged))
        except DrawingError:
            continue
        assert np.isfinite(grey).all()


@pytest.mark.parametrize(("ink", "paper"), [(9_000, 60_000), (60_000, 9_000), (100, 4_000), (30_000, 30_500)])
def test_deep_greys_are_scaled_by_their_own_range(ink, paper):
    deep = np.where(np.asarray(a_seven()) < 128, ink, paper).astype(np.uint16)
    grey = read_grey(as_file(Image.fromarray(deep)))
    wanted = np.asarray(a_seven() if ink < paper else a_seven(ink=255, paper=0))
    assert np.abs(grey - wanted).mean() < 1


@pytest.mark.parametrize("mode", ["I", "F"])
def test_integers_and_fractions_too(mode):
    values = np.where(np.asarray(a_seven()) < 128, -3, 5)
    grey = picture_file.grey_of(Image.fromarray(values.astype(np.int32 if mode == "I" else np.float32)))
    assert np.abs(grey - np.asarray(a_seven())).mean() < 1


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (200, 30, 30)])
@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_ink_on_a_transparent_ground_is_its_alpha(ink, mode):
    if mode == "RGBA":
        picture = Image.merge("RGBA", [Image.new("L", (300, 300), c) for c in ink] + [a_seven(ink=255, paper=0)])
        content = as_file(picture)
    else:
        picture = a_seven(ink=1, paper=0, mode="P")
        picture.putpalette([0, 0, 0, *ink])
        content = as_file(picture, transparency=0)
    assert np.abs(read_grey(content) - np.asarray(a_seven())).mean() < 3


def test_a_sheet_cut_out_stands_on_more_of_its_paper():
    alpha = Image.new("L", (300, 300), 0)
    ImageDraw.Draw(alpha).rectangle([20, 30, 280, 270], fill=255)
    sheet = a_seven(ink=30, paper=210)
    grey = read_grey(as_file(Image.merge("LA", [sheet, alpha])))
    assert np.abs(grey - np.asarray(sheet)).mean() < 1
