"""Paths from outside, and the files that are written to them."""

import os
from pathlib import Path

import pytest

from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.store import files
from ddpm_demo.store.files import CACHE_VARIABLE, cache_dir, check_outputs, user_path, write_atomically, write_file
from ddpm_demo.store.shipped import find_checkpoint


def test_a_tilde_is_the_home_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert user_path("~/a b", "it") == tmp_path / "a b"
    monkeypatch.setenv(CACHE_VARIABLE, "~/cache")
    assert cache_dir() == tmp_path / "cache"
    monkeypatch.delenv(CACHE_VARIABLE)
    monkeypatch.setattr(files.platformdirs, "user_cache_dir", lambda *_, **__: "~/.cache/ddpm_demo")
    assert cache_dir() == tmp_path / ".cache" / "ddpm_demo"
    (tmp_path / "mine.safetensors").write_bytes(b"x")
    assert find_checkpoint("~/mine.safetensors") == tmp_path / "mine.safetensors"


def test_the_cache_stays_where_it_is_when_the_program_goes_elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(CACHE_VARIABLE, "here")
    assert cache_dir() == tmp_path / "here"
    monkeypatch.setenv(CACHE_VARIABLE, "")  # as good as not set
    assert cache_dir().is_absolute()
    assert "ddpm_demo" in str(cache_dir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the cup must be a path, but it is empty"),
        ("  ", "the cup must be a path, but it is empty"),
        ("a\0b", "the cup must be a path, which cannot contain a NUL"),
        ("~nobody-of-that-name/x", "the cup names the home directory of an unknown user"),
        ("x" * 5000, "the cup cannot be used: File name too long"),
    ],
)
def test_what_is_no_path_gets_a_sentence(text, message):
    with pytest.raises(ConfigError, match=message):
        user_path(text, "the cup")


@pytest.mark.parametrize("name", ["Homework #3?.npz", "ᾱ 手.npz", "with space .npz", "%41&+=.npz", "x" * 251 + ".npz"])
def test_names_of_every_kind_can_be_written(tmp_path, name):
    path = user_path(str(tmp_path / name), "it") if len(name) < 256 else tmp_path / name[-255:]
    check_outputs({"--out": (path, ".npz")})
    write_file(path, b"all of it")
    assert path.read_bytes() == b"all of it"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["d.png", "d.npz.png", "d", ".npz", "d.npz~", "npz", "d."])
def test_a_wrong_ending_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match=r"--out must be a file name that ends in \.npz, got "):
        check_outputs({"--out": (tmp_path / name, ".npz")})


def test_a_right_ending_may_be_in_capitals(tmp_path):
    check_outputs({"--out": (tmp_path / "d.NPZ", ".npz"), "--png": (None, ".png")})


def test_one_file_is_not_two_outputs_nor_an_input(tmp_path):
    real, link = tmp_path / "a.png", tmp_path / "b.png"
    real.write_bytes(b"")
    link.symlink_to(real)
    for one, two in ((real, real), (real, link), (tmp_path / "x" / ".." / "a.png", real)):
        with pytest.raises(ConfigError, match="--one and --two are the same file"):
            check_outputs({"--one": (one, ".png"), "--two": (two, ".png")})
    with pytest.raises(ConfigError, match="--checkpoint and --one are the same file"):
        check_outputs({"--one": (link, ".png")}, inputs={"--checkpoint": real})


def test_places_that_cannot_be_written_are_refused_at_once(tmp_path, monkeypatch):
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "file").write_text("in the way")
    for path, message in (
        (tmp_path / "folder.npz", "it is a directory"),
        (tmp_path / "nowhere" / "d.npz", "there is no directory"),
        (tmp_path / "file" / "d.npz", "there is no directory"),
    ):
        with pytest.raises(DemoError, match=message):
            check_outputs({"--out": (path, ".npz")})
    if Path("/proc/self").exists():  # where not even root can write
        with pytest.raises(DemoError, match=r"cannot write /proc/d\.npz: "):
            check_outputs({"--out": (Path("/proc/d.npz"), ".npz")})
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.npz")
        with pytest.raises(DemoError, match="it is not a regular file"):
            check_outputs({"--out": (tmp_path / "pipe.npz", ".npz")})

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.tempfile, "TemporaryFile", refuse)
    with pytest.raises(DemoError, match=r"cannot write .*d\.npz: Permission denied"):
        check_outputs({"--out": (tmp_path / "d.npz", ".npz")})


def test_a_protected_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "d.npz"
    path.write_bytes(b"")
    monkeypatch.setattr(files.os, "access", lambda *_: False)  # root may do all
    with pytest.raises(DemoError, match="write-protected"):
        check_outputs({"--out": (path, ".npz")})


def test_nothing_is_left_by_the_check(tmp_path):
    check_outputs({"--out": (tmp_path / "d.npz", ".npz")})
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_one(tmp_path):
    (tmp_path / "real.npz").write_bytes(b"old")
    (tmp_path / "link.npz").symlink_to(tmp_path / "real.npz")
    write_file(tmp_path / "link.npz", b"new")
    assert (tmp_path / "link.npz").is_symlink()
    assert (tmp_path / "real.npz").read_bytes() == b"new"


def test_a_drive_that_knows_no_permissions_is_written_to(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    write_atomically(tmp_path / "x", b"1")
    assert (tmp_path / "x").read_bytes() == b"1"


def test_on_windows_a_file_that_is_being_read_is_replaced_when_it_is_closed(tmp_path, monkeypatch):
    attempts, real = [], Path.replace

    def replace(self, target):
        attempts.append(target)
        if len(attempts) < 3:
            raise PermissionError(13, "Access is denied")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(PermissionError):
        write_atomically(tmp_path / "x", b"1")  # elsewhere waiting is no use
    assert len(attempts) == 1
    monkeypatch.setattr(files, "_WINDOWS", True)
    attempts.clear()
    write_atomically(tmp_path / "x", b"2")
    assert len(attempts) == 3
    assert (tmp_path / "x").read_bytes() == b"2"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_write_atomically_keeps_the_old_file_when_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
