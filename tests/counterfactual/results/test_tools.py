import math

import pytest
from pydantic import ValidationError

from counterpoise.counterfactual.case import Role, Stage
from counterpoise.counterfactual.results.metrics import EDIT_METRIC
from counterpoise.counterfactual.results.tools import ToolRecord, tool_gains, tool_recalls


def row(case, elicit, score, *, stage="answer", counts=None, **changes):
    return {
        "run": "r",
        "model": "m",
        "modality": "text",
        "dataset": "d",
        "case_id": f"c{case}",
        "cluster": f"c{case}",
        "stage": stage,
        "mode": "isolated",
        "upto": None,
        "elicit": elicit,
        "k": 1,
        "status": "ok" if score is not None else "unscored",
        "score": score,
        "tokens": {"input": 1, "output": 1},
        "measures": {},
        "counts": counts or {},
    } | changes


def edges(tp, fp, fn):
    return {"edge": {"tp": tp, "fp": fp, "fn": fn}}


def record(case, *, dataset="d", tool="t 1.0", cluster=None, **counts):
    found = {role: {"tp": tp, "fn": fn} for role, (tp, fn) in counts.items()}
    cluster = cluster or f"c{case}"
    return {"dataset": dataset, "case_id": f"c{case}", "cluster": cluster, "tool": tool, "found": 3, "counts": found}


def test_the_gain_is_taken_on_the_cases_scored_both_ways():
    rows = [row(case, "direct", score) for case, score in enumerate([0.0, 1.0, 0.0, 1.0])]
    rows += [row(case, "direct+hints", score) for case, score in enumerate([1.0, 1.0, 1.0, None])]
    rows.append(row(9, "direct+hints", 0.0))
    (found,) = tool_gains(rows)
    # Of cases 0 to 2: right in all three with hints, in case 1 alone without. Cases 3 and 9 are not scored twice.
    assert (found.with_tools.value, found.without.value) == (1.0, pytest.approx(1 / 3))
    assert found.gain.value == pytest.approx(2 / 3)
    assert (found.gain.n, found.with_tools.n, found.without.n, found.left_out) == (3, 3, 3, 2)
    assert (found.elicit, found.use, found.metric) == ("direct", "hints", "accuracy")
    # Two cases that differ are no evidence of a direction: the interval reaches 0.
    assert found.gain.low == 0.0


def test_a_stage_measured_by_f1_is_compared_by_its_summed_counts():
    rows = [
        row(0, "direct", 0.4, stage="graph", counts=edges(1, 1, 2)),
        row(1, "direct", 0.8, stage="graph", counts=edges(2, 1, 0)),
        row(0, "direct+calls", 1.0, stage="graph", counts=edges(3, 0, 0)),
        row(1, "direct+calls", 0.0, stage="graph", counts=edges(0, 1, 2)),
    ]
    (found,) = tool_gains(rows)
    # Micro-F1: 2 * 3 / (2 * 3 + 1 + 2) with, 2 * 3 / (2 * 3 + 2 + 2) without; means of scores: 0.5 and 0.6.
    assert found.with_tools.value == pytest.approx(6 / 9)
    assert found.without.value == pytest.approx(6 / 10)
    assert found.gain.value == pytest.approx(6 / 9 - 6 / 10)
    assert (found.stage, found.use, found.metric) == (Stage.GRAPH, "calls", "edge F1")


def test_a_rewritten_text_is_measured_by_its_word_edits():
    edit = {"counts": {"edit": {"tp": 1, "fp": 1, "fn": 0}}, "measures": {"exact": 0.0}}
    plain = [row(case, "direct", score, **edit) for case, score in enumerate([0.5, 0.25])]
    aided = [row(case, "direct+hints", score, **edit) for case, score in enumerate([0.75, 1.0])]
    (found,) = tool_gains(plain + aided)
    assert found.metric == EDIT_METRIC == "word edit F1"
    assert (found.with_tools.value, found.without.value) == (0.875, 0.375)
    assert found.gain.value == pytest.approx(0.5)


def test_the_measure_is_named_by_what_either_side_has():
    edit = {"counts": {"edit": {"tp": 0, "fp": 0, "fn": 1}}, "measures": {"exact": 0.0}}
    (found,) = tool_gains([row(0, "direct", 0.0, **edit), row(1, "direct+hints", None)])
    assert found.metric == EDIT_METRIC


def test_without_a_common_case_there_is_no_value():
    (found,) = tool_gains([row(0, "direct", 1.0), row(1, "direct+hints", 1.0)])
    assert (found.gain.value, found.gain.low, found.gain.high, found.gain.n) == (None, None, None, 0)
    assert (found.with_tools.value, found.without.value, found.left_out) == (None, None, 2)


def test_rows_that_are_all_unscored_give_no_value():
    (found,) = tool_gains([row(0, "direct", None), row(0, "direct+hints", None)])
    assert (found.gain.value, found.gain.n, found.failed, found.left_out) == (None, 0, 0, 1)


def test_failures_with_tools_count_as_wrong_and_are_counted():
    rows = [row(case, "direct", 1.0) for case in range(3)]
    rows.append(row(3, "direct", 0.0, status="parse_failed"))
    rows += [row(0, "direct+hints", 1.0), row(1, "direct+hints", 0.0, status="parse_failed")]
    rows += [row(2, "direct+hints", 0.0, status="model_failed"), row(3, "direct+hints", None)]
    (found,) = tool_gains(rows)
    assert found.gain.value == pytest.approx(1 / 3 - 1)
    assert (found.gain.n, found.failed, found.left_out) == (3, 2, 1)


def test_each_use_and_elicitation_is_compared_with_its_own():
    ways = {"direct": 0.0, "direct+hints": 1.0, "direct+calls": 0.0, "cot": 1.0, "cot+hints": 0.0}
    rows = [row(case, way, score) for way, score in ways.items() for case in range(8)]
    found = tool_gains(rows)
    assert [(one.elicit, one.use, one.gain.value) for one in found] == [
        ("direct", "hints", 1.0),
        ("direct", "calls", 0.0),
        ("cot", "hints", -1.0),
    ]
    assert found[0].gain.low > 0
    assert found[1].gain.low < 0 < found[1].gain.high
    assert found[2].gain.high < 0


def test_runs_models_datasets_modes_and_rungs_are_kept_apart():
    places = [{"run": "s"}, {"model": "n"}, {"dataset": "e"}, {"mode": "chained"}, {"mode": "substitution"}]
    places[-1] |= {"upto": "graph"}
    for place in places:
        assert tool_gains([row(0, "direct", 1.0), row(0, "direct+hints", 1.0, **place)]) == []
        pair = [row(0, "direct", 0.0, **place), row(0, "direct+hints", 1.0, **place)]
        (found,) = tool_gains([row(0, "direct", 1.0), *pair])
        assert {name: getattr(found, name) for name in place} == place
        assert found.gain.value == 1.0


def test_stages_are_in_their_order_whatever_the_order_of_rows():
    stages = ("answer", "outcome", "intervention", "graph", "variables")
    rows = [row(0, way, 1.0, stage=stage) for way in ("direct+hints", "direct") for stage in stages]
    assert [one.stage for one in tool_gains(rows)] == list(reversed(stages))


def test_a_use_or_a_stage_without_its_plain_rows_has_no_line():
    assert tool_gains([]) == []
    assert tool_gains([row(0, "direct", 1.0), row(0, "cot", 1.0)]) == []
    assert tool_gains([row(0, "direct+hints", 1.0), row(0, "cot", 1.0)]) == []
    assert tool_gains([row(0, "direct+hints", 1.0), row(0, "direct", 1.0, stage="intervention")]) == []
    assert tool_gains([row(0, "direct+", 1.0), row(0, "direct", 1.0)]) == []


def test_where_nothing_is_to_be_found_the_gain_has_no_value():
    pair = [row(0, way, 1.0, stage="graph", counts=edges(0, 0, 0)) for way in ("direct", "direct+hints")]
    (found,) = tool_gains(pair)
    assert (found.gain.value, found.with_tools.value, found.gain.n) == (None, None, 1)


def test_one_cluster_shows_no_spread_that_could_be_taken_for_evidence():
    rows = [
        row(case, way, float(way != "direct"), cluster="c") for way in ("direct", "direct+hints") for case in (0, 1)
    ]
    (found,) = tool_gains(rows)
    assert (found.gain.value, found.gain.clusters) == (1.0, 1)
    assert found.gain.low <= 0


def test_gains_depend_on_the_seed_alone():
    rows = [
        row(case, way, float((case * 7 + len(way)) % 3 > 0)) for way in ("direct", "direct+hints") for case in range(9)
    ]
    assert tool_gains(rows, seed=3) == tool_gains(rows, seed=3)
    (few,) = tool_gains(rows, resamples=10)
    assert few.gain.value == tool_gains(rows)[0].gain.value


def test_recall_is_the_share_of_gold_variables_over_all_cases():
    records = [record(0, exposure=(1, 0), outcome=(0, 1)), record(1, exposure=(1, 2)), record(2, exposure=(0, 0))]
    exposure, outcome = tool_recalls(records, run="r")
    assert exposure.recall.value == pytest.approx(2 / 4)
    assert (exposure.recall.n, exposure.recall.clusters, exposure.variables) == (3, 3, 4)
    assert (outcome.recall.value, outcome.recall.n, outcome.variables) == (0.0, 1, 1)
    assert (exposure.run, exposure.dataset, exposure.tool, exposure.role) == ("r", "d", "t 1.0", Role.EXPOSURE)
    # One case that misses its variable says little: Wilson's bound for 0 of 1.
    assert outcome.recall.high == pytest.approx(0.793, abs=5e-4)


def test_cases_of_one_cluster_are_resampled_together():
    apart = tool_recalls([record(case, outcome=(case % 2, 1 - case % 2)) for case in range(20)])
    cluster = [record(case, cluster=f"k{case % 2}", outcome=(case % 2, 1 - case % 2)) for case in range(20)]
    (one,), (other,) = apart, tool_recalls(cluster)
    assert (one.recall.value, other.recall.value, other.recall.clusters) == (0.5, 0.5, 2)
    assert other.recall.high - other.recall.low > one.recall.high - one.recall.low


def test_datasets_and_tools_are_kept_apart_and_roles_are_in_their_order():
    records = [
        record(0, dataset="b", outcome=(1, 0), mediator=(1, 0), covariate=(1, 0), exposure=(1, 0)),
        record(0, dataset="a", outcome=(0, 1)),
        record(1, dataset="b", tool="u 2.0", outcome=(0, 1)),
    ]
    assert [(one.dataset, one.tool, one.role, one.recall.value) for one in tool_recalls(records)] == [
        ("b", "t 1.0", "exposure", 1.0),
        ("b", "t 1.0", "covariate", 1.0),
        ("b", "t 1.0", "mediator", 1.0),
        ("b", "t 1.0", "outcome", 1.0),
        ("a", "t 1.0", "outcome", 0.0),
        ("b", "u 2.0", "outcome", 0.0),
    ]


def test_without_gold_variables_there_is_no_recall():
    assert tool_recalls([]) == []
    assert tool_recalls([record(0)]) == []
    (found,) = tool_recalls([record(0, exposure=(0, 0))])
    assert (found.recall.value, found.recall.n, found.variables) == (None, 1, 0)


def test_a_record_read_from_a_file_counts_like_the_one_that_was_written():
    written = record(0, exposure=(1, 2), outcome=(0, 1))
    read = ToolRecord.model_validate(written)
    assert tool_recalls([read.model_dump()]) == tool_recalls([written])


@pytest.mark.parametrize(
    "change",
    [
        {"found": -1},
        {"counts": {"exposure": {"tp": -1, "fn": 0}}},
        {"counts": {"exposure": {"tp": 10**400, "fn": 0}}},
        {"counts": {"exposure": {"tp": math.inf, "fn": 0}}},
        {"counts": {"exposure": {"tp": 1}}},
        {"counts": {"bystander": {"tp": 1, "fn": 0}}},
        {"cluster": None},
        {"more": 1},
    ],
)
def test_a_record_that_cannot_be_counted_is_refused(change):
    with pytest.raises(ValidationError):
        ToolRecord.model_validate(record(0, exposure=(1, 0)) | change)
