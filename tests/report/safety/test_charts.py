import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from counterpoise.report.charts import curve_panels, gap_panels, pareto_chart, rate_panels, reasoning_panels
from counterpoise.report.charts.pareto import put_labels
from counterpoise.report.safety.lines import (
    Curve,
    CurvePoint,
    GapLine,
    Judged,
    ParetoPoint,
    Place,
    RateLine,
    ReasoningLine,
)
from counterpoise.statistics import Estimate, wilson

SOME, NOTHING = wilson(3, 10), Estimate(None, None, None, 0, 0)
BASE = Place("base")
ATTACKED = Place("attacked", attack="harm", ratio=1.0)
CURATED = Place("defended", "after", "curated", "harm", 1.0, 1.0)
PLACES = (BASE, ATTACKED, CURATED)
SAFETY = Judged("safety", "set", "safety_rate", "j")


def rates(what=SAFETY, value=SOME, places=PLACES):
    return [RateLine(place=place, what=what, estimate=value) for place in places]


def point(place=CURATED, safety=9, refusal=1, efficient=True):
    return ParetoPoint(
        place=place,
        judge="j",
        safety_set="set",
        safety=wilson(safety, 10),
        refusal_set="safe",
        over_refusal=wilson(refusal, 10),
        efficient=efficient,
    )


def curve(arm="curated", phase="after", prompts="set", value=SOME):
    points = tuple(CurvePoint(at, value) for at in (0.0, 0.05, 1.0))
    what = replace(SAFETY, prompt_set=prompts)
    return Curve(attack="harm", ratio=1.0, phase=phase, arm=arm, what=what, points=points)


def curves(found, axis="share of the dose"):
    return curve_panels(found, axis=axis, title="Dose and response", subtitle="")


def gaps(prompts="set", value=SOME):
    return [GapLine(place=place, prompt_set=prompts, gap=value, safe=SOME, harmful=SOME) for place in PLACES]


def thought(dataset="scm-text", stage="graph", value=SOME):
    return [
        ReasoningLine(place=place, dataset=dataset, stage=stage, metric="mean score", estimate=value)
        for place in PLACES
    ]


def texts(svg):
    return [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.tag == "text"]


def test_rates_have_a_panel_for_each_metric_and_a_row_for_each_place():
    refusal = Judged("over_refusal", "safe", "over_refusal_rate", "j")
    words = texts(rate_panels([*rates(), *rates(refusal)], PLACES, [SAFETY, refusal]))
    assert {"base model", "attacked", "curated after the attack", "Safety rate", "Over-refusal rate"} <= set(words)
    assert "higher is safer, n=10, set" in words
    assert words.count("attacked") == 1


def test_what_has_no_value_is_not_drawn():
    assert rate_panels(rates(value=NOTHING), PLACES, [SAFETY]) == ""
    assert pareto_chart([]) == ""
    assert curves([]) == ""
    assert curves([replace(curve(), what=replace(SAFETY, metric="accuracy"))]) == ""
    assert gap_panels(gaps(value=NOTHING), PLACES) == ""
    assert reasoning_panels(thought(value=NOTHING), PLACES) == ""


def test_the_front_goes_through_the_efficient_points_alone():
    alone = pareto_chart([point()])
    more = pareto_chart([point(), point(replace(CURATED, arm="refusals"), 10, 5)])
    dominated = pareto_chart([point(), point(replace(CURATED, arm="refusals"), 2, 5, efficient=False)])

    def front(svg):
        dashed = [e for e in ElementTree.fromstring(svg).iter() if e.attrib.get("stroke-dasharray") == "5,3"]
        return [e.attrib["d"].count("L") for e in dashed]

    assert front(dominated) == front(alone)
    assert front(more)[0] > front(alone)[0]


def test_arms_are_labelled_and_points_at_one_spot_share_a_label():
    words = texts(pareto_chart([point(), point(replace(CURATED, arm="refusals"), 2, 5), point(ATTACKED, 0, 0, False)]))
    assert {"curated after", "refusals after", "attacked"} <= set(words)
    same = [point(replace(CURATED, arm=arm)) for arm in ("curated", "refusals", "uncurated")]
    assert "curated after; refusals after and 1 more" in texts(pareto_chart(same))


def test_labels_cover_no_point_and_no_other_label():
    at = [(100.0, 100.0), (110.0, 100.0), (100.0, 112.0), (300.0, 200.0)]
    marks = put_labels(at, ["first", "second", "third", "fourth"])
    assert marks[3] is not None
    boxes = []
    for (x, y), mark, text in zip(at, marks, ("first", "second", "third", "fourth"), strict=True):
        if mark is not None:
            width = 5.7 * len(text)
            left = x + mark.dx - {"left": 0, "center": width / 2, "right": width}[mark.align]
            boxes.append((left, y + mark.dy - 6, left + width, y + mark.dy + 6))
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert not any(one[0] < x < one[2] and one[1] < y < one[3] for x, y in at)


def test_curves_have_a_line_for_each_arm_and_ticks_where_points_are():
    words = texts(curves([curve(), curve("uncurated"), curve("nothing", "none")]))
    assert {"curated", "uncurated", "no defence", "0%", "5%", "100%", "share of the dose"} <= set(words)


def test_gaps_stand_beside_their_two_sides():
    words = texts(gap_panels(gaps(), PLACES))
    assert {"a refusal", "the affirmative opener", "base model", "Gap", "Its two sides"} <= set(words)


def test_reasoning_has_a_panel_for_each_dataset():
    words = texts(reasoning_panels([*thought(), *thought("scm-math", "answer")], PLACES))
    assert {"scm-text", "scm-math", "graph", "answer", "attacked", "n=10"} <= set(words)


DRAWN = {
    "rate_panels": lambda bad: rate_panels(
        rates(Judged("safety", bad, "safety_rate", bad)), PLACES, [Judged("safety", bad, "safety_rate", bad)]
    ),
    "pareto_chart": lambda bad: pareto_chart([point(replace(CURATED, arm=bad, phase=bad))]),
    "curve_panels": lambda bad: curves([curve(bad, bad, bad), curve()], axis=bad),
    "gap_panels": lambda bad: gap_panels(gaps(bad), PLACES),
    "reasoning_panels": lambda bad: reasoning_panels(thought(bad, bad), PLACES),
}


@pytest.mark.parametrize("draw", DRAWN)
def test_hostile_names_are_text_in_the_picture(draw, hostile):
    svg = DRAWN[draw](hostile)
    svg.encode("utf-8")
    assert "&lt;script&gt;" in svg
    assert {element.tag for element in ElementTree.fromstring(svg).iter()} <= {
        "svg",
        "g",
        "path",
        "rect",
        "line",
        "text",
    }


@pytest.mark.parametrize("draw", DRAWN)
def test_pictures_have_a_background_and_nothing_that_could_clash_or_load(draw):
    drawn = DRAWN[draw]("plain")
    root = ElementTree.fromstring(drawn)
    assert next(iter(root)).attrib["fill"] == "#ffffff"
    assert not [e for e in root.iter() if {"id", "href", "clip-path", "style"} & set(e.attrib)]
    assert "http" not in drawn
