import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from counterpoise.counterfactual.results.attribution import CHAINED, READING, Attribution, Rung, StageCost
from counterpoise.counterfactual.results.elicitation_costs import CurvePoint, ElicitationCost
from counterpoise.counterfactual.results.propagation import Propagation
from counterpoise.report.charts import (
    cost_panels,
    dumbbells,
    heat_map,
    perplexity_slopes,
    role_matrices,
    stage_intervals,
    waterfalls,
    wrong_edges,
)
from counterpoise.report.lines import Baseline, CurationLine, Failures, StageLine
from counterpoise.statistics import Estimate, wilson

SOME = wilson(3, 10)
NOTHING = Estimate(None, None, None, 0, 0)


def stage_line(dataset="crass", stage="graph", model="m", value=SOME):
    return StageLine(
        run="r",
        model=model,
        dataset=dataset,
        stage=stage,
        mode="isolated",
        elicit="direct",
        metric="edge F1",
        estimate=value,
        failures=Failures(),
        baselines=(
            Baseline("constant-template", wilson(5, 10), Estimate(-0.2, -0.5, 0.1, 10, 10)),
            Baseline("oracle", wilson(10, 10)),
        ),
    )


def curation_line(pairs, objective="max"):
    return CurationLine(
        run="r",
        model="m",
        target="t",
        objective=objective,
        texts=len(pairs),
        passed=wilson(len(pairs), len(pairs)),
        before=None,
        after=None,
        change=NOTHING,
        helpfulness=NOTHING,
        candidates=0,
        judged=0,
        rejected=(),
        keyword_coverage=NOTHING,
        keywords=0,
        failures=Failures(),
        pairs=tuple(pairs),
    )


def attribution(dataset="crass", elicit="direct"):
    steps = (("variables", -0.1), ("graph", 0.4), (READING, 0.2))
    rungs = ((CHAINED, 0.5), ("variables", 0.4), ("graph", 0.8))
    return Attribution(
        run="r",
        model="m",
        elicit=elicit,
        dataset=dataset,
        datasets=(dataset,),
        abduction=False,
        rungs=tuple(Rung(upto, Estimate(value, value - 0.1, value + 0.1, 10, 10)) for upto, value in rungs),
        costs=tuple(
            StageCost(
                stage=stage,
                estimate=Estimate(value, value - 0.2, value + 0.15, 10, 10),
                p=0.5,
                p_holm=1.0,
                gained=1,
                lost=0,
            )
            for stage, value in steps
        ),
        n=10,
        left_out=0,
    )


def propagation(dataset="crass", stage="answer", difference=SOME):
    return Propagation(
        run="r",
        model="m",
        elicit="direct",
        dataset=dataset,
        stage=stage,
        metric="accuracy",
        isolated=wilson(6, 10),
        chained=SOME,
        difference=difference,
        p=None,
        left_out=0,
    )


def elicitation(elicit="cot-sc", dataset="crass", stage="answer", tokens=300.0):
    curve = tuple(
        CurvePoint(k=k, score=SOME, input_tokens=1.0, output_tokens=tokens * k / 2, gain=SOME) for k in (1, 2)
    )
    return ElicitationCost(
        run="r",
        model="m",
        dataset=dataset,
        mode="isolated",
        stage=stage,
        elicit=elicit,
        k=2,
        score=SOME,
        input_tokens=1.0,
        output_tokens=tokens,
        curve=curve if elicit == "cot-sc" else (),
    )


def variables_line(dataset="crass", other="none"):
    counts = (("exposure", "exposure", 7), ("mediator", "missing", 3), ("none", "covariate", 2), ("outcome", other, 1))
    return replace(stage_line(dataset, "variables"), confusion=counts)


def texts(svg):
    return [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.tag == "text"]


def test_heat_map_says_score_n_and_standing():
    words = texts(heat_map([stage_line(), stage_line(stage="answer", value=NOTHING)]))
    assert "0.30" in words
    assert "n=10 · at baseline" in words
    assert "–" in words
    assert {"crass", "graph", "answer"} <= set(words)


def test_stage_intervals_draw_every_model_and_its_baselines_but_not_the_oracle():
    words = texts(stage_intervals([stage_line(model="one"), stage_line(model="two")]))
    assert {"one", "two", "constant-template", "n=10"} <= set(words)
    assert "oracle" not in words


def test_slopes_show_medians_of_all_texts_and_say_how_many_are_drawn():
    pairs = [(float(i), float(2 * i)) for i in range(1, 402)]
    words = texts(perplexity_slopes(curation_line(pairs)))
    assert "median 201.0" in words
    assert "median 402.0" in words
    assert any("250 of 401 texts drawn" in word for word in words)


def test_nothing_to_draw_gives_no_picture():
    assert perplexity_slopes(curation_line([(math.inf, 1.0), (0.0, 2.0)])) == ""


def test_a_waterfall_names_each_step_with_its_cost_and_interval():
    floor = Baseline("majority", wilson(4, 10))
    svg = waterfalls([attribution()], [propagation()], {"crass": floor})
    words = texts(svg)
    for word in (
        "crass · n=10",
        "reading it off",
        "0.20 [0.00, 0.35]",
        "0.40 [0.20, 0.55]",
        "−0.10 [−0.30, 0.05]",
        "chained result",
        "0.50 [0.40, 0.60]",
        "asked at once",
        "dashed: best baseline, majority, 0.40",
    ):
        assert word in words, word
    order = [word for word in words if word in ("reading it off", "graph", "variables", "chained result")]
    assert order == ["reading it off", "graph", "variables", "chained result"]


def test_an_attribution_without_costs_is_not_drawn():
    assert waterfalls([replace(attribution(), costs=(), rungs=())]) == ""


def test_own_answers_are_drawn_beside_gold_with_the_difference():
    words = texts(dumbbells([propagation(), propagation(stage="graph", difference=Estimate(-0.3, -0.5, -0.1, 9, 9))]))
    assert {"given gold", "given own answers", "−0.30 [−0.50, −0.10]", "crass · n=9 to 10"} <= set(words)
    assert dumbbells([propagation(difference=NOTHING)]) == ""


def test_scores_are_drawn_over_tokens_with_a_panel_for_each_dataset_and_stage():
    lines = [elicitation(), elicitation("tot", tokens=900.0), elicitation("direct", "scm-text", "graph", 9.0)]
    words = texts(cost_panels(lines))
    assert {"direct", "cot-sc", "tot", "crass", "scm-text", "graph", "answer", "no rows", "100", "1k"} <= set(words)
    assert cost_panels([elicitation("tot", tokens=0.0)]) == ""


def test_the_legend_has_an_elicitation_with_tools_behind_itself_without():
    words = texts(cost_panels([elicitation(way) for way in ("tot", "direct+hints", "direct")]))
    ways = [word for word in words if word in ("direct", "direct+hints", "tot")]
    assert ways == ["direct", "direct+hints", "tot"]


def test_role_matrices_show_counts_of_missing_and_invented_variables():
    words = texts(role_matrices([variables_line()]))
    assert {"exposure", "missing", "none", "7", "3", "2", "1"} <= set(words)
    assert role_matrices([stage_line()]) == ""


def test_wrong_edges_are_counted_by_kind_with_the_kinds_that_do_not_occur():
    words = texts(wrong_edges([replace(stage_line(), errors=(("reversed", 4), ("self", 1)))]))
    assert {"crass · n=10 cases", "missing", "reversed", "4", "0", "edges per case"} <= set(words)
    assert wrong_edges([stage_line()]) == ""


HOSTILE = {
    "heat_map": lambda bad: heat_map([stage_line(bad, bad, bad)]),
    "stage_intervals": lambda bad: stage_intervals(
        [replace(stage_line(bad, bad, bad), baselines=(Baseline(bad, wilson(1, 3)),))]
    ),
    "perplexity_slopes": lambda bad: perplexity_slopes(curation_line([(1.0, 2.0)], objective=bad)),
    "waterfalls": lambda bad: waterfalls([attribution(bad)], (), {bad: Baseline(bad, SOME)}),
    "dumbbells": lambda bad: dumbbells([propagation(bad, bad)]),
    "cost_panels": lambda bad: cost_panels([elicitation(bad, bad, bad)]),
    "role_matrices": lambda bad: role_matrices([variables_line(bad, bad)]),
    "wrong_edges": lambda bad: wrong_edges([replace(stage_line(bad), errors=((bad, 1),))]),
}


@pytest.mark.parametrize("draw", HOSTILE)
def test_hostile_names_are_text_in_the_picture(draw, hostile):
    svg = HOSTILE[draw](hostile)
    svg.encode("utf-8")
    assert "&lt;script&gt;" in svg
    tags = {element.tag for element in ElementTree.fromstring(svg).iter()}
    assert tags <= {"svg", "g", "path", "rect", "line", "text"}


@pytest.mark.parametrize("draw", HOSTILE)
def test_pictures_have_a_background_and_nothing_that_could_clash_or_load(draw):
    drawn = HOSTILE[draw]("plain")
    root = ElementTree.fromstring(drawn)
    assert next(iter(root)).attrib["fill"] == "#ffffff"
    assert not [e for e in root.iter() if {"id", "href", "clip-path", "style"} & set(e.attrib)]
    assert "http" not in drawn


def test_names_that_are_cut_to_the_same_label_stay_apart():
    long = "x" * 60
    words = texts(heat_map([stage_line(long + "a"), stage_line(long + "b")]))
    assert len({word for word in words if word.startswith("xxx")}) == 2
