import hashlib
import itertools
import math
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from statistics import mean
from typing import get_args

import pytest

from counterpoise.counterfactual.case import UNDETERMINED, Role, problems
from counterpoise.counterfactual.dag import confounders, has_path, is_acyclic
from counterpoise.counterfactual.scm import SCM
from counterpoise.counterfactual.suite.config import GenerateConfig, Query, Suite, checked_config, read_config
from counterpoise.counterfactual.suite.draw.shapes import SHAPES, ShapeName, widen
from counterpoise.counterfactual.suite.generate import generate, query_of
from counterpoise.errors import ConfigError, UnknownNameError
from counterpoise.rng import rng_for

SUITES = get_args(Suite)
GOLDEN = {
    "scm-text": "8f8b7db61d132b76e0b0e5ea33388a62d6feb4670878ceffe3670417a753b97f",
    "scm-math": "4d81b27dfce23034383cf605ee9ab7ce8a1694e5f315dade729bfb549120558f",
    "scm-code": "b92eef37e6e7e5211d17f8aadbaf2b7d3ede27e51ff9563cebb524fd7c8dde65",
    "scm-image": "076287868fdb54899420d96c86a185b779f34e480140eb8f686b0d2be381a529",
}
"""SHA-256 of the JSON of the first five cases of seed 0. They change only with GENERATOR."""
OBSERVED = {"scm-text": "the {} was {}", "scm-math": "{} = {}", "scm-code": "`{}` was {}"}
"""How each suite that has no pictures says what was observed."""


@cache
def all_cases(suite: str):
    return [generate(GenerateConfig(suite=suite), 1, index) for index in range(300)]


def cases(suite: str, count: int = 300):
    return all_cases(suite)[:count]


def first_five(suite: str) -> str:
    return "\n".join(generate(GenerateConfig(suite=suite), 0, index).model_dump_json() for index in range(5))


@pytest.mark.parametrize("suite", SUITES)
def test_same_bytes_everywhere(suite):
    assert hashlib.sha256(first_five(suite).encode()).hexdigest() == GOLDEN[suite]


def test_hash_randomisation_of_the_process_makes_no_difference():
    script = (
        "import hashlib, sys; from typing import get_args;"
        "from counterpoise.counterfactual.suite.generate import generate;"
        "from counterpoise.counterfactual.suite.config import GenerateConfig, Suite;"
        "print(hashlib.sha256(''.join(generate(GenerateConfig(suite=suite), 4, index).model_dump_json() "
        "for suite in get_args(Suite) for index in range(20)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "77")
    }
    assert len(digests) == 1


class BruteForce:
    """The definition of abduction, action and prediction, by enumeration; mechanisms are run by Python itself."""

    def __init__(self, scm: SCM) -> None:
        self.scm = scm
        self.order = [next(i for i in scm.mechanisms if scm.names.get(i, i) == name) for name in scm.order]
        self.code = {name: compile(source.strip(), name, "eval") for name, source in scm.mechanisms.items()}

    def run(self, exogenous, do):
        world = dict(exogenous)
        for name in self.order:
            world[name] = do[name] if name in do else int(eval(self.code[name], {}, world))
        return world

    def text(self, name, value):
        return self.scm.labels[name][value] if name in self.scm.labels else str(value)

    def value(self, name, text):
        return (
            next(v for v, word in self.scm.labels[name].items() if word == text)
            if name in self.scm.labels
            else int(text)
        )

    def worlds(self, evidence, do):
        """Exogenous values, factual and counterfactual world of everything that agrees with the evidence."""
        for values in itertools.product(*self.scm.exogenous.values()):
            exogenous = dict(zip(self.scm.exogenous, values, strict=True))
            factual = self.run(exogenous, {})
            if all(self.text(name, factual[name]) == text for name, text in evidence.items()):
                yield exogenous, factual, self.run(exogenous, do)


def only(texts):
    texts = set(texts)
    return texts.pop() if len(texts) == 1 else None


@pytest.mark.parametrize("suite", SUITES)
def test_every_gold_value_agrees_with_brute_force(suite):
    checked = 0
    for case in cases(suite, 120):
        scm = case.execution.scm
        if math.prod(len(domain) for domain in scm.exogenous.values()) > 4000:
            continue
        checked += 1
        brute = BruteForce(scm)
        identifiers = {name: identifier for identifier, name in scm.names.items()}
        evidence = {identifiers[name]: case.variable(name).factual for name in case.execution.observed}
        do = {identifiers[name]: brute.value(identifiers[name], text) for name, text in case.intervention.items()}
        worlds = list(brute.worlds(evidence, do))
        assert worlds
        for variable in case.variables:
            name = identifiers[variable.name]
            assert variable.factual == only(brute.text(name, factual[name]) for _, factual, _ in worlds)
            assert variable.counterfactual == (only(brute.text(name, w[name]) for *_, w in worlds) or UNDETERMINED)
        assert case.target == case.of_role(Role.OUTCOME)[0].counterfactual
        for cause in case.exogenous:
            texts = {cause.values[exogenous[cause.identifier]] for exogenous, *_ in worlds}
            assert cause.value == (only(texts) or UNDETERMINED)
    assert checked >= 60


@pytest.mark.parametrize("suite", SUITES)
def test_every_unseen_cause_and_nothing_else_is_asked_for(suite):
    kinds = Counter()
    for case in cases(suite):
        scm = case.execution.scm
        names = [cause.name for cause in case.exogenous]
        assert len(set(names)) == len(names)
        roots = {f"u_{identifier}" for identifier, name in scm.names.items() if not has_parent(case, name)}
        seen = {f"u_{identifier}" for identifier, name in scm.names.items() if name in case.execution.observed}
        assert {cause.identifier for cause in case.exogenous} == scm.exogenous.keys() - (roots & seen)
        for cause in case.exogenous:
            assert tuple(cause.values) == scm.exogenous[cause.identifier]
            assert len(set(cause.values.values())) == len(cause.values)
            kinds[cause.identifier in roots, cause.value == UNDETERMINED] += 1
            if cause.identifier in roots:
                assert cause.name == scm.names[cause.identifier.removeprefix("u_")]
        assert (not case.exogenous) == ("abduction" not in case.stages)
    # Roots and others, settled and open.
    assert len(kinds) == 4
    assert min(kinds.values()) >= 30, kinds


def has_parent(case, name):
    return any(child == name for _, child in case.edges)


@pytest.mark.parametrize("suite", SUITES)
def test_unseen_causes_are_named_in_words_of_the_context(suite):
    for case in cases(suite, 100):
        known = set(case.context.replace("`", " ").replace("'s", " ").lower().split())
        known = {word.strip(".,;:()") for word in known} | {"whether"}
        for cause in case.exogenous:
            for word in cause.name.replace("'s", " ").split():
                assert word.lower() in known or word in case.context, cause.name


@pytest.mark.parametrize("suite", SUITES)
def test_there_is_one_mechanism_for_every_variable_with_a_cause(suite):
    for case in cases(suite, 100):
        assert len(case.mechanisms) == len({child for _, child in case.edges})
        assert len(set(case.mechanisms)) == len(case.mechanisms)
        flat = [" ".join(line.split()) for line in case.mechanisms]
        context = " ".join(case.context.split())
        assert all(line in context for line in flat)
        for child in {child for _, child in case.edges}:
            about = [line for line in flat if child.lower() in line.lower()]
            parents = [parent for parent, end in case.edges if end == child]
            assert any(all(parent.lower() in line.lower() for parent in parents) for line in about)


@pytest.mark.parametrize("suite", SUITES)
def test_a_harder_case_is_a_bigger_one(suite):
    sizes, lengths = [], []
    for difficulty in range(1, 6):
        config = GenerateConfig(suite=suite, difficulty=difficulty, wording="plain")
        drawn = [generate(config, 11, index) for index in range(34)]
        sizes.append(mean(len(case.variables) for case in drawn))
        lengths.append(mean(sum(map(len, case.mechanisms)) for case in drawn))
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] < sizes[4]
    assert lengths[0] < lengths[2] < lengths[4]


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
        if suite in ("scm-text", "scm-image") and outcome.factual is not None
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
    kinds = {"scm-math": {"number"}, "scm-code": {"number", "label"}}
    assert {case.answer_kind for case in cases(suite)} == kinds.get(suite, {"label"})


@pytest.mark.parametrize("suite", SUITES)
def test_the_text_names_every_variable_observation_and_the_intervention(suite):
    for case in cases(suite, 100):
        observation = case.context.split("\n\n")[-1]
        for variable in case.variables:
            assert variable.name in case.context
            if suite in OBSERVED:
                value = f'"{variable.factual}"' if suite == "scm-code" else variable.factual
                forms = {OBSERVED[suite].format(variable.name, said) for said in (variable.factual, value)}
                stated = any(form.lower() in observation.lower() for form in forms)
                assert stated == (variable.name in case.execution.observed)
        ((exposure, value),) = case.intervention.items()
        assert exposure in case.question
        assert value in case.question
        assert case.of_role(Role.OUTCOME)[0].name in case.question


def test_hidden_confounders_are_never_observed():
    for case in itertools.chain.from_iterable(cases(suite) for suite in SUITES):
        if case.facets["shape"] in ("front-door", "instrument"):
            (exposure,), (outcome,) = case.of_role(Role.EXPOSURE), case.of_role(Role.OUTCOME)
            assert confounders(case.edges, exposure.name, outcome.name).isdisjoint(case.execution.observed)


@pytest.mark.parametrize("suite", ["scm-text", "scm-code"])
def test_wording_and_difficulty_are_obeyed(suite):
    nonce = GenerateConfig(suite=suite, wording="nonce", difficulty=2)
    plain = GenerateConfig(suite=suite, wording="plain", difficulty=(4, 5))
    for index in range(10):
        case = generate(nonce, 3, index)
        assert (case.facets["domain"], case.facets["difficulty"]) == ("nonce", "2")
        case = generate(plain, 3, index)
        assert case.facets["domain"] != "nonce"
        assert case.facets["difficulty"] in "45"
    domains = Counter(case.facets["domain"] for case in cases(suite))
    assert len(domains) >= 6
    assert 0.2 <= domains["nonce"] / 300 <= 0.5


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
    for part in ("suite:", "shapes.0:", "difficulty: difficulty must be a number from 1 to 5", "size:"):
        assert part in str(error.value)
    with pytest.raises(ConfigError, match="no-path only has the queries no-op and undetermined"):
        read_config({"suite": "scm-text", "shapes": ["no-path"], "queries": ["abduction"]})
    assert read_config({"suite": "scm-math", "difficulty": 2}).difficulty == (2, 2)
    assert set(get_args(Query)) == set(GenerateConfig(suite="scm-math").queries)
    with pytest.raises(ValueError, match="index must be at least 0; got -1"):
        generate(GenerateConfig(suite="scm-math"), 0, -1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"suite": "scm-txt"}, "unknown suite 'scm-txt'; expected one of scm-code, scm-image, scm-math, scm-text"),
        ({"shapes": ["chian"]}, "unknown shape 'chian'.*did you mean 'chain'"),
        ({"queries": ["guess"]}, "unknown query 'guess'; expected one of abduction"),
        ({"wording": "odd"}, "unknown wording 'odd'; expected one of mixed, nonce, plain"),
        ({"difficulty": "6"}, "difficulty must be a number from 1 to 5"),
        ({"difficulty": "0-2"}, "difficulty must be a number from 1 to 5"),
        ({"difficulty": "3-1"}, "two in ascending order"),
        ({"difficulty": "hard"}, "difficulty 'hard'; expected a number from 1 to 5, or two as in 1-3"),
        ({"difficulty": ""}, "difficulty ''; expected"),
        ({"difficulty": "-1"}, "difficulty '-1'; expected"),
        (
            {"shapes": ["no-path"], "queries": ["abduction"]},
            "shape no-path only has the queries no-op and undetermined",
        ),
        ({"shapes": []}, "shapes: "),
        ({"suite": "scm-math", "wording": "nonce"}, "suite scm-math has no nonce wording; scm-text and scm-code have"),
        ({"suite": "scm-image", "wording": "nonce"}, "suite scm-image has no nonce wording"),
    ],
)
def test_what_a_user_may_get_wrong_is_one_line(options, message):
    with pytest.raises((ConfigError, UnknownNameError), match=message) as error:
        checked_config(**({"suite": "scm-text"} | options))
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2


def test_what_a_user_may_ask_for():
    config = checked_config(suite="scm-code", shapes=["fork"], queries=["no-op"], difficulty="2-3", wording="plain")
    assert config == GenerateConfig(
        suite="scm-code", shapes=("fork",), queries=("no-op",), difficulty=(2, 3), wording="plain"
    )
    assert checked_config(suite="scm-text") == GenerateConfig(suite="scm-text")
    assert checked_config(suite="scm-text", difficulty="4").difficulty == (4, 4)
