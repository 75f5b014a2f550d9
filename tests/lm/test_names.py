import subprocess
import sys

import pytest

from counterpoise.errors import DataError, UnknownNameError, UnsupportedError, UsageError
from counterpoise.lm.names import inspect_name, open_model, open_tokenizer


def test_each_kind_of_name(tmp_path, monkeypatch):
    assert inspect_name("embedded/smollm2") == "counterpoise/smollm2"
    assert inspect_name("openai/gpt-5") == "openai/gpt-5"
    assert inspect_name("together/meta/llama") == "together/meta/llama"
    assert inspect_name(str(tmp_path)) == f"counterpoise/{tmp_path}"
    (tmp_path / "my" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert inspect_name("my/model") == f"counterpoise/{tmp_path}/my/model"
    assert inspect_name("./my") == f"counterpoise/{tmp_path}/my"


@pytest.mark.parametrize("function", [open_model, open_tokenizer, inspect_name])
@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("embedded/smolm2", UnknownNameError, "did you mean 'embedded/smollm2'?"),
        ("embedded/minilm", UnsupportedError, "'embedded/minilm' is an embedder, not a language model"),
        (
            "smollm2",
            UsageError,
            "unknown model 'smollm2'; expected embedded/smollm2, a model folder, or provider/model",
        ),
        ("", UsageError, "unknown model ''"),
        ("./absent/folder", DataError, "no model folder at './absent/folder'; expected a folder with config.json"),
        ("/absent/folder", DataError, "no model folder at '/absent/folder'"),
    ],
)
def test_a_wrong_name_is_one_clear_line(function, name, error, message):
    with pytest.raises(error) as raised:
        function(name)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_only_opening_a_folder_shows_that_it_holds_no_model(tmp_path):
    assert inspect_name(str(tmp_path)) == f"counterpoise/{tmp_path}"
    with pytest.raises(DataError, match="no model"):
        open_model(str(tmp_path))


def test_a_folder_opens_as_a_local_model(tiny_folder):
    lm = open_model(str(tiny_folder))
    assert lm.name == str(tiny_folder)


def test_a_tokenizer_is_opened_without_its_model(tiny_folder, tmp_path):
    open_tokenizer(str(tiny_folder)).save_pretrained(tmp_path / "alone")
    assert (
        open_tokenizer(str(tmp_path / "alone"))("the cat").input_ids
        == open_tokenizer(str(tiny_folder))("the cat").input_ids
    )
    (tmp_path / "alone" / "tokenizer.json").write_text("{", encoding="utf-8")
    for folder in ("alone", "."):
        with pytest.raises(DataError, match="cannot load the tokenizer in ") as raised:
            open_tokenizer(str(tmp_path / folder))
        assert "\n" not in str(raised.value)


def test_a_tokenizer_from_the_hub_is_its_small_files_at_the_revision(tiny_folder, monkeypatch):
    asked = []

    def download(repository, *, revision, allow_patterns):
        asked.append((repository, revision, allow_patterns))
        return str(tiny_folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert open_tokenizer("owner/name").eos_token == "<|end|>"
    open_tokenizer("owner/name@v1")
    assert [one[:2] for one in asked] == [("owner/name", None), ("owner/name", "v1")]
    assert not any("safetensors" in pattern or "bin" in pattern for pattern in asked[0][2])


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch):
    def download(*_, **__):
        raise OSError("no route\nto the hub")

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    with pytest.raises(UsageError) as raised:
        open_tokenizer("owner/name")
    assert str(raised.value) == (
        "cannot get the tokenizer 'owner/name': no route; download it elsewhere and name its folder"
    )


def test_importing_it_is_light():
    code = (
        "import sys, counterpoise.lm.names;"
        "print([m for m in ('torch', 'transformers', 'inspect_ai') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
