"""The command line as a user calls it."""

import dataclasses
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

from ddpm_demo.commands.options import guidance_config, sampler_config
from ddpm_demo.commands.parser import build_parser, main
from ddpm_demo.commands.sample import usual_words
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER
from ddpm_demo.store.checkpoint import Checkpoint, load, save
from ddpm_demo.store.pictures import tile
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.training import snapshots
from ddpm_demo.training.saved_run import read_settings
from tests.drawings.test_picture_set import drawing

TRAIN = [sys.executable, "-m", "ddpm_demo", "train", "--preset", "lite", "--held-out", "0", "--hidden", "16"]
# `ddpm-demo` that saves after every step, and is killed from within, as by kill -9, when it has saved so many times
KILLED_AT_A_SAVE = """
import os, signal, sys
from ddpm_demo.commands.parser import main
from ddpm_demo.training import run
saves, save = [], run.save
def save_and_count(*arguments):
    save(*arguments)
    saves.append(1)
    if len(saves) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
run.save = save_and_count
main(sys.argv[2:])
"""


@pytest.fixture
def checkpoint(tiny, tmp_path):
    path = tmp_path / "tiny.safetensors"
    save(path, Checkpoint(tiny, ScheduleConfig(), Provenance(seed=1)))
    return str(path)


def run(capsys, *arguments):
    """Call the command and return status, standard output and standard error."""
    try:
        status = main(arguments)
    except SystemExit as leaving:
        status = leaving.code
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_info_of_both_presets(capsys):
    for name, parameters in (("full", 4_871_425), ("lite", 320_833)):
        status, out, _ = run(capsys, "info", "--preset", name, "--json")
        facts = json.loads(out)
        assert status == 0
        assert facts["parameters"] == parameters
        assert facts["dilations"] == [1, 1, 3, 3, 9, 9, 27, 27]
        assert facts["receptive_field"] == [7, 9, 11, 17, 23, 41, 59, 113, 167, 169]
        assert facts["schedule"] == {"kind": "linear", "timesteps": 1000, "beta_1": 1e-4, "beta_T": 0.02}
        assert facts["provenance"] is None
        assert facts["training_dtype"] in ("float32", "bfloat16")


def test_info_of_a_checkpoint_by_name_and_path(capsys, checkpoint):
    status, out, _ = run(capsys, "info", "--checkpoint", "lite", "--json")
    assert status == 0
    assert json.loads(out)["provenance"]["preset"] == "lite"
    status, out, _ = run(capsys, "info", "--checkpoint", checkpoint)
    assert status == 0
    assert "how it came to be:" in out
    assert "            seed  1\n" in out
    assert not set("{}[]'") & set(out)


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_schedule_in_full_double_precision(capsys, kind):
    status, out, _ = run(capsys, "schedule", "--kind", kind, "--json")
    tables = {name: np.array(values) for name, values in json.loads(out).items()}
    assert status == 0
    assert set(tables) == {"beta", "alpha_bar", "snr"}
    if kind == "linear":
        beta = np.linspace(1e-4, 0.02, 1000)
    else:
        f = np.cos((np.arange(1001) / 1000 + 0.008) / 1.008 * np.pi / 2) ** 2
        beta = np.minimum(1 - f[1:] / f[:-1], 0.999)
    alpha_bar = np.cumprod(1 - beta)
    np.testing.assert_allclose(tables["beta"], beta, rtol=1e-9)
    np.testing.assert_allclose(tables["alpha_bar"], alpha_bar, rtol=1e-9)
    np.testing.assert_allclose(tables["snr"], alpha_bar / (1 - alpha_bar), rtol=1e-9)


def test_claims_as_a_table_and_as_json(capsys):
    status, out, _ = run(capsys, "claims", "--json")
    claims = json.loads(out)["claims"]
    assert status == 0
    assert {"statement", "claimed", "truth", "holds", "source", "basis"} == set(claims[0])
    assert {claim["holds"] for claim in claims} == {True, False}
    status, out, _ = run(capsys, "claims")
    assert len(out.splitlines()) == len(claims)


def test_sample_writes_what_it_promises(capsys, checkpoint, tmp_path):
    out, png, gif = (tmp_path / name for name in ("s.npz", "s.png", "s.gif"))
    command = ["sample", "--checkpoint", checkpoint, "--n", "5", "--steps", "4", "--seed", "3", "--out", str(out)]
    status, _, _ = run(capsys, *command, "--png", str(png), "--gif", str(gif))
    assert status == 0
    images = np.load(out)["images"]
    assert images.shape == (5, 28, 28)
    assert images.dtype == np.uint8
    with Image.open(png) as picture:
        np.testing.assert_array_equal(np.asarray(picture), tile(images, scale=3))
    with Image.open(gif) as film:
        film.seek(film.n_frames - 1)
        assert film.n_frames >= 3  # Pillow joins frames that are alike
        np.testing.assert_allclose(np.asarray(film.convert("L")), tile(images, scale=2), atol=17)

    first = out.read_bytes()
    run(capsys, *command)
    assert out.read_bytes() == first
    run(capsys, *[part if part != "3" else "4" for part in command])
    assert out.read_bytes() != first


def test_sample_with_a_guide(capsys, checkpoint, tmp_path):
    def digits(*options):
        out = tmp_path / "s.npz"
        command = ["sample", "--checkpoint", checkpoint, "--n", "2", "--steps", "4", "--out", str(out), *options]
        status, _, message = run(capsys, *command)
        assert status == 0, message
        return np.load(out)["images"]

    alone = digits()
    np.testing.assert_array_equal(digits("--guide", "none"), alone)
    np.testing.assert_array_equal(digits("--guide", "tiny", "--guidance", "1"), alone)
    twice = digits("--guide", "tiny")
    assert (twice != alone).any()
    np.testing.assert_array_equal(digits("--guide", "tiny", "--guidance", "2"), twice)
    np.testing.assert_array_equal(digits("--guide", "tiny", "--interval", "999", "0"), twice)
    np.testing.assert_array_equal(digits("--guide", "tiny", "--interval", "998", "998"), alone)  # between two steps
    part = digits("--guide", "tiny", "--interval", "700", "300")
    assert (part != twice).any()
    assert (part != alone).any()


def test_sample_by_the_specs_loop_written_out(capsys, checkpoint, tmp_path):
    """The default command against the spec's loop in float64 numpy and the float32 network."""
    import torch

    from ddpm_demo.machine.device import answering_placement
    from ddpm_demo.machine.placement import place
    from ddpm_demo.store.checkpoint import load

    out = tmp_path / "s.npz"
    assert run(capsys, "sample", "--checkpoint", checkpoint, "--n", "2", "--seed", "0", "--out", str(out))[0] == 0
    model = place(load(tmp_path / "tiny.safetensors").model, answering_placement())
    beta = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    alpha, alpha_bar = 1 - beta, torch.cumprod(1 - beta, 0)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 1, 28, 28, generator=generator)
    for t in range(999, -1, -1):
        with torch.no_grad():
            eps = model(x, torch.full((2,), t))
        x = (x - (1 - alpha[t]) / (1 - alpha_bar[t]).sqrt() * eps) / alpha[t].sqrt()
        x = x.float()
        if t > 1:
            x = x + beta[t].sqrt().float() * torch.randn(x.shape, generator=generator)
    expected = ((x.clamp(-1, 1) + 1) * 127.5).round()[:, 0].numpy()
    difference = np.abs(np.load(out)["images"].astype(float) - expected)
    # an untrained network amplifies rounding a little over a thousand steps
    assert difference.max() <= 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["fly"], "invalid choice"),
        (["info", "--preset", "huge"], "preset must be one of lite, full"),
        (["schedule", "--kind", "square"], "schedule must be one of linear, cosine"),
        (["sample"], "--out"),
        (["sample", "--n", "0", "--out", "x.npz"], "--n must be a whole number from 1"),
        (["sample", "--n", "many", "--out", "x.npz"], "invalid int"),
        (["sample", "--steps", "0", "--out", "x.npz"], "steps must be a whole number from 1"),
        (["sample", "--steps", "1001", "--out", "x.npz"], "steps must be from 1 to 1000"),
        (["sample", "--sampler", "euler", "--out", "x.npz"], "sampler must be one of ddpm, ddim"),
        (["sample", "--eta", "2", "--out", "x.npz"], "eta must be a number from 0 to 1"),
        (["sample", "--eta", "nan", "--out", "x.npz"], "eta must be a number from 0 to 1"),
        (["sample", "--clip", "all", "--out", "x.npz"], "clip must be one of none, x0, x_t"),
        (["sample", "--seed", "-1", "--out", "x.npz"], "--seed must be a whole number"),
        (["sample", "--seed", str(7 + 2**32), "--out", "x.npz"], "PyTorch uses only 32 bits of it"),
        (["sample", "--guidance", "2", "--out", "x.npz"], "--guidance needs a --guide"),
        (["sample", "--interval", "700", "300", "--out", "x.npz"], "--interval needs a --guide or a --digit"),
        (["sample", "--interval", "700", "--out", "x.npz"], "expected 2 arguments"),
        (
            ["sample", "--digit", "3", "--interval", "1", "9", "--out", "x.npz"],
            "first timestep of the guidance must be",
        ),
        (["sample", "--digit", "3", "--interval", "1000", "9", "--out", "x.npz"], "guidance must be from 0 to 999"),
        (["sample", "--guide", "tiny", "--guidance", "11", "--out", "x.npz"], "the guidance weight must be a number"),
        (["train", "--out", "r", "--preset", "huge"], "preset must be one of lite, full"),
        (["train", "--out", "r", "--minutes", "-1"], "minutes must be a number"),
        (["train", "--out", "r", "--minutes", "1", "--epochs", "1"], "not allowed with"),
        (["train", "--out", "r", "--epochs", "nan"], "epochs must be a number"),
        (["train", "--out", "r", "--seed", "-4"], "seed must be a whole number"),
        (["train", "--out", "r", "--resume", "--seed", "1"], "leave out --seed"),
        (["train", "--out", "r", "--resume", "--grow-from", "lite"], "leave out --grow-from"),
        (["train", "--out", "r", "--grow-from", "lite"], "differs in width alone"),
        (["train", "--out", "r", "--resume", "--from", "lite"], "leave out --from"),
        (["train", "--out", "r", "--from", "lite", "--grow-from", "lite"], "not allowed with"),
        (["train", "--out", "r", "--preset", "full", "--from", "lite"], "a narrower one with --grow-from"),
        (["train", "--out", "r", "--hidden", "60"], "hidden must be a multiple of groups"),
        (["train", "--out", "r", "--resume", "--hidden", "64"], "leave out --hidden"),
        (["train", "--out", "r", "--middle", "1.5"], "middle must be a number from 0 to 1"),
        (["train", "--out", "r", "--classes", "3,x"], "name digits with commas between them"),
        (["train", "--out", "r", "--classes", "3,11"], "a class must be a whole number from 0 to 9"),
        (["train", "--out", "r", "--resume", "--classes", "3"], "leave out --classes"),
        (["train", "--out", "r", "--resume", "--pictures", "signs"], "leave out --pictures"),
        (["train", "--out", "r", "--epochs", "1", "--digits", "5"], "batch of 16 needs at least as many digits"),
    ],
)
def test_wrong_arguments_get_one_line_and_status_2(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "--checkpoint", "heavy"], "no checkpoint 'heavy'"),
        (["sample", "--checkpoint", "rubbish", "--out", "x.npz"], "rubbish is not a checkpoint"),
        (["sample", "--out", "nowhere/x.npz"], "there is no directory nowhere"),
        (["sample", "--guide", "heavy", "--out", "x.npz"], "no checkpoint 'heavy'"),
        (["sample", "--guide", "rubbish", "--out", "x.npz"], "rubbish is not a checkpoint"),
        (["train", "--resume", "--out", "nowhere"], "nowhere holds no run to resume"),
        (["train", "--pictures", "nowhere", "--out", "r"], "cannot read nowhere"),
        (["train", "--pictures", "rubbish", "--out", "r"], "rubbish is neither a folder nor a zip of pictures"),
        (["train", "--pictures", ".", "--out", "r"], "holds no pictures"),
        (["train", "--epochs", "1", "--out", "rubbish"], "cannot write rubbish"),
        (["app", "--checkpoint", "rubbish"], "rubbish is not a checkpoint"),
    ],
)
def test_files_that_are_no_good_get_one_line_and_status_1(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rubbish").write_bytes(b"no checkpoint at all")
    status, out, err = run(capsys, *arguments)
    assert status == 1
    assert out == ""
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err
    assert [p.name for p in tmp_path.iterdir()] == ["rubbish"]


def state_of(directory):
    path = directory / "run.safetensors"
    return {name: t.numpy().tobytes() for name, t in load_file(path).items()}, read_settings(path).step


def test_a_run_killed_and_resumed_ends_with_the_same_bits(tmp_path):
    """kill -9 in the middle, resume, and compare with a run that was left alone."""
    settings = [*TRAIN[3:], "--epochs", "1", "--digits", "320", "--batch", "16"]  # 20 steps
    victim = [*settings, "--save-every", "0", "--out", str(tmp_path / "killed")]
    done = subprocess.run([sys.executable, "-c", KILLED_AT_A_SAVE, "8", *victim], stderr=subprocess.DEVNULL)
    assert done.returncode == -signal.SIGKILL
    assert state_of(tmp_path / "killed")[1] == 7  # the first save is before the first step
    command = [sys.executable, "-m", "ddpm_demo"]
    subprocess.run([*command, *settings, "--out", str(tmp_path / "alone")], check=True)
    subprocess.run([*command, "train", "--resume", "--held-out", "0", "--out", str(tmp_path / "killed")], check=True)

    killed, alone = state_of(tmp_path / "killed"), state_of(tmp_path / "alone")
    assert killed[1] == alone[1] == 20
    assert killed[0] == alone[0]


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    victim = subprocess.Popen(
        [*TRAIN, "--out", str(tmp_path / "r"), "--minutes", "5"], stderr=subprocess.PIPE, text=True
    )
    lines = ""
    while "images/s" not in lines:  # the bar has moved: steps are being made
        lines += victim.stderr.read(1)
    victim.send_signal(signal.SIGINT)
    lines = victim.communicate(timeout=300)[1]
    assert victim.returncode == 130
    assert "saved; --resume continues from here" in lines
    assert state_of(tmp_path / "r")[1] >= 1


@pytest.fixture
def short_snapshots(monkeypatch):
    """A run's last digits are drawn in two steps: what they look like is other tests' business."""
    monkeypatch.setattr(snapshots, "SAMPLER", dataclasses.replace(snapshots.SAMPLER, steps=2))


def test_a_finished_run_is_a_checkpoint_with_its_story(tmp_path, capsys, short_snapshots):
    settings = ["--preset", "lite", "--held-out", "0", "--epochs", "1", "--digits", "64", "--seed", "5"]
    assert run(capsys, "train", *settings, "--out", str(tmp_path / "r"))[0] == 0
    status, out, _ = run(capsys, "info", "--checkpoint", str(tmp_path / "r" / "model.safetensors"), "--json")
    story = json.loads(out)["provenance"]
    assert status == 0
    assert story["preset"] == "lite"
    assert story["seed"] == 5
    assert story["steps"] == 4
    assert story["images_seen"] == 64
    assert set(story["versions"]) == {"python", "torch", "torchvision", "safetensors"}


def test_a_width_of_ones_own_with_a_presets_recipe(capsys, tmp_path):
    length = ["--epochs", "1", "--digits", "32", "--held-out", "0"]
    assert run(capsys, "train", "--out", str(tmp_path / "r"), "--hidden", "16", *length)[0] == 0
    settings = read_settings(tmp_path / "r" / "run.safetensors")
    assert settings.model.hidden == 16
    assert settings.train.optimizer == "muon"
    _, out, _ = run(capsys, "info", "--checkpoint", str(tmp_path / "r" / "model.safetensors"), "--json")
    assert json.loads(out)["provenance"]["width"] == 16


def test_a_run_from_the_weights_of_a_checkpoint(capsys, tmp_path, short_snapshots):
    length = ["--epochs", "1", "--digits", "32", "--held-out", "0"]
    assert run(capsys, "train", "--out", str(tmp_path / "r"), "--from", "lite", *length)[0] == 0
    story = load(tmp_path / "r" / "model.safetensors").provenance
    assert (story.steps, story.grown_from.preset, story.grown_from.channels) == (2, "lite", 64)


def test_drawings_of_ones_own_are_learned_kept_and_resumed(capsys, tmp_path):
    signs = tmp_path / "signs"
    signs.mkdir()
    for k in range(5):
        (signs / f"cross {k}.png").write_bytes(drawing(8 * k))
    (signs / "broken.png").write_bytes(b"nothing")
    settings = ["--hidden", "8", "--batch", "100", "--epochs", "0.1", "--held-out", "8"]
    command = ["train", "--pictures", str(signs), "--classes", "3", "--out", str(tmp_path / "r")]
    status, _, err = run(capsys, *command, *settings)
    assert status == 0
    assert "left out: broken.png: this file cannot be read as a picture" in err
    assert "learned or copied? 16 new pictures lie" in err
    story = load(tmp_path / "r" / "model.safetensors").provenance
    assert (story.pictures, story.classes, story.steps, story.held_out.digits) == (5, (3,), 4, 8)
    assert story.data.startswith("5 hand-made drawings with their variations and MNIST's 3, 4000 pictures")
    assert run(capsys, "train", "--resume", "--out", str(tmp_path / "r"), "--epochs", "0.2", "--held-out", "0")[0] == 0
    assert read_settings(tmp_path / "r" / "run.safetensors").step == 8


def test_drawings_are_not_counted_as_digits(capsys, tmp_path):
    for k in range(5):
        (tmp_path / f"cross {k}.png").write_bytes(drawing(8 * k))
    command = ["train", "--pictures", str(tmp_path), "--digits", "64", "--out", str(tmp_path / "r")]
    status, _, err = run(capsys, *command)
    assert (status, "digits counts MNIST's digits" in err) == (2, True)
    (tmp_path / "cross 4.png").unlink()
    status, _, err = run(capsys, *command[:3], "--out", str(tmp_path / "r"))
    assert (status, "at least 5 pictures are needed, but only 4 could be read" in err) == (1, True)
    assert not (tmp_path / "r").exists()


def test_a_loss_that_is_no_number_leaves_the_weights_from_before_it(capsys, tmp_path, monkeypatch):
    from ddpm_demo.training import loop

    real, calls = loop.to_x0, []

    def broken(digits):
        calls.append(1)
        return real(digits) * (float("nan") if len(calls) == 3 else 1)

    monkeypatch.setattr(loop, "to_x0", broken)
    command = ["train", "--out", str(tmp_path / "r"), "--hidden", "16", "--epochs", "1", "--digits", "64"]
    status, _, message = run(capsys, *command)
    assert status == 1
    assert "no longer a number at step 3" in message
    assert "the weights from before that step are kept" in message.splitlines()[-1]
    assert state_of(tmp_path / "r")[1] == 2


def test_a_taken_port_gets_one_line(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, _, err = run(capsys, "app", "--port", port)
    assert status == 1
    assert err.splitlines()[-1] == f"ddpm-demo: cannot start the page on 127.0.0.1: port {port} is taken"
    assert run(capsys, "app", "--port", "70000")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--digit", "10"], "must be a whole number from 0 to 9"),
        (["--digit-weight", "3"], "--digit-weight needs a --digit"),
        (["--digit", "3", "--digit-weight", "-1"], "the digit weight must be a number from 0 to 20"),
        (["--digit", "3", "--digit-first", "10", "--digit-last", "20"], "from 20 to 9999"),
        (["--digit", "3", "--digit-first", "1000"], "the timesteps of the guidance must be from 0 to 999"),
    ],
)
def test_a_wish_that_makes_no_sense_gets_one_line(capsys, tmp_path, arguments, words):
    status, out, err = run(capsys, "sample", "--out", str(tmp_path / "x.npz"), "--steps", "2", "--n", "1", *arguments)
    assert (status, out) == (2, "")
    assert words in err.splitlines()[-1]


def test_a_digit_that_is_asked_for_is_drawn_and_a_weight_of_0_changes_nothing(capsys, tmp_path):
    drawn = {}
    for name, more in {
        "any": [],
        "weight 0": ["--digit", "3", "--digit-weight", "0"],
        "three": ["--digit", "3"],
    }.items():
        out = tmp_path / f"{name}.npz"
        assert run(capsys, "sample", "--out", str(out), "--steps", "4", "--n", "2", *more)[0] == 0
        drawn[name] = np.load(out)["images"]
    assert np.array_equal(drawn["any"], drawn["weight 0"])
    assert not np.array_equal(drawn["any"], drawn["three"])


def test_the_classifier_command_writes_what_sampling_reads(capsys, tmp_path, monkeypatch):
    from ddpm_demo.measuring.noisy_training import accuracy_by_tenth
    from ddpm_demo.networks.noisy_classifier import load_classifier

    monkeypatch.setattr(accuracy_by_tenth, "__kwdefaults__", {"digits": 200, "seed": 0})
    out = tmp_path / "c.safetensors"
    status, said, err = run(capsys, "classifier", "--out", str(out), "--steps", "2")
    assert (status, said.strip()) == (0, str(out))
    assert "correct in each tenth of t" in err
    assert load_classifier(out).provenance["steps"] == 2
    assert run(capsys, "classifier", "--out", str(out), "--steps", "0")[0] == 2


def test_info_of_the_folder_that_train_wrote(capsys, tmp_path, tiny):
    grown = Provenance(steps=12345, seed=9, versions={"torch": "2.5"}, grown_from=Provenance(preset="lite", steps=7))
    save(tmp_path / "model.safetensors", Checkpoint(tiny, ScheduleConfig(), grown))
    status, out, _ = run(capsys, "info", "--checkpoint", str(tmp_path))
    assert status == 0
    for line in (
        "steps  12,345",
        "seed  9",
        "versions  torch 2.5",
        "the network it was grown from:",
        "preset  lite",
    ):
        assert line in out
    (tmp_path / "model.safetensors").unlink()
    status, _, err = run(capsys, "info", "--checkpoint", str(tmp_path))
    assert (status, "the folder of a run" in err) == (1, True)


def test_sample_says_that_its_own_rule_is_not_the_pages(capsys, checkpoint, tmp_path):
    out = ["--out", str(tmp_path / "x.npz"), "--n", "1"]
    _, _, err = run(capsys, "sample", "--checkpoint", checkpoint, *out, "--steps", "2")
    assert "the page" not in err
    assert usual_words("lite").endswith("--steps 50 --variance posterior --clip x0 --guide tiny --guidance 2.5")
    assert usual_words(checkpoint).endswith("--clip x0")
    command = ["sample", *usual_words("lite").split("draw with ")[1].split(), "--out", "x.npz"]
    parsed = build_parser().parse_args(command)
    assert sampler_config(parsed) == RECOMMENDED_SAMPLER
    assert guidance_config(parsed, usual=None) == RECOMMENDED_GUIDANCE["lite"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("arguments", ["schedule --json", "claims", "--help", "--version"])
def test_a_full_disk_behind_the_output_is_one_sentence(arguments):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "ddpm_demo", *arguments.split()]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "ddpm-demo: the output could not be written: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix closes it")
@pytest.mark.parametrize("arguments", ["schedule", "quiz --help", "--version"])
def test_a_closed_output_is_one_sentence(arguments):
    command = f"{sys.executable} -m ddpm_demo {arguments} >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "standard output is closed" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix closes it")
def test_what_is_wrong_does_not_go_to_the_output_where_nobody_hears_of_it():
    command = f"{sys.executable} -m ddpm_demo schedule --kind square 2>&-"
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (2, "")


def test_what_minutes_are_not_is_said_and_a_comma_is_no_point(capsys, tmp_path):
    status, _, err = run(capsys, "train", "--out", str(tmp_path / "r"), "--minutes", "0,5")
    assert (status, "invalid float value: '0,5'" in err) == (2, True)
