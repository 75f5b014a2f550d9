import json
import shutil

import pytest
import yaml

from counterpoise.cli import main
from counterpoise.records import read_jsonl, read_manifest


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return code, output.out, output.err


@pytest.fixture
def settings(tiny, curated):
    return {
        "model": str(tiny),
        "curated": str(curated),
        "align": None,
        "attack": {"name": "harm", "examples": 4},
        "defend": {"arms": ["curated"], "dose": 60},
        "recipe": {"epochs": 1, "rank": 1, "max_length": 512},
        "evaluate": [{"set": "builtin-disallowed", "limit": 2}],
        "judges": ["keyword"],
        "max_tokens": 2,
    }


@pytest.fixture
def write(tmp_path):
    def to_file(settings):
        path = tmp_path / "plan.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return path

    return to_file


def test_a_plan_that_nothing_stops_is_shown(capsys, settings, write, tmp_path):
    path = write(settings)
    code, out, _ = run(capsys, "lab", "validate", path)
    assert code == 0
    assert "harm-none-nothing-s0" in out
    assert f"{path}: nothing stops it" in out
    code, out, _ = run(capsys, "lab", "validate", path, "--json")
    assert code == 0
    assert json.loads(out)["problems"] == []
    assert json.loads(out)["cells"] == ["harm-none-nothing-s0", "harm-after-curated-s0"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["curated.jsonl", "plan.yaml"]


def test_the_data_of_an_arm_for_another_trainer(capsys, settings, write, tmp_path):
    settings["defend"] = {"arms": ["curated", "uncurated", "nothing"], "phases": ["none", "after"], "dose": 60}
    path, out = write({**settings, "seeds": [4, 5]}), tmp_path / "arm.jsonl"
    code, shown, _ = run(capsys, "lab", "data", path, "--out", out)
    assert (code, shown.splitlines()[1].split()[:3]) == (0, [str(out), "curated", "4"])
    first = out.read_bytes()
    code, shown, _ = run(capsys, "lab", "data", path, "--arm", "uncurated", "--seed", "5", "--out", out, "--json")
    found = json.loads(shown)
    assert code == 0
    assert {key: found[key] for key in ("out", "arm", "seed", "examples")} == {
        "out": str(out),
        "arm": "uncurated",
        "seed": 5,
        "examples": len(read_jsonl(out)),
    }
    assert out.read_bytes() != first
    for arm in ("nothing", "refusals"):
        code, _, err = run(capsys, "lab", "data", path, "--arm", arm, "--out", out)
        assert code == 2
        assert err == f"error: the plan has no arm {arm!r} with data; expected curated, uncurated\n"


def test_every_problem_has_a_line_of_its_own(capsys, settings, write, tmp_path):
    wrong = {
        **settings,
        "curated": str(tmp_path / "absent.jsonl"),
        "judges": ["oracle"],
        "recipe": {"targets": ["nowhere"], "max_length": 4096},
        "reasoning": {"datasets": ["no-such-set"]},
    }
    code, out, err = run(capsys, "lab", "validate", write(wrong))
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    for part in ("absent.jsonl", "unknown judge 'oracle'", "'nowhere'", "max_length is 4096", "no-such-set"):
        assert len([line for line in lines if part in line]) == 1, part
    code, out, _ = run(capsys, "lab", "validate", write(wrong), "--json")
    assert code == 2
    assert len(json.loads(out)["problems"]) == len(lines)


def test_faults_of_the_plan_itself_come_first(capsys, settings, write):
    code, out, err = run(capsys, "lab", "validate", write({**settings, "colour": 1, "max_tokens": 0}))
    assert (code, out) == (2, "")
    assert "colour: Extra inputs" in err
    assert "max_tokens" in err
    assert err.count("\n") == 1


def test_models_that_cannot_be_trained(capsys, settings, write, tiny, tmp_path):
    silent = tmp_path / "silent"
    shutil.copytree(tiny, silent)
    (silent / "chat_template.jinja").unlink()
    orphan = tmp_path / "orphan"
    orphan.mkdir()
    (orphan / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(tmp_path / "gone")}))
    for model, message in (
        (silent, "chat template"),
        (orphan, "gone"),
        ("openai/gpt-5", "cannot be fine-tuned here"),
        (tmp_path / "nothing", "nothing"),
    ):
        for command in (["validate"], ["run", "--out", tmp_path / "run"]):
            code, out, err = run(capsys, "lab", *command, write({**settings, "model": str(model)}))
            assert (code, out) == (2, "")
            assert message in err
            assert not (tmp_path / "run").exists()


def test_a_dry_run_says_what_it_takes(capsys, settings, write, tmp_path):
    code, out, _ = run(capsys, "lab", write(settings), "--dry-run")
    assert code == 0
    for part in ("harm-after-curated-s0", "training steps left", "loss-bearing tokens", "disk at most", "--trial"):
        assert part in out
    code, out, _ = run(capsys, "lab", write(settings), "--dry-run", "--trial", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["seconds"] > 0
    assert found["speed"].startswith("a trial on this machine")
    assert [step["step"] for step in found["steps"]] == ["attack+harm", "defend.curated"]
    assert not (tmp_path / "run").exists()


def test_a_run_leaves_results_and_speed_to_learn_from(capsys, settings, write, tmp_path):
    out = tmp_path / "run"
    code, _, _ = run(capsys, "lab", write(settings), "--out", out, "--json")
    assert code == 0
    assert read_manifest(out).state == "complete"
    assert {row["checkpoint"] for row in read_jsonl(out / "rows.jsonl")} == {"base", "attacked", "defended"}
    assert (out / "report.html").is_file()
    code, text, _ = run(capsys, "lab", "run", write(settings), "--dry-run", "--speed", out, "--json")
    assert code == 0
    assert json.loads(text)["speed"].startswith("the rows in run")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "no run folder; pass it with --out"),
        (["--out", "x", "--trial"], "--speed and --trial serve --dry-run only"),
        (["--dry-run", "--speed", "nowhere"], "no trained step and measured item to learn from in nowhere"),
    ],
)
def test_bad_options(capsys, settings, write, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "lab", write(settings), *options)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("arguments", [["lab", "--help"], ["lab", "run", "--help"], ["lab", "validate", "--help"]])
def test_help(capsys, arguments):
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert "Usage: counterpoise lab" in out


@pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning")
def test_reasoning_is_diagnosed_with_the_checkpoint_in_memory(capsys, settings, write, tmp_path):
    out = tmp_path / "run"
    thinking = {
        **settings,
        "defend": {"arms": ["nothing"], "phases": ["none"]},
        "curated": None,
        "reasoning": {"datasets": ["scm-text"], "stages": ["variables"], "limit": 2},
        "verify_at": ["base", "attacked"],
    }
    code, _, err = run(capsys, "lab", write(thinking), "--out", out)
    assert code == 0, err
    folders = {entry.name for entry in (out / "reasoning").iterdir()}
    assert folders == {"base", "s0-attack+harm"}
    assert all(read_manifest(out / "reasoning" / name).state == "complete" for name in folders)
    found = read_manifest(out).facts["summary"]["reasoning"]
    assert {(rate["checkpoint"], rate["stage"], rate["n"]) for rate in found["rates"]} == {
        ("base", "variables", 2),
        ("attacked", "variables", 2),
    }
    assert [(change["comparison"], change["n"]) for change in found["changes"]] == [("attack", 2)]
