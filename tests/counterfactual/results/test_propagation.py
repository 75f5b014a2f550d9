import pytest

from counterpoise.counterfactual.results.propagation import propagations


def row(case, mode, stage, score, counts=(), **changes):
    names = ("tp", "fp", "fn")
    return {
        "run": "r",
        "model": "m",
        "modality": "text",
        "dataset": "d",
        "case_id": f"c{case}",
        "cluster": f"c{case}",
        "stage": stage,
        "mode": mode,
        "upto": None,
        "elicit": "direct",
        "k": 1,
        "status": "ok",
        "score": score,
        "tokens": {"input": 1, "output": 1},
        "measures": {},
        "counts": {"edge": dict(zip(names, counts, strict=True))} if counts else {},
    } | changes


def test_the_headline_statistic_of_the_stage_is_compared_on_common_cases():
    rows = [
        row(0, "isolated", "graph", 1.0, (3, 0, 0)),
        row(1, "isolated", "graph", 0.5, (1, 1, 1)),
        row(2, "isolated", "graph", 0.5, (1, 1, 1)),
        row(0, "chained", "graph", 0.4, (1, 1, 2)),
        row(1, "chained", "graph", 0.0, (0, 2, 2)),
        row(3, "chained", "graph", 0.0, (0, 2, 2)),
    ]
    (line,) = propagations(rows)
    # Micro-F1: isolated 2*4/(2*4+1+1), chained 2*1/(2*1+3+4); cases 2 and 3 have one mode only.
    assert line.metric == "edge F1"
    assert line.isolated.value == pytest.approx(0.8)
    assert line.chained.value == pytest.approx(2 / 9)
    assert line.difference.value == pytest.approx(2 / 9 - 0.8)
    assert (line.difference.n, line.left_out, line.p) == (2, 2, None)


def test_answers_get_an_exact_test_and_stages_their_order():
    rows = [
        row(case, mode, stage, float(mode == "isolated"))
        for stage in ("answer", "intervention")
        for mode in ("isolated", "chained")
        for case in range(8)
    ]
    first, last = propagations(rows)
    assert (first.stage, last.stage) == ("intervention", "answer")
    assert last.difference.value == -1.0
    assert last.p == pytest.approx(2 / 2**8)


def test_without_a_case_in_both_modes_there_is_no_value():
    rows = [row(0, "chained", "answer", 1.0), row(1, "isolated", "answer", 1.0), row(2, "chained", "answer", None)]
    (line,) = propagations(rows)
    assert (line.difference.value, line.isolated.value, line.chained.value, line.p) == (None, None, None, None)
    assert line.left_out == 3


def test_stages_without_chained_rows_and_substitutions_have_no_line():
    assert propagations([row(0, "isolated", "answer", 1.0)]) == []
    assert propagations([row(0, "substitution", "answer", 1.0, upto="graph")]) == []
