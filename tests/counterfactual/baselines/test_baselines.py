import json

import pytest

from counterpoise.counterfactual.baselines import BASELINES, ask_baseline
from counterpoise.counterfactual.baselines.habits import Habits
from counterpoise.counterfactual.case import UNDETERMINED, Role, Stage
from counterpoise.counterfactual.datasets import DATASETS, Loaded, available, load
from counterpoise.counterfactual.parse import parse
from counterpoise.counterfactual.score import score
from counterpoise.counterfactual.stages import build_messages, gold_answer, names_given

GENERATED = [name for name, dataset in DATASETS.items() if not dataset.files]
DOWNLOADED = [name for name, dataset in DATASETS.items() if dataset.files]
WITHOUT_GOLD = [name for name in BASELINES if name != "oracle"]
NOTHING = Habits([])


@pytest.fixture(scope="module")
def loaded() -> dict[str, Loaded]:
    return {name: load(name) for name in GENERATED}


def scores(cases, name, stage, seed=0):
    habits = Habits(cases)
    return [
        score(case, stage, parse(case, stage, ask_baseline(name, case, stage, habits, seed=seed))).score
        for case in cases
        if stage in case.stages
    ]


def answer(name, case, stage, **options):
    return parse(
        case,
        stage,
        ask_baseline(name, case, stage, options.pop("habits", NOTHING), **options),
        names=names_given(options["given"]) if "given" in options else None,
    ).answer


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("name", GENERATED)
def test_the_oracle_is_right_on_generated_datasets(loaded, name, stage):
    found = scores(loaded[name].cases, "oracle", stage)
    assert set(found) == {1.0} if found else stage is Stage.ABDUCTION


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("name", DOWNLOADED)
def test_the_oracle_is_right_on_downloaded_datasets(data, name, stage):
    if not available(DATASETS[name], data):
        pytest.skip(f"needs the data of {name}")
    found = scores(load(name, data).cases, "oracle", stage)
    assert set(found) == {1.0} if found else stage is Stage.ABDUCTION


@pytest.mark.parametrize("name", GENERATED)
def test_the_constant_template_does_not_solve_generated_graphs(loaded, name):
    found = scores(loaded[name].cases, "constant-template", Stage.GRAPH)
    assert 0.2 < sum(found) / len(found) < 0.8


@pytest.mark.parametrize("baseline", WITHOUT_GOLD)
@pytest.mark.parametrize("stage", list(Stage))
def test_no_baseline_without_gold_solves_a_stage(loaded, baseline, stage):
    # Where a variable has two values, there is one other value to set it to: the floor of that stage is high.
    most = 0.9 if (baseline, stage) == ("negate-exposure", Stage.INTERVENTION) else 0.8
    for found in loaded.values():
        values = scores(found.cases, baseline, stage)
        assert sum(values) <= most * len(values)


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("stage", list(Stage))
def test_baselines_write_answers_that_can_be_read(hand, apples, word, loaded, baseline, stage):
    groups = [[*hand.values(), apples, word], *(found.cases[:30] for found in loaded.values())]
    for cases in groups:
        habits = Habits(cases)
        for case in (case for case in cases if stage in case.stages):
            for seed in range(3):
                parsed = parse(case, stage, ask_baseline(baseline, case, stage, habits, seed=seed))
                assert parsed.status == "ok", (case.id, parsed)


def test_the_random_baseline_depends_on_seed_and_case_only(gate):
    def guess(case, seed):
        return ask_baseline("random", case, Stage.GRAPH, NOTHING, seed=seed)

    graphs = {guess(gate, seed) for seed in range(30)}
    assert len(graphs) > 20
    assert guess(gate, 7) == guess(gate.model_copy(), 7)
    assert guess(gate, 7) != guess(gate.model_copy(update={"id": "gate-2"}), 7)


def test_the_template_joins_all_pairs_of_roles(gate):
    names = {"Z": ["time of day"], "X": ["lever"], "M": ["lock", "bell"], "Y": ["boat"]}
    pairs = {
        (a, b) for first, second in ("ZX", "ZM", "ZY", "XM", "XY", "MY") for a in names[first] for b in names[second]
    }
    found = answer("constant-template", gate, Stage.GRAPH)
    assert {tuple(edge) for edge in found} == pairs
    assert len(found) == len(pairs)


def blinded(case):
    """The case with other gold, and the same context, question, options and factual values."""
    return case.model_copy(
        update={
            "edges": tuple((child, parent) for parent, child in case.edges),
            "target": "C",
            "intervention": {name: "elsewhere" for name in case.intervention},
            "exogenous": tuple(cause.model_copy(update={"value": "elsewhere"}) for cause in case.exogenous),
            "variables": tuple(v.model_copy(update={"counterfactual": "elsewhere"}) for v in case.variables),
        }
    )


@pytest.mark.parametrize("baseline", WITHOUT_GOLD)
def test_baselines_do_not_look_at_gold(hand, baseline):
    """Changing what a stage asks for, and nothing that it shows, changes no answer; nor does it for its habits."""
    for case in hand.values():
        blind = blinded(case)
        others = [other for other in hand.values() if other is not case]
        for stage in case.stages:
            # Later stages show the gold of earlier ones, so each is blinded for what it asks.
            given = {earlier: gold_answer(case, earlier) for earlier in (Stage.VARIABLES,) if stage is not earlier}
            seen = ask_baseline(baseline, case, stage, Habits([case, *others]), given=given)
            assert ask_baseline(baseline, blind, stage, Habits([blind, *others]), given=given) == seen


def test_the_oracle_looks_at_gold(hand):
    for case in hand.values():
        for stage in case.stages:
            if stage is not Stage.VARIABLES:
                assert ask_baseline("oracle", case, stage, NOTHING) != ask_baseline(
                    "oracle", blinded(case), stage, NOTHING
                )


@pytest.mark.parametrize("baseline", WITHOUT_GOLD)
def test_variables_are_guessed_from_the_prompt_alone(gate, total, baseline):
    renamed = gate.model_copy(
        update={"variables": tuple(v.model_copy(update={"name": f"secret {v.name}"}) for v in gate.variables)}
    )
    assert build_messages(gate, Stage.VARIABLES) == build_messages(renamed, Stage.VARIABLES)
    first = ask_baseline(baseline, gate, Stage.VARIABLES, Habits([gate, total]))
    assert first == ask_baseline(baseline, renamed, Stage.VARIABLES, Habits([renamed, total]))


OWN = [
    {"name": "the crank", "role": "exposure", "value": "turned"},
    {"name": "the sluice", "role": "mediator", "value": None},
    {"name": "fog", "role": None, "value": "thick"},
    {"name": "the barge", "role": "outcome", "value": "not here"},
]


@pytest.mark.parametrize("baseline", WITHOUT_GOLD)
@pytest.mark.parametrize("stage", [Stage.GRAPH, Stage.INTERVENTION, Stage.OUTCOME])
def test_in_a_chain_a_baseline_speaks_of_the_names_it_is_given(hand, baseline, stage):
    names = {item["name"] for item in OWN}
    for case in hand.values():
        for seed in range(5):
            habits = Habits(hand.values())
            found = answer(baseline, case, stage, given={Stage.VARIABLES: OWN}, habits=habits, seed=seed)
            used = {end for edge in found for end in edge} if stage is Stage.GRAPH else found.keys()
            assert used <= names
            if stage is Stage.OUTCOME:
                assert used == {"the sluice", "the barge"}
            elif stage is Stage.INTERVENTION and baseline != "random":
                assert used == {"the crank"}


def test_what_baselines_make_of_the_values_they_are_given(gate):
    def said(baseline, stage):
        return answer(baseline, gate, stage, given={Stage.VARIABLES: OWN})

    assert said("copy-factual", Stage.INTERVENTION) == {"the crank": "turned"}
    assert said("copy-factual", Stage.OUTCOME) == {"the sluice": "unknown", "the barge": "not here"}
    assert said("copy-factual", Stage.GRAPH) == [
        ["the crank", "the sluice"],
        ["the sluice", "fog"],
        ["fog", "the barge"],
    ]
    assert said("constant-template", Stage.INTERVENTION) == {"the crank": "not turned"}
    # A variable without a role takes no part in the template.
    assert said("constant-template", Stage.GRAPH) == [
        ["the crank", "the sluice"],
        ["the crank", "the barge"],
        ["the sluice", "the barge"],
    ]
    assert said("negate-exposure", Stage.OUTCOME) == {"the sluice": "not unknown", "the barge": "here"}
    assert said("oracle", Stage.INTERVENTION) == {"lever": "not pulled"}


@pytest.mark.parametrize("baseline", WITHOUT_GOLD)
def test_a_chain_without_variables_is_answered_without_an_exception(hand, baseline):
    for case in hand.values():
        for stage in (Stage.GRAPH, Stage.INTERVENTION, Stage.OUTCOME, Stage.ANSWER):
            text = ask_baseline(baseline, case, stage, Habits(hand.values()), given={Stage.VARIABLES: []})
            assert json.loads(text)
            gold = {variable.name for variable in case.variables}
            assert stage is Stage.ANSWER or not gold & set(parse(case, stage, text, names=[]).answer or ())


def test_negating_takes_the_other_of_two_values_where_the_context_has_two(lamp, gate, total):
    assert answer("negate-exposure", lamp, Stage.INTERVENTION) == {"switch": "down"}
    assert answer("negate-exposure", lamp, Stage.OUTCOME) == {"lamp": "dark"}
    assert answer("negate-exposure", lamp, Stage.ANSWER) == "dark"
    assert answer("negate-exposure", lamp, Stage.ABDUCTION) == {"guest": "there", "bulb": "whole"}
    # Without a model that says which values there are, the value itself is negated.
    assert answer("negate-exposure", gate, Stage.INTERVENTION) == {"lever": "not pulled"}
    assert answer("negate-exposure", total, Stage.INTERVENTION) == {"base": "not 10"}
    # "That is not possible." is the one option that negates.
    assert answer("negate-exposure", gate, Stage.ANSWER) == "C"
    plain = gate.model_copy(update={"options": ("It leaves.", "It stays.")})
    assert answer("negate-exposure", plain, Stage.ANSWER) == "A"


def test_baselines_of_unseen_causes(lamp):
    assert answer("constant-template", lamp, Stage.ABDUCTION) == {"guest": "away", "bulb": "broken"}
    assert answer("copy-factual", lamp, Stage.ABDUCTION) == {"guest": UNDETERMINED, "bulb": UNDETERMINED}
    guesses = {ask_baseline("random", lamp, Stage.ABDUCTION, NOTHING, seed=seed) for seed in range(60)}
    assert len(guesses) == 3 * 3


def test_the_majority_answers_what_the_others_mostly_are(gate, total):
    others = [
        gate.model_copy(update={"id": f"o-{i}", "cluster": f"o-{i}", "target": target})
        for i, target in enumerate("CCA")
    ]
    habits = Habits([gate, *others])
    assert answer("majority", gate, Stage.ANSWER, habits=habits) == "C"
    assert answer("majority", gate, Stage.INTERVENTION, habits=habits) == {"lever": "not pulled"}
    assert answer("majority", gate, Stage.OUTCOME, habits=habits) == gold_answer(gate, Stage.OUTCOME)
    assert {tuple(edge) for edge in answer("majority", gate, Stage.GRAPH, habits=habits)} == set(gate.edges)
    assert [v["name"] for v in answer("majority", gate, Stage.VARIABLES, habits=habits)] == sorted(
        v.name for v in gate.variables
    )
    # What it says of a case that is like nothing else it takes from the roles, or from what it is given.
    assert answer("majority", total, Stage.INTERVENTION, habits=Habits([total])) == {"base": "not 10"}
    given = {
        Stage.VARIABLES: [
            {"name": n, "role": str(r), "value": None} for n, r in (("p", Role.EXPOSURE), ("q", Role.MEDIATOR))
        ]
    }
    assert answer("majority", total, Stage.GRAPH, habits=habits, given=given) == [["p", "q"]]


def test_the_majority_of_one_cluster_knows_nothing(gate):
    """Cases of one cluster are versions of each other: what they have in common is the answer, not a habit."""
    twins = [gate.model_copy(update={"id": f"twin-{i}", "target": "C"}) for i in range(5)]
    for stage in gate.stages:
        alone = ask_baseline("majority", gate, stage, NOTHING)
        assert ask_baseline("majority", gate, stage, Habits([gate, *twins])) == alone
        other = [case.model_copy(update={"cluster": case.id}) for case in twins]
        # Without habits an exposure is negated, which is what the others do here as well.
        assert stage is Stage.INTERVENTION or ask_baseline("majority", gate, stage, Habits([gate, *other])) != alone


def test_an_unknown_baseline_is_a_programming_error(gate):
    with pytest.raises(KeyError):
        ask_baseline("average", gate, Stage.ANSWER, NOTHING)


def test_the_order_shown_gives_no_graph_away(loaded):
    """A chain through the variables as listed finds no more edges than a random graph could."""
    for found in loaded.values():
        values = scores(found.cases, "copy-factual", Stage.GRAPH)
        assert sum(values) / len(values) < 0.35
