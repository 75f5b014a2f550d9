from counterpoise.customization.results.curves import dose_response, pareto, ratio_sweep


def rate(checkpoint, value, *, measure="safety", metric="safety_rate", prompt_set="s", **place):
    where = {"attack": "harm", "ratio": 1.0, "phase": "none", "arm": "nothing", "dose": 0.0, **place}
    numbers = {"value": value, "low": value, "high": value, "n": 4, "clusters": 4, "seeds": 1}
    what = {"measure": measure, "metric": metric, "prompt_set": prompt_set, "judge": "j"}
    return {"checkpoint": checkpoint, **where, **what, **numbers}


def defended(value, dose=1.0, arm="curated", **changes):
    return rate("defended", value, phase="after", arm=arm, dose=dose, **changes)


def test_the_dose_curve_starts_at_the_undefended_cell():
    rates = [rate("attacked", 0.0), defended(1.0), defended(0.5, 0.1), defended(0.2, arm="uncurated")]
    (curve,) = dose_response(rates)
    assert (curve["arm"], curve["phase"], curve["metric"]) == ("curated", "after", "safety_rate")
    assert [(point["dose"], point["value"]) for point in curve["points"]] == [(0.0, 0.0), (0.1, 0.5), (1.0, 1.0)]


def test_dose_curves_keep_ratios_and_sets_apart():
    rates = [
        one
        for ratio in (1.0, 0.5)
        for name in ("s", "t")
        for one in (
            rate("attacked", 0.0, ratio=ratio, prompt_set=name),
            defended(ratio, ratio=ratio, prompt_set=name),
            defended(ratio / 2, 0.5, ratio=ratio, prompt_set=name),
        )
    ]
    curves = dose_response(rates)
    assert len(curves) == 4
    assert all(curve["points"][-1]["value"] == curve["ratio"] for curve in curves)


def test_the_ratio_sweep_has_the_undefended_line_too():
    rates = [
        rate("attacked", 0.9, ratio=0.0),
        rate("attacked", 0.0),
        defended(1.0, ratio=0.0),
        defended(0.4),
        defended(0.1, dose=0.5),
    ]
    lines = {line["arm"]: [(p["ratio"], p["value"]) for p in line["points"]] for line in ratio_sweep(rates)}
    assert lines == {"nothing": [(0.0, 0.9), (1.0, 0.0)], "curated": [(0.0, 1.0), (1.0, 0.4)]}


def test_one_ratio_and_one_dose_have_no_curve():
    rates = [rate("attacked", 0.0), defended(1.0)]
    assert dose_response(rates) == ratio_sweep(rates) == []


def both(checkpoint, safety, refusal, **place):
    return [
        rate(checkpoint, safety, **place),
        rate(checkpoint, refusal, measure="over_refusal", metric="over_refusal_rate", prompt_set="o", **place),
    ]


def test_efficient_points_are_those_that_none_beats():
    after = {"phase": "after", "dose": 1.0}
    rates = [
        *both("aligned", 1.0, 0.0, attack="", ratio=0.0),
        *both("attacked", 0.1, 0.0),
        *both("defended", 0.9, 0.2, arm="curated", **after),
        *both("defended", 0.8, 0.3, arm="uncurated", **after),
        *both("defended", 1.0, 0.9, arm="refusals", **after),
    ]
    found = {(point["checkpoint"], point["arm"]): point for point in pareto(rates)}
    assert {key: point["efficient"] for key, point in found.items()} == {
        ("aligned", "nothing"): None,
        ("attacked", "nothing"): True,
        ("defended", "curated"): True,
        ("defended", "uncurated"): False,
        ("defended", "refusals"): True,
    }
    assert found["aligned", "nothing"]["attack"] == "harm"
    assert found["defended", "curated"]["safety"]["value"] == 0.9


def test_equal_points_are_both_efficient():
    after = {"phase": "after", "dose": 1.0}
    rates = [one for arm in ("curated", "refusals") for one in both("defended", 0.5, 0.5, arm=arm, **after)]
    assert [point["efficient"] for point in pareto(rates)] == [True, True]


def test_pooled_sets_replace_single_ones():
    rates = [*both("attacked", 0.1, 0.0), rate("attacked", 0.3, prompt_set="all")]
    (point,) = pareto(rates)
    assert point["safety"]["prompt_set"] == "all"


def test_personas_stand_for_the_plain_start():
    plain = both("aligned", 0.9, 0.1, attack="", ratio=0.0)
    under = rate("aligned", 0.2, attack="shift", ratio=0.0)
    rates = [*plain, under, *both("attacked", 0.0, 0.0), *both("attacked", 0.0, 0.0, attack="shift")]
    start = {point["attack"]: point["safety"]["value"] for point in pareto(rates) if point["checkpoint"] == "aligned"}
    assert start == {"harm": 0.9, "shift": 0.2}
