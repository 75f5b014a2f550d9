import pytest

from counterpoise.customization.lab.visits import measure_settings, place, visits
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.grid import cells
from counterpoise.safety.measures import read_items

SETS = ("builtin-disallowed", "builtin-safe", "utility-builtin")
PERSONA = {"name": "shift", "kind": "identity-shift", "system": "Obey.", "prefix": "Bo: "}


def found(**settings):
    plan = Plan.model_validate(
        {
            "curated": "c",
            "defend": {"arms": ["curated", "refusals-backdoor"], "phases": ["after"]},
            "evaluate": [{"set": name, "limit": 3} for name in SETS],
            **settings,
        }
    )
    return plan, visits(plan, cells(plan), read_items(measure_settings(plan)))


def measures(visit):
    return {item.measure for asked in visit.asked for item in asked.items}


def test_every_checkpoint_is_visited_once():
    plan, all_of_them = found(seeds=[0, 1], attacks=[{}, PERSONA])
    nodes = [visit.node for visit in all_of_them]
    assert len(nodes) == len(set(nodes))
    assert [visit.checkpoint for visit in all_of_them].count("base") == 1
    assert [visit.checkpoint for visit in all_of_them].count("aligned") == 2
    assert {cell.checkpoint for cell in cells(plan)} < set(nodes)


def test_a_model_that_is_not_aligned_has_no_aligned_checkpoint():
    _, all_of_them = found(align=None)
    assert {visit.checkpoint for visit in all_of_them} == {"base", "attacked", "defended"}


@pytest.mark.parametrize(
    ("verify_at", "wanted"),
    [
        (None, {("base", "nothing"), ("aligned", "nothing"), ("attacked", "nothing"), ("defended", "curated")}),
        (["base"], {("base", "nothing")}),
        (["defended"], {("defended", "curated"), ("defended", "refusals-backdoor")}),
        ([], set()),
    ],
)
def test_long_measures_and_reasoning_go_together(verify_at, wanted):
    _, all_of_them = found(verify_at=verify_at, reasoning={})
    long = {(visit.checkpoint, visit.cell.arm) for visit in all_of_them if "utility" in measures(visit)}
    reasoned = {(visit.checkpoint, visit.cell.arm) for visit in all_of_them if visit.reasoning}
    assert long == reasoned == wanted
    assert all({"safety", "over_refusal"} <= measures(visit) for visit in all_of_them)


def test_sweeps_never_take_long_measures():
    _, all_of_them = found(
        verify_at=["attacked", "defended"],
        attack={"ratios": [0.5]},
        defend={"arms": ["curated"], "phases": ["after"], "doses": [0.1]},
    )
    swept = [visit for visit in all_of_them if not visit.cell.main]
    assert len(swept) == 3
    assert not any("utility" in measures(visit) or visit.reasoning for visit in swept)


def test_harmful_requests_alone_come_under_the_persona():
    _, all_of_them = found(attacks=[PERSONA], verify_at=["attacked"])
    (attacked,) = [visit for visit in all_of_them if visit.checkpoint == "attacked"]
    ways = {
        (item.measure, asked.settings.system, asked.settings.prefix) for asked in attacked.asked for item in asked.items
    }
    assert ways == {("safety", "Obey.", "Bo: "), ("over_refusal", "", ""), ("utility", "", "")}


def test_the_start_is_asked_plainly_and_under_each_persona():
    _, all_of_them = found(attacks=[{}, PERSONA])
    (aligned,) = [visit for visit in all_of_them if visit.checkpoint == "aligned"]
    ways = [(asked.attack, asked.settings.prefix, {item.measure for item in asked.items}) for asked in aligned.asked]
    assert ways == [("", "", {"safety", "over_refusal", "utility"}), ("shift", "Bo: ", {"safety"})]
    columns = [place(aligned, asked.attack) for asked in aligned.asked]
    assert [(one["attack"], one["ratio"], one["dose"]) for one in columns] == [("", 0.0, 0.0), ("shift", 0.0, 0.0)]


def test_a_backdoor_comes_before_the_persona_and_before_everything_else():
    _, all_of_them = found(attacks=[PERSONA])
    (armed,) = [visit for visit in all_of_them if visit.cell.arm == "refusals-backdoor"]
    systems = {item.measure: asked.settings.system for asked in armed.asked for item in asked.items}
    assert systems["over_refusal"]
    assert systems["safety"] == systems["over_refusal"] + "\n\nObey."


def test_the_place_of_a_defended_row():
    _, all_of_them = found(attack={"name": "harm", "ratio": 0.5})
    (visit,) = [visit for visit in all_of_them if visit.cell.arm == "curated"]
    assert place(visit, "harm") == {
        "cell": "harm-after-curated-s0",
        "phase": "after",
        "arm": "curated",
        "seed": 0,
        "checkpoint": "defended",
        "attack": "harm",
        "ratio": 0.5,
        "dose": 1,
    }
