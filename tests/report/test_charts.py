import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from counterpoise.report.charts import heat_map, perplexity_slopes, rate_dots, stage_intervals
from counterpoise.report.lines import Baseline, CurationLine, Failures, RateLine, StageLine
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


def rate_line(arm="curated", checkpoint="defended", prompts="set", value=SOME):
    return RateLine(
        run="r",
        model="m",
        phase="after",
        arm=arm,
        checkpoint=checkpoint,
        metric="safety rate",
        prompt_set=prompts,
        estimate=value,
        failures=Failures(),
        seeds=1,
        judge="j",
    )


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


def test_rates_are_drawn_with_their_n():
    words = texts(rate_dots([rate_line(), rate_line(checkpoint="attacked")]))
    assert {"attacked", "defended", "curated after the attack", "n=10"} <= set(words)
    assert any("Safety rate, with 95 % interval" in word for word in words)


def test_nothing_to_draw_gives_no_picture():
    assert perplexity_slopes(curation_line([(math.inf, 1.0), (0.0, 2.0)])) == ""
    assert rate_dots([rate_line(value=NOTHING)]) == ""


@pytest.mark.parametrize("draw", ["heat_map", "stage_intervals", "perplexity_slopes", "rate_dots"])
def test_hostile_names_are_text_in_the_picture(draw, hostile):
    svg = {
        "heat_map": lambda: heat_map([stage_line(hostile, hostile, hostile)]),
        "stage_intervals": lambda: stage_intervals(
            [replace(stage_line(hostile, hostile, hostile), baselines=(Baseline(hostile, wilson(1, 3)),))]
        ),
        "perplexity_slopes": lambda: perplexity_slopes(curation_line([(1.0, 2.0)], objective=hostile)),
        "rate_dots": lambda: rate_dots([rate_line(hostile, hostile, hostile)]),
    }[draw]()
    svg.encode("utf-8")
    assert "&lt;script&gt;" in svg
    tags = {element.tag for element in ElementTree.fromstring(svg).iter()}
    assert tags <= {"svg", "g", "path", "rect", "line", "text"}


@pytest.mark.parametrize(
    "svg",
    [
        lambda: heat_map([stage_line()]),
        lambda: stage_intervals([stage_line()]),
        lambda: perplexity_slopes(curation_line([(1.0, 2.0)])),
        lambda: rate_dots([rate_line()]),
    ],
)
def test_pictures_have_a_background_and_nothing_that_could_clash_or_load(svg):
    drawn = svg()
    root = ElementTree.fromstring(drawn)
    assert next(iter(root)).attrib["fill"] == "#ffffff"
    assert not [e for e in root.iter() if {"id", "href", "clip-path", "style"} & set(e.attrib)]
    assert "http" not in drawn


def test_names_that_are_cut_to_the_same_label_stay_apart():
    long = "x" * 60
    words = texts(heat_map([stage_line(long + "a"), stage_line(long + "b")]))
    assert len({word for word in words if word.startswith("xxx")}) == 2
