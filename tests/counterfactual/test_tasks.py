"""The datasets as tasks of Inspect AI: found by name, run by Inspect itself, asked as their parameters say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from counterpoise.counterfactual.asking import INSPECT
from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.datasets import DATASETS, available, load
from counterpoise.counterfactual.diagnose import DiagnoseConfig
from counterpoise.counterfactual.modes import stages_in
from counterpoise.counterfactual.score import DiagnosisRow
from counterpoise.counterfactual.stages import CHAIN
from counterpoise.counterfactual.tasks import TASKS
from counterpoise.errors import ConfigError, DataError, UnknownNameError, UsageError

# Inspect AI passes its retry library an old name.
pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning")

TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Inspect AI looks for tasks and settings where it is started."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def asked() -> list[list[Any]]:
    """The messages that the mock was given, call by call."""
    return []


@pytest.fixture
def evaluate(asked, tmp_path):
    """Runs a task, or several models on it, with a mock that says its own name; a log for each model."""

    def run(task: Task | str, *names: str, **settings) -> list[EvalLog]:
        def mock(name: str):
            def respond(messages, tools, tool_choice, config):
                asked.append(messages)
                output = ModelOutput.from_content("mockllm", json.dumps({"answer": name}))
                # Without a count the mock counts for itself, which needs a download.
                output.usage = ModelUsage(input_tokens=7, output_tokens=3, total_tokens=10)
                return output

            return get_model(f"mockllm/{name}", custom_outputs=respond, memoize=False)

        models = [mock(name) for name in names or ("A",)]
        return inspect_eval(task, model=models, log_dir=str(tmp_path / "logs"), display="none", **settings)

    return run


def rows_of(log: EvalLog) -> list[DiagnosisRow]:
    assert log.status == "success", log.error
    return [
        DiagnosisRow.model_validate(row)
        for sample in log.samples
        for row in sample.scores["stage_scorer"].metadata["rows"]
    ]


def cases_of(task: Task) -> list[Case]:
    return [Case.model_validate(sample.metadata["case"]) for sample in task.dataset]


def settings_of(name: str, request) -> dict[str, Any]:
    """What a dataset needs to be read here; skips where it is not at hand."""
    settings: dict[str, Any] = {}
    if DATASETS[name].files:
        data = request.getfixturevalue("data")
        if not available(DATASETS[name], data):
            pytest.skip(f"no data for {name}")
        settings["data"] = str(data)
    if DATASETS[name].modality == "image":
        settings["text_only"] = True
    return settings


def test_there_is_a_task_for_every_dataset():
    assert TASKS.keys() == DATASETS.keys()


@pytest.mark.parametrize("name", TASKS)
def test_inspect_finds_and_runs_the_task(name, evaluate, asked, request, monkeypatch):
    settings = settings_of(name, request)
    here = TASKS[name](**settings)
    # As a user has it: named once for the whole session.
    if data := settings.pop("data", None):
        monkeypatch.setenv("COUNTERPOISE_DATA", data)
    (log,) = evaluate(f"counterpoise/{name.replace('-', '_')}", task_args=settings, limit=2)
    rows = rows_of(log)
    ids = [sample.id for sample in here.dataset]
    assert len(set(ids)) == len(ids) > 2
    # Made anew by Inspect, the samples are the same ones.
    assert sorted(sample.id for sample in log.samples) == sorted(ids[:2])
    assert {case.dataset for case in cases_of(here)} == {name}
    assert len(rows) == len(asked) == 2
    for row in rows:
        assert (row.dataset, row.stage, row.mode, row.elicit, row.run) == (
            name,
            "answer",
            "isolated",
            "direct",
            INSPECT,
        )
        assert row.model == "mockllm/A"
        assert row.status in ("ok", "parse_failed")
        assert (row.tokens.input, row.tokens.output) == (7, 3)
    found = log.results.scores[0].metrics
    assert found["n"].value == 2
    assert found["model_failed"].value == 0
    assert found["low"].value <= found["score"].value <= found["high"].value


class Made(Exception):
    """Ends the making of a task as soon as its configuration is made."""


@pytest.fixture
def configured(monkeypatch):
    """The configuration that a task is made with."""
    original = DiagnoseConfig.checked

    def checked(**given):
        raise Made(original(**given).model_dump(mode="json"))

    monkeypatch.setattr(DiagnoseConfig, "checked", checked)

    def of(**settings) -> dict[str, Any]:
        with pytest.raises(Made) as made:
            TASKS["scm-text"](**settings)
        return made.value.args[0]

    return of


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"stages": ["answer"], "modes": ["isolated"], "elicits": ["direct"], "tools": ["off"], "limit": None}),
        ({"stage": "graph"}, {"stages": ["graph"]}),
        ({"mode": "chained"}, {"modes": ["chained"], "stages": [str(stage) for stage in Stage]}),
        ({"elicit": "cot-sc", "k": 3}, {"elicits": ["cot-sc"], "k": 3}),
        ({"tools": "hints"}, {"tools": ["hints"]}),
        ({"tools": "auto"}, {"tools": ["calls"]}),
        ({"seed": 4, "limit": 2}, {"seed": 4, "limit": 2}),
        ({"text_only": True}, {"text_only": True}),
    ],
)
def test_parameters_reach_the_configuration(configured, settings, expected):
    found = configured(**settings)
    assert {name: found[name] for name in expected} == expected
    assert (found["model"], found["datasets"]) == (INSPECT, ["scm-text"])


def test_a_limit_is_drawn_by_the_seed():
    def ids(**settings):
        return [sample.id for sample in TASKS["scm-text"](limit=5, **settings).dataset]

    drawn = ids()
    assert len(set(drawn)) == 5
    assert ids(seed=1) != drawn


def test_a_chain_is_one_sample_with_a_row_for_every_stage(evaluate, asked):
    (log,) = evaluate(TASKS["scm-text"](mode="chained", limit=2))
    rows = rows_of(log)
    cases = [Case.model_validate(sample.metadata["case"]) for sample in log.samples]
    expected = [(case.id, stage) for case in cases for stage in stages_in(case, "chained")]
    assert [(row.case_id, row.stage) for row in rows] == expected
    assert {row.stage for row in rows} >= {*CHAIN}
    assert {row.mode for row in rows} == {"chained"}
    assert len(asked) == len(rows)


def test_a_vote_asks_k_times_and_hints_are_told(evaluate, asked):
    (log,) = evaluate(TASKS["scm-text"](elicit="cot-sc", k=3, limit=1, tools="hints"))
    (row,) = rows_of(log)
    assert (row.elicit, row.k, len(row.samples), row.tokens.input) == ("cot-sc+hints", 3, 3, 21)
    assert len(asked) == 3
    assert all("\n\nNotes:\n" in messages[-1].text for messages in asked)


def test_models_do_not_get_each_other_s_answers(evaluate):
    logs = evaluate(TASKS["scm-text"](limit=2), "A", "B")
    assert [{row.completion for row in rows_of(log)} for log in logs] == [{'{"answer": "A"}'}, {'{"answer": "B"}'}]
    assert [{row.model for row in rows_of(log)} for log in logs] == [{"mockllm/A"}, {"mockllm/B"}]


def test_a_log_holds_what_scoring_needs(evaluate, tmp_path):
    (log,) = evaluate(TASKS["scm-image"](limit=1))
    again = read_eval_log(log.location, resolve_attachments=True)
    (sample,) = again.samples
    case = Case.model_validate(sample.metadata["case"])
    assert case in load("scm-image").cases
    assert sample.target == json.dumps({"answer": case.target})
    assert rows_of(again) == rows_of(log)
    # The picture was shown; the input of the sample is its text alone.
    (event,) = [event for event in sample.events if event.event == "model"]
    assert [part.type for part in event.input[0].content] == ["image", "text"]
    assert sample.input[0].text == event.input[0].text
    assert isinstance(sample.input[0].content, str)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"stage": "grph"}, UnknownNameError, "unknown stage 'grph'; expected one of .*did you mean 'graph'"),
        ({"mode": "chain"}, UnknownNameError, "unknown mode of a single task 'chain'; expected one of chained, isol"),
        ({"elicit": "cott"}, UnknownNameError, "unknown elicitation 'cott'"),
        ({"tools": "hint"}, UnknownNameError, "unknown use of tools 'hint'"),
        ({"k": 0, "elicit": "cot-sc"}, ConfigError, "k is 0; expected 1 to 100"),
        ({"limit": 0}, ConfigError, "limit is 0; expected at least 1"),
    ],
)
def test_what_does_not_exist_is_one_line(settings, error, message):
    with pytest.raises(error, match=message) as raised:
        TASKS["scm-text"](**settings)
    assert "\n" not in str(raised.value)


def test_data_and_tools_that_are_not_there_are_one_line(tmp_path, monkeypatch):
    monkeypatch.delenv("COUNTERPOISE_DATA", raising=False)
    with pytest.raises(DataError, match="dataset 'crass' needs downloaded data"):
        TASKS["crass"]()
    with pytest.raises(DataError, match="no data for dataset 'crass'"):
        TASKS["crass"](data=str(tmp_path))
    with pytest.raises(UsageError, match="name its folder with --extractor image=FOLDER"):
        TASKS["scm-image"](tools="hints", limit=1)


@pytest.mark.slow
def test_the_command_of_inspect_runs_a_task(tiny_llama, tmp_path):
    model = tiny_llama(TEMPLATE, merges=True, max_position_embeddings=8192, initializer_range=0.3)
    command = [
        *(Path(sys.executable).parent / "inspect", "eval", "counterpoise/scm_text", "--limit", "2"),
        *("--model", f"counterpoise/{model}", "-T", "stage=intervention", "-M", "device=cpu"),
        *("--log-dir", tmp_path / "logs", "--display", "plain"),
    ]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "raised on an empty sample set" not in done.stdout
    (path,) = (tmp_path / "logs").glob("*.eval")
    rows = rows_of(read_eval_log(str(path)))
    assert [(row.stage, row.status in ("ok", "parse_failed")) for row in rows] == [("intervention", True)] * 2
