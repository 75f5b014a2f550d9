import json
import shutil

import pytest
import torch

from counterpoise.errors import DataError, UnsupportedError
from counterpoise.lm.loading import default_dtype, folder_revision, load_folder


@pytest.fixture
def copy(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder, tmp_path / "model")


def test_revision_follows_content_not_place(tiny_folder, copy):
    before = folder_revision(copy)
    assert before == folder_revision(tiny_folder)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 0.1}))
    assert folder_revision(copy) != before


def test_revision_sees_weights(copy):
    before = folder_revision(copy)
    data = bytearray((copy / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (copy / "model.safetensors").write_bytes(data)
    assert folder_revision(copy) != before


def test_missing_folder(tmp_path):
    with pytest.raises(DataError, match=r"no model folder at .*absent; expected a folder with config\.json"):
        load_folder(tmp_path / "absent")


def test_folder_without_a_model(tmp_path):
    with pytest.raises(DataError, match="no model in folder"):
        load_folder(tmp_path)


def test_adapter_given_as_a_model(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(DataError, match=r"the adapter names no base .*put the path of its base model's folder"):
        load_folder(tmp_path)


def test_folder_without_an_adapter_given_as_adapter(tiny_folder, tmp_path):
    with pytest.raises(DataError, match="no adapter in folder"):
        load_folder(tiny_folder, adapter=tmp_path)


def test_weights_missing(copy):
    (copy / "model.safetensors").unlink()
    with pytest.raises(DataError, match=r"no weights in folder .*; expected \*\.safetensors files"):
        load_folder(copy)


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\x00" * 100])
def test_weights_damaged(copy, damage):
    (copy / "model.safetensors").write_bytes(damage)
    with pytest.raises(DataError, match="cannot load the model in") as raised:
        load_folder(copy)
    assert "\n" not in str(raised.value)


def test_configuration_damaged(copy):
    (copy / "config.json").write_text("{")
    with pytest.raises(DataError, match=r"configuration cannot be read \(.*config\.json\)"):
        load_folder(copy)


def test_own_code_is_never_run(copy):
    config = json.loads((copy / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "model.Mine"}
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "model.py").write_text("raise SystemExit('run')")
    with pytest.raises(UnsupportedError, match="brings its own Python code, which is never run"):
        load_folder(copy)


def test_no_chat_template(copy):
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(UnsupportedError, match="has no chat template"):
        load_folder(copy)


def test_precision_follows_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    assert default_dtype("cpu") is torch.bfloat16
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    assert default_dtype("cpu") is torch.bfloat16
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True}, raising=False)
    assert default_dtype("cpu") is torch.float32


def test_loading_is_silent(tiny_folder, capfd):
    load_folder(tiny_folder, device="cpu")
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
