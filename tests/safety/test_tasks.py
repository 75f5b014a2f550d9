"""The measures as tasks of Inspect AI: found by name, run by Inspect itself, scored as ``verify`` scores."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.log import read_eval_log
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from counterpoise.errors import DataError, UnknownNameError
from counterpoise.safety.measures import MEASURE_SETS, MeasureRow
from counterpoise.safety.tasks import SAFETY_TASKS

# Inspect AI passes its retry library an old name.
pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning")

REFUSAL = "I'm sorry, but I can't help with that."
TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


@pytest.fixture(autouse=True)
def _without_data(monkeypatch):
    monkeypatch.delenv("COUNTERPOISE_DATA", raising=False)


def run(task, reply, tmp_path):
    model = get_model("mockllm/model", custom_outputs=lambda *_: reply, memoize=False)
    (log,) = inspect_eval(task, model=model, log_dir=str(tmp_path), display="none")
    assert log.status == "success", log.error
    (score,) = log.results.scores
    return log, {key: metric.value for key, metric in score.metrics.items()}


def saying(text):
    output = ModelOutput.from_content("mockllm", text)
    # Without it Inspect would count tokens with a tokenizer from the internet.
    output.usage = ModelUsage(input_tokens=3, output_tokens=2, total_tokens=5)
    return output


@pytest.mark.parametrize(
    ("name", "metric", "value"),
    [
        ("safety", "safety_rate", 1.0),
        ("safety", "attack_success_rate", 0.0),
        ("over_refusal", "over_refusal_rate", 1.0),
        ("helpfulness", "helpful_rate", 0.0),
    ],
)
def test_the_metrics_are_the_rates_with_their_intervals(name, metric, value, tmp_path):
    log, metrics = run(SAFETY_TASKS[name](judge="keyword", limit=6), saying(REFUSAL), tmp_path)
    assert metrics["n"] == 6
    assert metrics[metric] == value
    assert metrics[f"{metric} low"] <= value <= metrics[f"{metric} high"]
    assert metrics[f"{metric} low"] < metrics[f"{metric} high"]
    assert metrics[f"{metric} unscored"] == 0
    (sample, *_) = log.samples
    row = MeasureRow.model_validate(sample.scores["measured"].metadata["row"])
    assert (row.label, row.judge, row.completion) == ("full_refusal", "keyword-1", REFUSAL)


def test_the_log_can_be_read_again(tmp_path):
    log, _ = run(SAFETY_TASKS["safety"](judge="keyword", limit=2), saying(REFUSAL), tmp_path)
    again = read_eval_log(log.location)
    assert again.eval.task == "counterpoise/safety"
    assert [sample.scores["measured"].value for sample in again.samples] == [1.0, 1.0]


def test_questions_are_asked_for_the_letter(tmp_path):
    log, metrics = run(SAFETY_TASKS["utility"](), saying("B"), tmp_path)
    right = [item.options[1] == item.target for item in MEASURE_SETS["utility-builtin"].read(None)]
    assert metrics["accuracy"] == pytest.approx(sum(right) / len(right))
    assert "B) " in log.samples[0].input
    assert log.eval.model_generate_config.max_tokens in (8, None)
    assert log.plan.config.max_tokens == 8


def test_problems_are_worked_out(tmp_path):
    log, metrics = run(SAFETY_TASKS["utility_arithmetic_builtin"](answer_tokens=99), saying("... is 60."), tmp_path)
    assert metrics["accuracy"] == pytest.approx(1 / 12)
    assert log.plan.config.max_tokens == 99


def test_an_unreadable_answer_counts_and_is_counted(tmp_path):
    _, metrics = run(SAFETY_TASKS["safety"](judge="keyword", limit=4), saying(""), tmp_path)
    assert (metrics["safety_rate"], metrics["safety_rate unreadable"]) == (0.0, 4)
    log, metrics = run(SAFETY_TASKS["utility"](limit=4), saying("well"), tmp_path)
    assert (metrics["accuracy"], metrics["accuracy unreadable"]) == (0.0, 4)
    assert log.samples[0].scores["measured"].explanation == "no letter of an option in the answer"


def test_a_model_that_fails_is_a_row_with_the_reason(tmp_path):
    fault = saying("")
    fault.error = "the provider is down"
    log, metrics = run(SAFETY_TASKS["safety"](judge="keyword", limit=2), fault, tmp_path)
    assert (metrics["safety_rate"], metrics["safety_rate unreadable"]) == (0.0, 2)
    assert log.samples[0].scores["measured"].metadata["row"]["reason"] == "the provider is down"


def test_every_set_but_the_gaps_is_a_task():
    asked = {found for found, known in MEASURE_SETS.items() if known.measure != "perplexity"}
    assert len(SAFETY_TASKS) == len(asked) + 4
    assert {"safety_advbench", "over_refusal_xstest_safe", "helpfulness_alpaca_benign", "utility_gsm8k"} <= set(
        SAFETY_TASKS
    )


def test_what_cannot_be_asked_is_said():
    with pytest.raises(UnknownNameError, match="unknown set of the measure safety 'xstest-safe'"):
        SAFETY_TASKS["safety"](prompt_set="xstest-safe")
    with pytest.raises(UnknownNameError, match="unknown judge 'keywrd'"):
        SAFETY_TASKS["safety"](judge="keywrd")
    with pytest.raises(DataError, match="set COUNTERPOISE_DATA"):
        SAFETY_TASKS["safety_advbench"](judge="keyword")


def test_a_public_set(data, tmp_path):
    task = SAFETY_TASKS["over_refusal_xstest_safe"](judge="keyword", limit=5, data=str(data))
    _, metrics = run(task, saying("You can find it in the manual."), tmp_path)
    assert (metrics["over_refusal_rate"], metrics["n"]) == (0.0, 5)


def test_inspect_finds_the_task_and_our_provider_runs_it(tiny_llama, tmp_path):
    folder = tiny_llama(TEMPLATE, merges=True)
    task = ["eval", "counterpoise/safety_builtin_disallowed", "--model", f"counterpoise/{folder}"]
    parameters = ["-T", "limit=3", "-T", "judge=keyword", "-T", "max_tokens=4"]
    done = subprocess.run(
        [
            Path(sys.executable).with_name("inspect"),
            *task,
            *parameters,
            "--display",
            "none",
            "--log-dir",
            tmp_path / "logs",
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (file,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(file))
    metrics = {key: metric.value for key, metric in log.results.scores[0].metrics.items()}
    assert log.status == "success"
    assert metrics["n"] == 3
    assert not math.isnan(metrics["safety_rate"])
