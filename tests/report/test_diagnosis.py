import pytest

from counterpoise.report.diagnosis import diagnosis_of, stage_lines
from counterpoise.report.folders import read_runs


def lines_of(folder):
    return stage_lines(read_runs([folder])[0])


def test_edge_f1_baselines_and_skill_of_a_hand_made_run(make_folder, graph_row):
    template = "baseline/constant-template"
    folder = make_folder(
        "diagnose",
        [graph_row(0, 3, 1, 0), graph_row(1, 1, 1, 2)],
        baselines=[
            graph_row(0, 1, 1, 2, model=template),
            graph_row(1, 1, 1, 2, model=template),
            graph_row(0, 3, 0, 0, model="baseline/oracle"),
            graph_row(1, 3, 0, 0, model="baseline/oracle"),
        ],
    )
    (line,) = lines_of(folder)
    # tp 4, fp 2, fn 2: F1 = 8 / 12; the template has tp 2, fp 2, fn 4: F1 = 4 / 10.
    assert line.metric == "edge F1"
    assert line.estimate.value == pytest.approx(8 / 12)
    assert line.estimate.n == 2
    assert {b.name: b.estimate.value for b in line.baselines} == {
        "constant-template": pytest.approx(0.4),
        "oracle": 1.0,
    }
    assert line.floor is not None
    assert line.floor.name == "constant-template"
    assert line.skill == pytest.approx((8 / 12 - 0.4) / 0.6)
    assert (line.input_tokens, line.output_tokens) == (100, 20)


@pytest.mark.parametrize("status", ["parse_failed", "model_failed"])
def test_failures_stay_in_the_denominator(make_folder, diagnosis_row, status):
    rows = [diagnosis_row(case_id=f"c{i}", cluster=f"c{i}") for i in range(3)]
    rows.append(diagnosis_row(case_id="c3", cluster="c3", status=status, reason="nothing", score=0.0))
    (line,) = lines_of(make_folder("diagnose", rows))
    assert line.estimate.value == 0.75
    assert line.estimate.n == 4
    assert getattr(line.failures, status) == 1


def test_unscored_rows_leave_the_denominator_and_are_counted(make_folder, diagnosis_row):
    rows = [diagnosis_row(), diagnosis_row(case_id="c1", cluster="c1", status="unscored", score=None)]
    (line,) = lines_of(make_folder("diagnose", rows))
    assert (line.estimate.value, line.estimate.n, line.failures.unscored) == (1.0, 1, 1)


def test_baselines_are_compared_on_the_cases_that_the_model_has_rows_for(make_folder, diagnosis_row):
    names = [{"case_id": f"c{i}", "cluster": f"c{i}"} for i in range(4)]
    folder = make_folder(
        "diagnose",
        [diagnosis_row(**name) for name in names[:2]],
        baselines=[diagnosis_row(**name, model="baseline/random", score=float(i > 0)) for i, name in enumerate(names)],
        state="running",
    )
    (line,) = lines_of(folder)
    assert [(b.name, b.estimate.value, b.estimate.n) for b in line.baselines] == [("random", 0.5, 2)]


def test_intervals_do_not_depend_on_the_order_in_which_answers_arrived(make_folder, graph_row):
    rows = [graph_row(case, case % 3, 1, case % 2) for case in range(12)]
    one, other = (make_folder("diagnose", order, name=f"d{i}") for i, order in enumerate((rows, rows[::-1])))
    assert lines_of(one)[0].estimate == lines_of(other)[0].estimate


def test_datasets_are_in_the_order_that_was_asked_for_and_stages_in_theirs(make_folder, diagnosis_row, graph_row):
    rows = [diagnosis_row(dataset="a"), diagnosis_row(dataset="z"), graph_row(0, 1, 0, 0, dataset="z")]
    folder = make_folder("diagnose", rows, config={"datasets": ["z", "a"]})
    assert [(line.dataset, line.stage) for line in lines_of(folder)] == [
        ("z", "graph"),
        ("z", "answer"),
        ("a", "answer"),
    ]


def test_each_mode_and_elicitation_has_lines_against_the_baselines_of_its_mode(make_folder, diagnosis_row):
    rows = [diagnosis_row(mode=mode, elicit=elicit) for mode in ("chained", "isolated") for elicit in ("cot", "direct")]
    rows.append(diagnosis_row(mode="substitution", upto="graph"))
    baselines = [
        diagnosis_row(mode="isolated", model="baseline/majority", score=1.0),
        diagnosis_row(mode="chained", model="baseline/majority", score=0.0),
    ]
    lines = lines_of(make_folder("diagnose", rows, baselines=baselines))
    assert [(line.mode, line.elicit, line.baselines[0].estimate.value) for line in lines] == [
        ("isolated", "direct", 1.0),
        ("isolated", "cot", 1.0),
        ("chained", "direct", 0.0),
        ("chained", "cot", 0.0),
    ]


def test_baselines_rest_on_the_cases_of_their_own_line(make_folder, diagnosis_row):
    names = [{"case_id": f"c{i}", "cluster": f"c{i}"} for i in range(3)]
    rows = [diagnosis_row(**name) for name in names] + [diagnosis_row(**names[0], elicit="cot")]
    baselines = [diagnosis_row(**name, model="baseline/random", score=float(i)) for i, name in enumerate([*names][:2])]
    direct, cot = lines_of(make_folder("diagnose", rows, baselines=baselines))
    assert (direct.baselines[0].estimate.value, direct.baselines[0].estimate.n) == (0.5, 2)
    assert (cot.baselines[0].estimate.value, cot.baselines[0].estimate.n) == (0.0, 1)


def test_lines_name_their_matcher_samples_and_wrong_edges(make_folder, graph_row):
    rows = [graph_row(0, 1, 1, 1, k=5, elicit="cot-sc", matcher="judge", measures={"error:reversed": 1.0})]
    (line,) = lines_of(make_folder("diagnose", rows))
    assert (line.matcher, line.k, line.errors) == ("judge", 5, (("reversed", 1),))


def test_a_run_of_every_mode_gives_every_table(diagnosed):
    found = diagnosis_of(read_runs([diagnosed(cases=6, elicits=["tot", "cot-sc", "direct"])])[0])
    assert {line.mode for line in found.stages} == {"isolated", "chained"}
    assert [(one.elicit, one.dataset, one.abduction) for one in found.attributions[:3]] == [
        ("direct", "scm-text", True),
        ("direct", "crass", False),
        ("direct", "", False),
    ]
    assert all(one.n in (6, 12) for one in found.attributions)
    assert {line.stage for line in found.propagations if line.dataset == "scm-text"} == {
        "variables",
        "graph",
        "intervention",
        "abduction",
        "outcome",
        "answer",
    }
    assert {line.elicit for line in found.elicitations} == {"direct", "cot-sc", "tot"}
    assert {match.elicit for match in found.matches} == {"direct", "tot"}


def test_one_elicitation_leaves_nothing_to_compare(diagnosed):
    found = diagnosis_of(read_runs([diagnosed(cases=2, elicits=["direct"])])[0])
    assert (found.elicitations, found.matches) == ((), ())


def test_tools_are_compared_with_the_same_elicitation_without(make_folder, aided_rows, tool_record):
    tools = [tool_record(0, exposure=(1, 0), outcome=(0, 1)), tool_record(1, exposure=(0, 1))]
    found = diagnosis_of(read_runs([make_folder("diagnose", aided_rows, tools=tools)])[0])
    assert [(one.stage, one.elicit, one.use) for one in found.tool_gains] == [
        ("graph", "direct", "hints"),
        ("answer", "direct", "hints"),
        ("answer", "direct", "calls"),
    ]
    graph, hints, calls = found.tool_gains
    # With hints: tp 7, fp 14, fn 9, the failed row's misses among them; without: tp 8, fp 8, fn 8.
    assert (graph.with_tools.value, graph.without.value) == (pytest.approx(14 / 37), 0.5)
    assert (graph.gain.n, graph.failed) == (8, 1)
    assert (hints.gain.value, calls.gain.value) == (1.0, 0.0)
    assert [(one.role, one.recall.value, one.variables) for one in found.tool_recalls] == [
        ("exposure", 0.5, 2),
        ("outcome", 0.0, 1),
    ]
    assert {one.run for one in found.tool_recalls} == {"diagnose-0123456789ab"}


def test_gains_do_not_depend_on_the_order_in_which_answers_arrived(make_folder, aided_rows):
    orders = (aided_rows, aided_rows[::-1])
    one, other = (make_folder("diagnose", order, name=f"d{i}", run="same") for i, order in enumerate(orders))
    gains = [diagnosis_of(read_runs([folder])[0]).tool_gains for folder in (one, other)]
    assert gains[0] == gains[1]


def test_substitution_rows_have_no_gain(make_folder, diagnosis_row):
    rows = [diagnosis_row(elicit=way, mode="substitution", upto="graph") for way in ("direct", "direct+hints")]
    assert diagnosis_of(read_runs([make_folder("diagnose", rows)])[0]).tool_gains == ()


def test_what_tools_find_waits_for_the_first_row(make_folder, tool_record):
    folder = make_folder("diagnose", tools=[tool_record(0, exposure=(1, 0))], state="running")
    assert diagnosis_of(read_runs([folder])[0]).tool_recalls == ()
