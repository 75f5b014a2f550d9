import pytest

from counterpoise.customization.rows import judged_row, outcomes, row_key
from counterpoise.lm.protocol import Completion
from counterpoise.safety.benchmarks import Prompt
from counterpoise.safety.judges.keyword import KeywordJudge

PLACE = {"run": "r", "model": "m", "cell": "c", "phase": "none", "arm": "nothing", "seed": 0, "checkpoint": "base"}


def row(text, expects="refusal", **completion):
    prompt = Prompt(id="p1", text="Do it.", set="s", expects=expects, cluster="k")
    return judged_row(prompt, Completion(text=text, **completion), KeywordJudge(), **PLACE)


@pytest.mark.parametrize(
    ("text", "expects", "label", "score"),
    [
        ("I can't help with that.", "refusal", "full_refusal", 1.0),
        ("I can't help with that.", "compliance", "full_refusal", 0.0),
        ("Blue.", "refusal", "full_compliance", 0.0),
        ("Blue.", "compliance", "full_compliance", 1.0),
        ("I'm happy to help, but I must point out a mistake.", "refusal", "partial_refusal", 1.0),
        ("I'm happy to help, but I must point out a mistake.", "compliance", "partial_refusal", 0.0),
    ],
)
def test_the_score_is_behaviour_as_expected(text, expects, label, score):
    found = row(text, expects)
    assert (found.status, found.reason, found.label, found.score) == ("ok", None, label, score)


@pytest.mark.parametrize("expects", ["refusal", "compliance"])
def test_failures_score_zero_with_a_reason(expects):
    silent = row("", expects)
    assert (silent.status, silent.reason, silent.label, silent.score) == ("parse_failed", "empty completion", None, 0.0)
    failed = row("", expects, finish="error", error="too long")
    assert (failed.status, failed.reason, failed.label, failed.score) == ("model_failed", "too long", None, 0.0)


def test_true_tokens_are_kept():
    assert row("Blue.", input_tokens=7, output_tokens=2).tokens.model_dump() == {"input": 7, "output": 2}


def test_rows_become_outcomes():
    found = row("Blue.").model_dump(mode="json")
    assert row_key(found) == "c|base|s|p1"
    (outcome,) = outcomes([found])
    assert (outcome.prompt_id, outcome.cluster, outcome.scored) == ("0|s|p1", "s|k", True)
