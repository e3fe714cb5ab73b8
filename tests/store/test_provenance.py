import json

import pytest
import safetensors

from ddpm_demo.core.config import ConfigError
from ddpm_demo.store import checkpoint
from ddpm_demo.store.provenance import HeldOutRecord, Provenance
from ddpm_demo.store.shipped import shipped_checkpoints


@pytest.mark.parametrize("path", shipped_checkpoints().values(), ids=list(shipped_checkpoints()))
def test_the_shipped_files_say_the_same_in_the_same_order(path):
    with safetensors.safe_open(str(path), framework="pt") as file:
        written = json.loads(file.metadata()["provenance"])
    read = checkpoint.load(path).provenance.to_json()
    assert read == written
    assert list(read) == list(written)
    assert Provenance.from_json(json.loads(json.dumps(read))) == checkpoint.load(path).provenance


def test_nothing_is_a_provenance_too():
    story = Provenance.from_json({})
    assert story == Provenance()
    assert story.to_json() == {}
    assert story.channels is None


def test_what_is_unknown_is_kept():
    story = Provenance.from_json({"steps": 3, "mood": {"good": [1, None]}, "held_out": None, "classes": [7, 1]})
    assert story.other == {"mood": {"good": [1, None]}}
    assert story.to_json() == {"classes": [7, 1], "steps": 3, "held_out": None, "mood": {"good": [1, None]}}


def test_a_held_out_loss_may_lack_its_tenths():
    story = Provenance.from_json({"held_out": {"loss": 0.5}})
    assert story.held_out == HeldOutRecord(0.5)
    assert story.to_json() == {"held_out": {"loss": 0.5}}


def test_no_number_is_written_as_json_has_it():
    tenths = [0.5] * 9 + [float("nan")]
    story = Provenance.from_json({"held_out": {"loss": 0.5, "by_tenth": tenths}, "final_loss": float("nan")})
    assert story.held_out.by_tenth == (*[0.5] * 9, None)
    assert story.final_loss is None
    assert "NaN" not in json.dumps(story.to_json())


def test_the_width_by_what_the_file_says():
    assert Provenance(preset="lite").channels == 64
    assert Provenance(preset="custom", hidden=128).channels == 128  # as files said it of a network that was grown
    assert Provenance(preset="custom", width=32).channels == 32
    assert Provenance(preset="heavy").channels is None


@pytest.mark.parametrize("value", [None, [], "text", 7])
def test_what_has_no_names_is_refused(value):
    with pytest.raises(ConfigError, match="needs named values"):
        Provenance.from_json(value)
