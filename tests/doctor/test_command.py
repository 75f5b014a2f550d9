"""``counterpoise doctor data`` as a user meets it."""

import json

import pytest

from counterpoise.cli import main


@pytest.fixture
def folder(tokenizer, tmp_path):
    """Of a tokenizer alone, without a model."""
    tokenizer().save_pretrained(tmp_path / "tokenizer")
    return tmp_path / "tokenizer"


def run(capsys, *arguments):
    code = main(["doctor", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_sound_data_is_code_0_and_faulty_data_code_1(capsys, folder, tmp_path):
    sound = {"prompt": "What?", "completion": "This."}
    code, out, err = run(capsys, "data", write(tmp_path / "a.jsonl", sound), "--tokenizer", folder)
    assert (code, err) == (0, "")
    assert out.startswith("loss: the completion\n")
    assert "6 (54.5%)" in out
    assert "fault" not in out
    rows = write(tmp_path / "b.jsonl", sound, {"prompt": "What?", "completion": ""})
    code, out, err = run(capsys, "data", rows, "--tokenizer", folder, "--max-length", 9)
    assert (code, err) == (1, f"error: 2 of 2 examples are faulty ({rows})\n")
    assert "2 of 6 tokens with loss are cut off" in out
    assert "the text is empty" in out


def test_json_has_the_promised_shape(capsys, folder, tmp_path):
    rows = write(tmp_path / "a.jsonl", {"text": "One."}, {"text": ""})
    code, out, err = run(capsys, "data", rows, "--tokenizer", folder, "--json", "--show", 1)
    assert (code, err.count("\n")) == (1, 1)
    found = json.loads(out)
    assert found == {
        "shape": "text",
        "rule": "every token: a text does not say where a prompt ends",
        "notes": [],
        "max_length": None,
        **{"examples": 2, "faulty": 1, "tokens": 6, "loss_tokens": 6, "loss_share": 1.0},
        **{"minimum": 1, "median": 1, "maximum": 5, "longest": 5},
        "faults": {"empty": 1},
        "offenders": [{"number": 2, "tokens": 1, "loss_tokens": 1, "faults": {"empty": "the text is empty"}}],
        "shown": [{"number": 2, "stretches": [["loss", "<|end|>"]]}],
    }


def test_shown_examples_cannot_act_on_the_terminal_or_forge_marks(capsys, folder, tmp_path):
    row = {"prompt": "⟧[bold]\x1b[31m\u202e\n", "completion": "\tYes⟦"}
    code, out, _ = run(capsys, "data", write(tmp_path / "a.jsonl", row), "--tokenizer", folder, "--show", 5)
    assert code == 0
    assert out.endswith(
        "\nexample 1: ⟦with loss⟧ ⟪cut off⟫\n⟨U+27E7⟩[bold]⟨U+001B⟩[31m⟨U+202E⟩↵\n⟦⇥Yes⟨U+27E6⟩<|end|>⟧\n"
    )
    hostile = {"messages": [{"role": "\x1b[2J\u202e", "content": "x"}, {"role": "assistant", "content": "y"}]}
    code, out, _ = run(capsys, "data", write(tmp_path / "b.jsonl", hostile), "--tokenizer", folder, "--show", 5)
    assert code == 1
    assert not set(out) & {"\x1b", "\u202e"}


@pytest.mark.parametrize(
    ("rows", "more", "message"),
    [
        ([{"text": "a"}], ["--tokenizer", "./nowhere"], "no model folder at './nowhere'"),
        ([{"text": "a"}], ["--tokenizer", "embedded/gpt"], "unknown embedded model 'embedded/gpt'"),
        ([{"text": "a"}], ["--tokenizer", "."], "cannot load the tokenizer in"),
        ([{"text": "a"}], [], "Missing option '--tokenizer'"),
        ([{"text": "a"}], ["--tokenizer", "tokenizer", "--max-length", "0"], "--max-length"),
        ([{"question": "a"}], ["--tokenizer", "tokenizer"], "nothing to train on (a.jsonl line 1)"),
        ([], ["--tokenizer", "tokenizer"], "no examples (a.jsonl)"),
    ],
)
def test_bad_usage_is_one_line(capsys, folder, tmp_path, monkeypatch, rows, more, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.jsonl", *rows)
    code, out, err = run(capsys, "data", "a.jsonl", *more)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_is_one_line(capsys, folder):
    code, _, err = run(capsys, "data", "nowhere.jsonl", "--tokenizer", folder)
    assert (code, err) == (2, "error: cannot read file: no such file (nowhere.jsonl)\n")


def test_json_is_an_option_of_the_command_that_prints(capsys, folder, tmp_path):
    rows = write(tmp_path / "a.jsonl", {"text": "One."})
    code, out, err = run(capsys, "--json", "data", rows, "--tokenizer", folder)
    assert (code, out) == (2, "")
    assert err == "error: --json before the command; expected it after 'data'\n"
