import pytest

from counterpoise.counterfactual.baselines import BASELINES, template_edges
from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.datasets import DATASETS, Loaded, load
from counterpoise.counterfactual.parse import parse
from counterpoise.counterfactual.score import score
from counterpoise.counterfactual.stages import build_messages

GENERATED = [name for name, dataset in DATASETS.items() if not dataset.files]
DOWNLOADED = [name for name, dataset in DATASETS.items() if dataset.files]


@pytest.fixture(scope="module")
def loaded() -> dict[str, Loaded]:
    return {name: load(name) for name in GENERATED}


def scores(cases, name, stage, seed=0):
    baseline = BASELINES[name]
    return [
        score(case, stage, parse(case, stage, baseline(case, stage, seed))).score
        for case in cases
        if stage in case.stages
    ]


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("name", GENERATED)
def test_the_oracle_is_right_on_generated_datasets(loaded, name, stage):
    found = scores(loaded[name].cases, "oracle", stage)
    assert found
    assert set(found) == {1.0}


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("name", DOWNLOADED)
def test_the_oracle_is_right_on_downloaded_datasets(data, name, stage):
    found = scores(load(name, data).cases, "oracle", stage)
    assert found
    assert set(found) == {1.0}


@pytest.mark.parametrize("name", GENERATED)
def test_the_constant_template_does_not_solve_generated_graphs(loaded, name):
    found = scores(loaded[name].cases, "constant-template", Stage.GRAPH)
    assert 0.2 < sum(found) / len(found) < 0.8


@pytest.mark.parametrize("baseline", [name for name in BASELINES if name != "oracle"])
@pytest.mark.parametrize("stage", list(Stage))
def test_no_baseline_without_gold_solves_a_stage(loaded, baseline, stage):
    for found in loaded.values():
        values = scores(found.cases, baseline, stage)
        assert sum(values) / len(values) < 0.8


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("stage", list(Stage))
def test_baselines_write_answers_that_can_be_read(gate, total, apples, word, loaded, baseline, stage):
    cases = [gate, total, apples, word, *(case for found in loaded.values() for case in found.cases[:30])]
    for case in cases:
        if stage in case.stages:
            for seed in range(3):
                parsed = parse(case, stage, BASELINES[baseline](case, stage, seed))
                assert parsed.status == "ok", (case.id, parsed)


def test_the_random_baseline_depends_on_seed_and_case_only(gate):
    guess = BASELINES["random"]
    graphs = {guess(gate, Stage.GRAPH, seed) for seed in range(30)}
    assert len(graphs) > 20
    assert guess(gate, Stage.GRAPH, 7) == guess(gate.model_copy(), Stage.GRAPH, 7)
    assert guess(gate, Stage.GRAPH, 7) != guess(gate.model_copy(update={"id": "gate-2"}), Stage.GRAPH, 7)


def test_the_template_joins_all_pairs_of_roles(gate):
    names = {"Z": ["time of day"], "X": ["lever"], "M": ["lock", "bell"], "Y": ["boat"]}
    pairs = [
        (a, b) for first, second in ("ZX", "ZM", "ZY", "XM", "XY", "MY") for a in names[first] for b in names[second]
    ]
    assert template_edges(gate) == pairs


@pytest.mark.parametrize("baseline", [name for name in BASELINES if name != "oracle"])
def test_baselines_do_not_look_at_gold(gate, total, baseline):
    """Changing what a stage asks for, and nothing that it shows, changes no baseline answer."""
    for case in (gate, total):
        blind = case.model_copy(
            update={
                "edges": tuple((child, parent) for parent, child in case.edges),
                "target": "C",
                "intervention": {name: "elsewhere" for name in case.intervention},
                "variables": tuple(v.model_copy(update={"counterfactual": "elsewhere"}) for v in case.variables),
            }
        )
        for stage in (Stage.GRAPH, Stage.INTERVENTION, Stage.OUTCOME, Stage.ANSWER):
            assert BASELINES[baseline](case, stage, 0) == BASELINES[baseline](blind, stage, 0)


@pytest.mark.parametrize("baseline", [name for name in BASELINES if name != "oracle"])
def test_variables_are_guessed_from_the_prompt_alone(gate, baseline):
    renamed = gate.model_copy(
        update={"variables": tuple(v.model_copy(update={"name": f"secret {v.name}"}) for v in gate.variables)}
    )
    assert build_messages(gate, Stage.VARIABLES) == build_messages(renamed, Stage.VARIABLES)
    assert BASELINES[baseline](gate, Stage.VARIABLES, 0) == BASELINES[baseline](renamed, Stage.VARIABLES, 0)


def test_the_order_shown_gives_no_graph_away(loaded):
    """A chain through the variables as listed finds no more edges than a random graph could."""
    for found in loaded.values():
        values = scores(found.cases, "copy-factual", Stage.GRAPH)
        assert sum(values) / len(values) < 0.35
