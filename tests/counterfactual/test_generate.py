import hashlib
from collections import Counter
from functools import cache
from typing import get_args

import pytest

from counterpoise.counterfactual.case import UNDETERMINED, Role, problems
from counterpoise.counterfactual.dag import confounders, has_path, is_acyclic
from counterpoise.counterfactual.draw.shapes import SHAPES, ShapeName, widen
from counterpoise.counterfactual.generate import GenerateConfig, Query, generate, query_of, read_config
from counterpoise.counterfactual.scm import SCM
from counterpoise.errors import ConfigError
from counterpoise.rng import rng_for

SUITES = ("scm-text", "scm-math")
GOLDEN = {
    "scm-text": "12f55f3a863fc6d81a95107e4db617710314a74c9318191041761f78bd03f686",
    "scm-math": "11a586d0eb1dfaf3648567df6d4b9e6a4d30c99381d6d5d034e6b8883b87df44",
}
"""SHA-256 of the JSON of the first five cases of seed 0. They change only with GENERATOR."""


@cache
def cases(suite: str, count: int = 300, seed: int = 1):
    return [generate(GenerateConfig(suite=suite), seed, index) for index in range(count)]


@pytest.mark.parametrize("suite", SUITES)
def test_same_bytes_everywhere(suite):
    text = "\n".join(generate(GenerateConfig(suite=suite), 0, index).model_dump_json() for index in range(5))
    assert hashlib.sha256(text.encode()).hexdigest() == GOLDEN[suite]


@pytest.mark.parametrize("suite", SUITES)
def test_a_case_does_not_depend_on_what_was_generated_before(suite):
    config = GenerateConfig(suite=suite)
    assert generate(config, 1, 17) == cases(suite)[17]
    assert generate(config, 1, 17).hash == cases(suite)[17].hash


@pytest.mark.parametrize("suite", SUITES)
def test_neighbouring_seeds_and_indices_share_nothing(suite):
    pool = [*cases(suite, 60), *(generate(GenerateConfig(suite=suite), 2, index) for index in range(60))]
    assert len({case.id for case in pool}) == len(pool)
    assert len({case.context for case in pool}) == len(pool)
    models = Counter(case.execution.scm.model_dump_json() for case in pool)
    assert max(models.values()) == 1


@pytest.mark.parametrize("suite", SUITES)
def test_every_case_is_valid(suite):
    assert [fault for case in cases(suite) for fault in problems(case)] == []


@pytest.mark.parametrize("suite", SUITES)
def test_every_shape_query_and_difficulty_occurs(suite):
    pairs = {(case.facets["shape"], case.facets["query"]) for case in cases(suite)}
    assert pairs == set(GenerateConfig(suite=suite).plans)
    assert {case.facets["difficulty"] for case in cases(suite)} == set("12345")


@pytest.mark.parametrize("suite", SUITES)
def test_the_query_is_what_the_facet_says(suite):
    for case in cases(suite, 100):
        scm, observed = case.execution.scm, case.execution.observed
        (outcome,) = case.of_role(Role.OUTCOME)
        evidence = {name: case.variable(name).factual for name in observed}
        query = case.facets["query"]
        assert query_of(scm, evidence, case.intervention, outcome.name) == query
        assert (case.target == UNDETERMINED) == (query == "undetermined")
        assert case.target == outcome.counterfactual
        if query == "no-op":
            assert case.target == outcome.factual
        if query == "intervention":
            assert case.target != outcome.factual
            # Rung two is enough: nothing seen of the exposure or of its consequences is used.
            (exposure,) = case.of_role(Role.EXPOSURE)
            before = {
                n: v for n, v in evidence.items() if n != exposure.name and not has_path(case.edges, exposure.name, n)
            }
            assert scm.counterfactual(before, case.intervention)[outcome.name] == {case.target}


@pytest.mark.parametrize("suite", SUITES)
def test_the_graph_has_the_shape_of_the_facet(suite):
    for case in cases(suite, 100):
        (exposure,), (outcome,) = case.of_role(Role.EXPOSURE), case.of_role(Role.OUTCOME)
        mediators = len(case.of_role(Role.MEDIATOR))
        shape = case.facets["shape"]
        assert is_acyclic(case.edges)
        assert has_path(case.edges, exposure.name, outcome.name) == (shape != "no-path")
        expected = {"chain": 1, "mediated-triangle": 1, "front-door": 1, "distractors": 1, "two-mediators": 2}
        assert mediators == expected.get(shape, 0)
        confounded = shape in ("fork", "front-door", "instrument")
        if shape != "no-path":
            assert bool(confounders(case.edges, exposure.name, outcome.name)) == confounded


@pytest.mark.parametrize("suite", SUITES)
def test_no_cheap_answer_wins(suite):
    """Repeating the factual outcome, or the most frequent answer, is right in a minority of cases."""
    outcomes = [(case.of_role(Role.OUTCOME)[0], case.target) for case in cases(suite)]
    copied = sum(outcome.factual == target for outcome, target in outcomes) / len(outcomes)
    majority = Counter(target for _, target in outcomes).most_common(1)[0][1] / len(outcomes)
    print(f"{suite}: copy-factual {copied:.3f}, majority {majority:.3f}")
    assert 0.2 <= copied <= 0.7
    assert majority <= 0.4
    two_valued = [
        (outcome, case.target)
        for case in cases(suite)
        for outcome in case.of_role(Role.OUTCOME)
        if suite == "scm-text" and outcome.factual is not None
    ]
    if two_valued:
        changed = sum(target not in (outcome.factual, UNDETERMINED) for outcome, target in two_valued)
        assert 0.2 <= changed / len(two_valued) <= 0.7


@pytest.mark.parametrize("suite", SUITES)
def test_abduction_cases_change_the_outcome_in_some_and_keep_it_in_others(suite):
    effects = Counter(case.facets["effect"] for case in cases(suite) if case.facets["query"] == "abduction")
    assert effects["same"] >= 10
    assert effects["changed"] >= 10


@pytest.mark.parametrize("suite", SUITES)
def test_the_question_never_tells_whether_the_answer_is_determined(suite):
    assert all(f'"{UNDETERMINED}"' in case.question for case in cases(suite))
    assert {case.answer_kind for case in cases(suite)} == {"label" if suite == "scm-text" else "number"}


@pytest.mark.parametrize("suite", SUITES)
def test_the_text_names_every_variable_observation_and_the_intervention(suite):
    for case in cases(suite, 100):
        observation = case.context.split("\n\n")[-1]
        form = "the {} was {}" if suite == "scm-text" else "{} = {}"
        for variable in case.variables:
            assert variable.name in case.context
            stated = form.format(variable.name, variable.factual).lower() in observation.lower()
            assert stated == (variable.name in case.execution.observed)
        ((exposure, value),) = case.intervention.items()
        assert exposure in case.question
        assert value in case.question
        assert case.of_role(Role.OUTCOME)[0].name in case.question


def test_hidden_confounders_are_never_observed():
    for case in cases("scm-text") + cases("scm-math"):
        if case.facets["shape"] in ("front-door", "instrument"):
            (exposure,), (outcome,) = case.of_role(Role.EXPOSURE), case.of_role(Role.OUTCOME)
            assert confounders(case.edges, exposure.name, outcome.name).isdisjoint(case.execution.observed)


def test_wording_and_difficulty_are_obeyed():
    nonce = GenerateConfig(suite="scm-text", wording="nonce", difficulty=2)
    plain = GenerateConfig(suite="scm-text", wording="plain", difficulty=(4, 5))
    for index in range(10):
        case = generate(nonce, 3, index)
        assert (case.facets["domain"], case.facets["difficulty"]) == ("nonce", "2")
        case = generate(plain, 3, index)
        assert case.facets["domain"] != "nonce"
        assert case.facets["difficulty"] in "45"
    assert len({case.facets["domain"] for case in cases("scm-text")}) >= 7


def test_query_of_the_classic_examples():
    scm = SCM(exogenous={"u": (0, 1)}, mechanisms={"x": "1", "y": "x != u", "z": "1"})
    assert query_of(scm, {"x": "1", "y": "0"}, {"x": "0"}, "y") == "abduction"
    assert query_of(scm, {"x": "1"}, {"x": "0"}, "y") == "undetermined"
    assert query_of(scm, {"x": "1"}, {"x": "0"}, "z") == "no-op"
    assert query_of(scm, {"x": "1"}, {"x": "0"}, "x") == "intervention"


@pytest.mark.parametrize("shape", get_args(ShapeName))
def test_widening_keeps_roles_and_paths(shape):
    for difficulty in range(1, 6):
        wide = widen(SHAPES[shape], difficulty, rng_for(0, shape, difficulty))
        assert set(SHAPES[shape].edges) <= set(wide.edges)
        assert is_acyclic(wide.edges)
        assert confounders(wide.edges, "x", "y") == confounders(SHAPES[shape].edges, "x", "y")
        assert len(wide.variables) <= 9
        assert [name for name in wide.order if not wide.parents(name)] == sorted(wide.roots, key=wide.order.index)


def test_configuration_errors_are_named_all_at_once():
    with pytest.raises(ConfigError) as error:
        read_config({"suite": "scm", "shapes": ["circle"], "difficulty": [3, 9], "size": 1})
    for part in ("suite:", "shapes.0:", "difficulty: Value error, difficulty must be a number from 1 to 5", "size:"):
        assert part in str(error.value)
    with pytest.raises(ConfigError, match="no-path only has the queries no-op and undetermined"):
        read_config({"suite": "scm-text", "shapes": ["no-path"], "queries": ["abduction"]})
    assert read_config({"suite": "scm-math", "difficulty": 2}).difficulty == (2, 2)
    assert set(get_args(Query)) == set(GenerateConfig(suite="scm-math").queries)
    with pytest.raises(ValueError, match="index must be at least 0; got -1"):
        generate(GenerateConfig(suite="scm-math"), 0, -1)
