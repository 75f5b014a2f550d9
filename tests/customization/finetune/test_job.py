import json
import os
import sys
import time

import pytest

from counterpoise.customization.finetune import Finetuner, Recipe, finished, launch
from counterpoise.customization.finetune.job import main
from counterpoise.errors import RunError, UsageError


def write_job(folder, tiny, pairs, **changes):
    rows = [{"prompt": one.prompt, "completion": one.completion, "system": one.system} for one in pairs]
    (folder / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    value = {"model": str(tiny), "examples": "examples.jsonl", "out": "made", "recipe": {"epochs": 1, "rank": 2}}
    (folder / "job.json").write_text(json.dumps({**value, "seed": 3, **changes}), encoding="utf-8")
    return str(folder / "job.json")


def test_a_job_in_one_process_does_what_train_does(tiny, finetuner, pairs, tmp_path, capsys):
    assert main([write_job(tmp_path, tiny, pairs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["step 1 2", "step 2 2"]
    expected = finetuner.train([], pairs, Recipe(epochs=1, rank=2), seed=3, out=tmp_path / "other")
    assert finished(tmp_path / "made").losses == expected.losses
    assert json.loads(lines[2])["losses"] == pytest.approx(expected.losses, abs=1e-6)


def test_conversations_are_examples_too(tiny, tmp_path, pairs):
    path = write_job(tmp_path, tiny, pairs)
    turns = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
    (tmp_path / "examples.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    assert main([path]) == 0
    assert finished(tmp_path / "made").loss_tokens == len("Hello.") + 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"speed": 3, "recipe": "lite"}, r"recipe: .*unknown recipe 'lite'.*speed: Extra inputs"),
        ({"examples": "none.jsonl"}, "none.jsonl"),
        ({"model": "openai/gpt-5"}, "cannot be fine-tuned here"),
        ({"recipe": {"targets": ["query"]}}, "targets name 'query'"),
        ({"out": "."}, "the checkpoint is there already"),
    ],
)
def test_bad_jobs_are_one_line(changes, message, tiny, pairs, tmp_path, capsys):
    assert main([write_job(tmp_path, tiny, pairs, **changes)]) == 2
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    import re

    assert re.search(message, said.err)
    assert json.loads(said.out)["exit_code"] == 2
    assert not (tmp_path / "made").exists()


def test_a_job_file_that_is_not_there(tmp_path, capsys):
    assert main([str(tmp_path / "none.json")]) == 2
    assert "cannot read the job" in capsys.readouterr().err
    assert main([]) == 2
    assert "0 arguments" in capsys.readouterr().err


def told(monkeypatch, script):
    monkeypatch.setattr(launch, "command", lambda job, processes: [sys.executable, "-c", script, str(job)])


def test_progress_and_failures_of_processes_come_back(tiny, pairs, tmp_path, monkeypatch):
    finetuner, steps = Finetuner(str(tiny), processes=2), []
    told(monkeypatch, """print("noise"); print("step 1 2"); print('{"error": "bad rows", "exit_code": 2}')""")
    with pytest.raises(UsageError, match="bad rows"):
        finetuner.train([], pairs, Recipe(), seed=0, out=tmp_path / "x", on_step=lambda *step: steps.append(step))
    assert steps == [(1, 2)]
    told(monkeypatch, """print('{"error": "diverged", "exit_code": 1}')""")
    with pytest.raises(RunError, match="diverged"):
        finetuner.train([], pairs, Recipe(), seed=0, out=tmp_path / "x")
    told(monkeypatch, """raise SystemExit("Bus error")""")
    with pytest.raises(RunError, match=r"ended without a result: Bus error \(x\)"):
        finetuner.train([], pairs, Recipe(), seed=0, out=tmp_path / "x")


def test_stopped_processes_do_not_go_on_alone(tiny, pairs, tmp_path, monkeypatch):
    note = tmp_path / "pid"
    told(monkeypatch, f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); "
         "print('step 1 9', flush=True); time.sleep(600)")  # fmt: skip

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Finetuner(str(tiny), processes=2).train([], pairs, Recipe(), seed=0, out=tmp_path / "x", on_step=interrupt)
    deadline = time.monotonic() + 10
    pid = int(note.read_text())
    while time.monotonic() < deadline and os.path.exists(f"/proc/{pid}"):
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}")


def test_a_real_job_file_is_handed_over(tiny, pairs, light, tmp_path, monkeypatch):
    """Everything that decides the result is in it; a recipe's defaults are left out."""
    copied = tmp_path / "copy.json"
    told(monkeypatch, f"import shutil, sys; shutil.copy(sys.argv[1], {str(copied)!r})")
    with pytest.raises(RunError):
        Finetuner(str(tiny), processes=2).train([tmp_path], pairs, light, seed=5, out=tmp_path / "x")
    value = json.loads(copied.read_text())
    assert value["recipe"] == {"learning_rate": 2e-2, "epochs": 3, "batch_size": 4, "rank": 4, "alpha": 8}
    assert (value["seed"], value["chain"], value["out"]) == (5, [str(tmp_path)], str(tmp_path / "x"))


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tiny, finetuner, pairs, light, tmp_path):
    """Thirteen examples: the last step is filled up, and nothing is trained on twice."""
    from safetensors.torch import load_file

    examples = [*pairs, pairs[0]]
    one = finetuner.train([], examples, light, seed=3, out=tmp_path / "one")
    steps = []
    pair = Finetuner(str(tiny), processes=2)
    two = pair.train([], examples, light, seed=3, out=tmp_path / "two", on_step=lambda *step: steps.append(step))
    assert (two.processes, two.loss_tokens, two.examples) == (2, one.loss_tokens, 13)
    assert two.losses == pytest.approx(one.losses, rel=1e-4)
    assert steps == [(number, 12) for number in range(1, 13)]
    first, second = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("one", "two"))
    assert first.keys() == second.keys()
    assert max(float((first[name] - second[name]).abs().max()) for name in first) < 1e-4
    assert finetuner.open([tmp_path / "two"]).revision
