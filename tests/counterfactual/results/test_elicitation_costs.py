import pytest

from counterpoise.counterfactual.results.elicitation_costs import cost_matches, elicitation_costs


def row(case, elicit, score, output, *, curve=(), **changes):
    """A row; ``curve`` lists (k, score, tokens written)."""
    return {
        "run": "r",
        "model": "m",
        "dataset": "d",
        "case_id": f"c{case}",
        "cluster": f"c{case}",
        "stage": "answer",
        "mode": "isolated",
        "elicit": elicit,
        "k": max((k for k, _, _ in curve), default=1),
        "status": "ok",
        "score": score,
        "tokens": {"input": 100, "output": output},
        "curve": [{"k": k, "score": s, "input_tokens": 100.0 * k, "output_tokens": float(t)} for k, s, t in curve],
    } | changes


def sampled(case, scores, tokens=100):
    """A row of cot-sc whose score with the first k samples is given."""
    curve = [(k, score, k * tokens) for k, score in enumerate(scores, start=1)]
    return row(case, "cot-sc", scores[-1], len(scores) * tokens, curve=curve)


@pytest.fixture
def rows():
    return [
        sampled(0, [1.0, 1.0, 1.0]),
        sampled(1, [0.0, 1.0, 1.0]),
        sampled(2, [0.0, 0.0, 1.0]),
        sampled(3, [0.0, 0.0, 0.0]),
        *(row(case, "tot", float(case < 3), 250) for case in range(4)),
        *(row(case, "direct", float(case < 2), 10) for case in range(4)),
    ]


def test_score_tokens_and_curve(rows):
    sc, tot, direct = elicitation_costs(rows)
    assert (sc.elicit, sc.k, sc.score.value, sc.input_tokens, sc.output_tokens) == ("cot-sc", 3, 0.75, 100, 300)
    assert [(point.k, point.score.value, point.output_tokens) for point in sc.curve] == [
        (1, 0.25, 100),
        (2, 0.5, 200),
        (3, 0.75, 300),
    ]
    assert [point.gain.value for point in sc.curve] == [0.0, 0.25, 0.5]
    assert (tot.score.value, tot.output_tokens, tot.curve) == (0.75, 250, ())
    assert direct.output_tokens == 10


def test_the_largest_number_of_samples_that_costs_no_more_is_compared(rows):
    tot, direct = cost_matches(rows)
    assert (tot.elicit, tot.output_tokens, tot.k, tot.matched_tokens) == ("tot", 250, 2, 200)
    assert tot.difference.value == pytest.approx(0.25)
    assert tot.difference.n == 4
    assert (tot.reached_by, tot.reached_tokens) == (3, 300)
    assert tot.direct_answers == 25
    assert (direct.k, direct.matched_tokens, direct.difference.value) == (None, None, None)
    assert (direct.reached_by, direct.reached_tokens, direct.direct_answers) == (2, 200, 1)


def test_equal_cost_counts_as_no_higher(rows):
    (match,) = cost_matches([r for r in rows if r["elicit"] == "cot-sc"] + [row(c, "cot", 0.0, 100) for c in range(4)])
    assert (match.k, match.direct_answers) == (1, None)
    assert match.difference.value == -0.25


def test_a_score_that_no_number_of_samples_reaches_is_said_as_such(rows):
    better = [r for r in rows if r["elicit"] == "cot-sc"] + [row(case, "tot", 1.0, 900) for case in range(4)]
    (match,) = cost_matches(better)
    assert (match.k, match.reached_by, match.reached_tokens) == (3, None, None)


def test_a_sampled_row_that_failed_counts_with_its_score_and_cost_for_every_k(rows):
    failed = [row(4, "cot-sc", 0.0, 50, status="model_failed"), row(4, "tot", 1.0, 200)]
    match = cost_matches(rows + failed)[0]
    assert match.difference.n == 5
    assert match.matched_tokens == pytest.approx((4 * 200 + 50) / 5)


def test_cases_of_one_side_only_are_left_out_and_counted(rows):
    more = [row(5, "tot", 1.0, 9), sampled(6, [1.0, 1.0, 1.0]), row(7, "tot", None, 9), row(7, "cot-sc", 1.0, 9)]
    match = cost_matches(rows + more)[0]
    assert (match.difference.n, match.left_out) == (4, 3)


def test_without_a_common_case_there_is_no_number():
    (match,) = cost_matches([sampled(0, [1.0]), row(1, "tot", 1.0, 10)])
    assert (match.output_tokens, match.k, match.difference.value, match.reached_by, match.left_out) == (
        None,
        None,
        None,
        None,
        2,
    )


def test_only_points_that_all_cases_have_are_on_the_curve(rows):
    (line,) = elicitation_costs([sampled(0, [1.0, 0.0]), sampled(1, [1.0, 1.0, 1.0])])
    assert [point.k for point in line.curve] == [1, 2]


def test_substitution_rows_are_left_out():
    assert elicitation_costs([row(0, "direct", 1.0, 10, mode="substitution")]) == []
