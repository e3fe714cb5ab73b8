import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from scipy import ndimage

from ddpm_demo.drawings import picture_set
from ddpm_demo.drawings.augmentation import moved, varied
from ddpm_demo.drawings.drawing import sign_from_picture
from ddpm_demo.drawings.picture_file import DrawingError
from ddpm_demo.drawings.picture_set import PictureSetError, pictures_of_zip, read_pictures, usable


def drawing(shift=0, form="PNG"):
    """A cross on white paper, a little lower each time."""
    sheet = Image.new("L", (120, 120), 255)
    pen = ImageDraw.Draw(sheet)
    pen.line([(30, 30 + shift), (90, 90)], fill=0, width=8)
    pen.line([(30, 90), (90, 30)], fill=0, width=8)
    buffer = io.BytesIO()
    sheet.save(buffer, form)
    return buffer.getvalue()


def zipped(entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_folder_is_read_in_the_order_of_names_and_bad_files_are_named(tmp_path):
    for k in (2, 0, 1):
        (tmp_path / f"cross {k}.png").write_bytes(drawing(10 * k))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nothing")
    (tmp_path / "notes.txt").write_text("not looked at")
    reads = list(read_pictures(tmp_path))
    assert [read.name for read in reads] == ["broken.png", "cross 0.png", "cross 1.png", "cross 2.png"]
    assert [read.picture is None for read in reads] == [True, False, False, False]
    assert reads[0].fault
    assert [(read.done, read.total) for read in reads] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert usable(reads).shape == (3, 28, 28)


def test_a_zip_is_read_as_the_folder_is(tmp_path):
    entries = [(f"class/cross {k}.jpg", drawing(10 * k, "JPEG")) for k in range(3)]
    path = tmp_path / "signs.zip"
    path.write_bytes(zipped([*entries, ("__MACOSX/._cross 0.jpg", b"x"), ("readme.md", b"hello")]))
    by_path, by_bytes = list(read_pictures(path)), list(pictures_of_zip(path.read_bytes()))
    assert [read.name for read in by_path] == ["cross 0.jpg", "cross 1.jpg", "cross 2.jpg"]
    assert all(torch.equal(a.picture, b.picture) for a, b in zip(by_path, by_bytes, strict=True))


def sign(draw):
    """A sign in black on white paper, as a PNG file."""
    sheet = Image.new("L", (280, 280), 255)
    draw(ImageDraw.Draw(sheet))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def smile(pen):
    pen.ellipse((40, 40, 240, 240), outline=0, width=18)
    for left in (100, 160):
        pen.ellipse((left, 100, left + 22, 122), fill=0)
    pen.arc((90, 90, 190, 200), 20, 160, fill=0, width=16)


def test_a_sign_may_be_in_pieces_and_filled():
    """Nothing is lost: the ring of a face round its parts, eyes far from the mouth, the inside of a disc."""
    disc = sign_from_picture(sign(lambda pen: pen.ellipse((60, 60, 220, 220), fill=0)))
    assert (disc[9:19, 9:19] == 255).all()
    face = sign_from_picture(sign(smile))
    _, pieces = ndimage.label(face > 100, np.ones((3, 3)))
    assert pieces == 4
    rows, columns = np.nonzero(face.max(axis=1) > 100)[0], np.nonzero(face.max(axis=0) > 100)[0]
    assert rows[-1] - rows[0] in (18, 19)
    assert columns[-1] - columns[0] in (18, 19)
    with pytest.raises(DrawingError, match="nothing stands out"):
        sign_from_picture(sign(lambda pen: None))


def test_names_that_climb_write_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reads = list(pictures_of_zip(zipped([("../../evil.png", drawing()), ("C:\\windows\\evil.png", drawing(20))])))
    assert [read.name for read in reads] == ["evil.png", "evil.png"]
    assert list(tmp_path.iterdir()) == []


def test_a_bomb_is_cut_off_where_a_picture_would_be_too_large():
    reads = list(pictures_of_zip(zipped([("bomb.png", b"\0" * 50_000_000), ("cross.png", drawing())])))
    assert "the limit is 5 MB" in reads[0].fault
    assert reads[1].picture is not None


def test_an_entry_whose_size_is_a_lie_is_no_picture():
    content = bytearray(zipped([("a.png", drawing()), ("b.png", drawing(20))]))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        begin = archive.infolist()[0].header_offset + 40
    content[begin : begin + 60] = b"\xff" * 60
    reads = list(pictures_of_zip(bytes(content)))
    assert reads[0].picture is None
    assert reads[1].picture is not None


def test_an_encrypted_entry_is_named():
    content = bytearray(zipped([("a.png", drawing())]))
    central = bytes(content).index(b"PK\x01\x02")
    content[central + 8] |= 1  # the flag of encryption
    (read,) = pictures_of_zip(bytes(content))
    assert read.fault == "it is encrypted"


@pytest.mark.parametrize("bad", [b"", b"PK nothing", b"GIF89a" + b"\0" * 100])
def test_what_is_no_zip_gets_a_sentence(tmp_path, bad):
    with pytest.raises(PictureSetError, match="not a zip of pictures"):
        list(pictures_of_zip(bad))
    (tmp_path / "x.zip").write_bytes(bad)
    with pytest.raises(PictureSetError, match=r"x\.zip is neither a folder nor a zip of pictures"):
        list(read_pictures(tmp_path / "x.zip"))


def test_nothing_too_much_and_nowhere_get_a_sentence(tmp_path, monkeypatch):
    with pytest.raises(PictureSetError, match="holds no pictures"):
        list(read_pictures(tmp_path))
    with pytest.raises(PictureSetError, match="cannot read nowhere"):
        list(read_pictures(tmp_path / "nowhere"))
    monkeypatch.setattr(picture_set, "MAX_PICTURES", 1)
    with pytest.raises(PictureSetError, match="holds 2 pictures; the limit is 1"):
        list(pictures_of_zip(zipped([("a.png", b""), ("b.png", b"")])))
    monkeypatch.setattr(picture_set, "MAX_ENTRIES", 1)
    with pytest.raises(PictureSetError, match="holds 2 files; the limit is 1"):
        list(pictures_of_zip(zipped([("a.png", b""), ("b.txt", b"")])))
    monkeypatch.setattr(picture_set, "MAX_ZIP_BYTES", 10)
    with pytest.raises(PictureSetError, match="the zip is 0 MB"):
        list(pictures_of_zip(zipped([("a.png", b"")])))


def test_pictures_that_are_all_alike_teach_nothing():
    reads = list(pictures_of_zip(zipped([(f"{k}.png", drawing()) for k in range(3)])))
    with pytest.raises(PictureSetError, match="these pictures are all alike"):
        usable(reads)
    with pytest.raises(PictureSetError, match="at least 5 pictures are needed, but only 3 could be read"):
        usable(reads, least=5)


def test_a_set_of_variations_begins_with_the_pictures_themselves():
    reads = list(pictures_of_zip(zipped([(f"{k}.png", drawing(8 * k)) for k in range(3)])))
    originals = usable(reads)
    more = varied(originals, 50, seed=1)
    assert more.shape == (50, 28, 28)
    assert more.dtype == torch.uint8
    assert torch.equal(more[:3], originals)
    assert torch.equal(more, varied(originals, 50, seed=1))
    assert not torch.equal(more, varied(originals, 50, seed=2))
    ink = more.float().mean(dim=(1, 2))
    assert bool(((ink / ink[:3].mean() > 0.6) & (ink / ink[:3].mean() < 1.5)).all())  # moved, not lost
    assert len(np.unique(more.numpy().reshape(50, -1), axis=0)) == 50


def test_paper_comes_in_from_outside():
    x0 = torch.full((16, 1, 28, 28), -1.0)
    torch.testing.assert_close(moved(x0, torch.Generator().manual_seed(0)), x0)
