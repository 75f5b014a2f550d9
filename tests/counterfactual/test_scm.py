import itertools
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoise.counterfactual.scm import MAX_ASSIGNMENTS, SCM, ScmError

SPRINKLER = SCM(
    exogenous={"u_rain": (0, 1), "u_pump": (0, 1)},
    mechanisms={"rain": "u_rain", "pump": "not rain and u_pump", "lawn": "rain or pump"},
    names={"pump": "water pump"},
    labels={
        "rain": {0: "dry", 1: "raining"},
        "pump": {0: "off", 1: "running"},
        "lawn": {0: "brown", 1: "wet"},
    },
)


@st.composite
def models(draw):
    """Random models of up to four variables with up to four exogenous ones, hidden causes shared or not."""
    exogenous = {f"u{i}": tuple(range(draw(st.integers(1, 3)))) for i in range(draw(st.integers(1, 4)))}
    mechanisms: dict[str, str] = {}
    for index in range(draw(st.integers(1, 4))):
        names = [*exogenous, *mechanisms]
        a, b, c = (draw(st.sampled_from(names)) for _ in range(3))
        form = draw(
            st.sampled_from(
                [
                    "{a}",
                    "{a} + {b}",
                    "({a} + 2 * {b}) % 3",
                    "{a} if {b} > 0 else {c}",
                    "max({a}, {b}) - {c}",
                    "1",
                    "{a} == {b}",
                ]
            )
        )
        mechanisms[f"v{index}"] = form.format(a=a, b=b, c=c)
    return SCM(exogenous=exogenous, mechanisms=mechanisms)


def all_worlds(scm):
    for values in itertools.product(*scm.exogenous.values()):
        yield dict(zip(scm.exogenous, values, strict=True))


def brute_force(scm, evidence, do):
    """Enumerate everything: the definition, without pruning."""
    consistent = [
        world for world in all_worlds(scm) if all(scm.run(world)[name] == value for name, value in evidence.items())
    ]
    predicted = [scm.run(world, do) for world in consistent]
    return consistent, {name: frozenset(world[name] for world in predicted) for name in scm.order}


@settings(max_examples=150, deadline=None)
@given(models(), st.data())
def test_abduction_action_prediction_agree_with_brute_force(scm, data):
    world = data.draw(st.sampled_from(list(all_worlds(scm))))
    factual = scm.run(world)
    observed = data.draw(st.sets(st.sampled_from(scm.order)))
    evidence = {name: factual[name] for name in observed}
    do = {data.draw(st.sampled_from(scm.order)): str(data.draw(st.integers(-2, 3)))}
    worlds, predicted = brute_force(scm, evidence, do)
    found = scm.abduct(evidence)
    assert sorted(map(sorted, (world.items() for world in found))) == sorted(map(sorted, (w.items() for w in worlds)))
    assert scm.counterfactual(evidence, do) == predicted
    for name, values in predicted.items():
        assert scm.settled(evidence, do, name) == (next(iter(values)) if len(values) == 1 else None)


@settings(max_examples=100, deadline=None)
@given(models(), st.data())
def test_setting_the_observed_value_returns_the_factual_world(scm, data):
    factual = scm.run(data.draw(st.sampled_from(list(all_worlds(scm)))))
    name = data.draw(st.sampled_from(scm.order))
    predicted = scm.counterfactual(factual, {name: factual[name]})
    assert predicted == {variable: frozenset({value}) for variable, value in factual.items()}


@settings(max_examples=60, deadline=None)
@given(models())
def test_json_round_trip_keeps_the_model_and_its_order(scm):
    again = SCM.model_validate_json(scm.model_dump_json())
    assert again == scm
    assert SCM(**{**scm.model_dump(), "mechanisms": dict(reversed(scm.mechanisms.items()))}).order == scm.order


def test_labels_survive_json():
    again = SCM.model_validate_json(SPRINKLER.model_dump_json())
    assert again == SPRINKLER
    assert again.labels["pump"] == {0: "off", 1: "running"}


def test_a_used_model_can_be_pickled():
    assert SPRINKLER.interventional({})["rain"] == {"dry", "raining"}
    again = pickle.loads(pickle.dumps(SPRINKLER))
    assert again == SPRINKLER
    assert again.run({"u_rain": 0, "u_pump": 0})["lawn"] == "brown"


def test_run_gives_words_in_topological_order():
    world = SPRINKLER.run({"u_rain": 0, "u_pump": 1})
    assert list(world.items()) == [("rain", "dry"), ("water pump", "running"), ("lawn", "wet")]
    assert SPRINKLER.edges == (("rain", "lawn"), ("rain", "water pump"), ("water pump", "lawn"))


def test_intervention_cuts_incoming_edges_only():
    assert SPRINKLER.run({"u_rain": 1, "u_pump": 0}, {"water pump": "running"})["rain"] == "raining"
    assert SPRINKLER.run({"u_rain": 0, "u_pump": 1}, {"water pump": "off"})["lawn"] == "brown"


def test_counterfactual_differs_from_intervention_where_the_observation_tells_of_the_hidden_cause():
    evidence = {"rain": "dry", "water pump": "running"}
    assert SPRINKLER.counterfactual(evidence, {"rain": "raining"})["lawn"] == {"wet"}
    # A pump seen running in dry weather would have run again; without the observation that is open.
    switched = SCM(exogenous={"u": (0, 1)}, mechanisms={"x": "1", "y": "x != u"})
    assert switched.counterfactual({"x": "1", "y": "1"}, {"x": "0"})["y"] == {"0"}
    assert switched.interventional({"x": "0"})["y"] == {"0", "1"}


def test_an_observation_that_masks_the_hidden_cause_leaves_the_outcome_undetermined():
    rained = {"rain": "raining", "water pump": "off", "lawn": "wet"}
    assert SPRINKLER.counterfactual(rained, {"rain": "dry"})["lawn"] == {"wet", "brown"}
    assert SPRINKLER.settled(rained, {"rain": "dry"}, "lawn") is None


def test_numerals_follow_the_base_of_their_own_world():
    scm = SCM(
        exogenous={"u": (10, 16)},
        mechanisms={"base": "u", "total": "base + 11"},
        numerals={"total": "base"},
    )
    assert scm.run({"u": 16})["total"] == "1B"
    assert scm.counterfactual({"total": "1b"}, {"base": "12"})["total"] == {"1B"}
    assert scm.counterfactual({"base": "16"}, {"total": "-FF"})["total"] == {"-FF"}
    with pytest.raises(ScmError, match="'1B' is not a numeral in base 10"):
        scm.run({"u": 10}, {"total": "1B"})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"exogenous": {}, "mechanisms": {"a": "b", "b": "a"}}, "the mechanisms form a cycle"),
        ({"exogenous": {}, "mechanisms": {"a": "a + 1"}}, "the mechanisms form a cycle"),
        ({"exogenous": {}, "mechanisms": {"a": "c"}}, "mechanism of 'a' reads 'c', which is not in the model"),
        ({"exogenous": {}, "mechanisms": {}}, "a model without mechanisms"),
        ({"exogenous": {"u": ()}, "mechanisms": {"a": "u"}}, "domain of 'u' is empty or repeats a value"),
        ({"exogenous": {"u": (1, 1)}, "mechanisms": {"a": "u"}}, "domain of 'u' is empty or repeats a value"),
        ({"exogenous": {"u": (10**13,)}, "mechanisms": {"a": "u"}}, "domain of 'u' has a value beyond"),
        ({"exogenous": {"a": (1,)}, "mechanisms": {"a": "1"}}, "'a' is both exogenous and endogenous"),
        ({"exogenous": {}, "mechanisms": {"a b": "1"}}, "'a b' is not an identifier"),
        ({"exogenous": {}, "mechanisms": {"max": "1"}}, "'max' is not an identifier"),
        ({"exogenous": {}, "mechanisms": {"a": "1"}, "names": {"c": "d"}}, "names of 'c', which is not in the model"),
        ({"exogenous": {}, "mechanisms": {"a": "1", "b": "1"}, "names": {"a": "b"}}, "empty or not unique"),
        ({"exogenous": {}, "mechanisms": {"a": "1"}, "labels": {"a": {0: "x", 1: "x"}}}, "have the same label"),
        ({"exogenous": {}, "mechanisms": {"a": "1"}, "numerals": {"a": 1}}, "base of 'a' is 1; expected 2 to 36"),
        ({"exogenous": {}, "mechanisms": {"a": "1"}, "numerals": {"a": "u"}}, "base of 'a' is 'u'"),
        (
            {"exogenous": {}, "mechanisms": {"a": "1"}, "labels": {"a": {1: "x"}}, "numerals": {"a": 2}},
            "has labels and a numeral base",
        ),
        (
            {"exogenous": {f"u{i}": tuple(range(10)) for i in range(7)}, "mechanisms": {"a": "u0"}},
            f"expected at most {MAX_ASSIGNMENTS}",
        ),
    ],
)
def test_faulty_models_are_refused_with_the_reason(fields, message):
    with pytest.raises(ScmError) as error:
        SCM(**fields)
    assert message in str(error.value)


def test_unknown_names_and_values_are_refused():
    with pytest.raises(ScmError, match="unknown variable 'pump'; expected one of rain, water pump, lawn"):
        SPRINKLER.abduct({"pump": "off"})
    with pytest.raises(ScmError, match="'on' is not a value of 'water pump'; expected one of off, running"):
        SPRINKLER.interventional({"water pump": "on"})
    with pytest.raises(ScmError, match="unknown variable 'fog'"):
        SPRINKLER.settled({}, {}, "fog")
    with pytest.raises(ScmError, match="no world agrees with the evidence"):
        SPRINKLER.counterfactual({"rain": "raining", "lawn": "brown"}, {})
    with pytest.raises(ScmError, match="exogenous 'u_pump' is unknown or has no value"):
        SPRINKLER.run({"u_rain": 1})
    with pytest.raises(ScmError, match="2 is not a value of exogenous 'u_rain'"):
        SPRINKLER.run({"u_rain": 2, "u_pump": 0})
    number = SCM(exogenous={"u": (1,)}, mechanisms={"a": "u"})
    for text in ("1.0", "01", "x", "", "9" * 14):
        with pytest.raises(ScmError, match="expected a whole number"):
            number.counterfactual({}, {"a": text})


def test_a_value_without_label_and_a_mechanism_without_value_are_errors():
    with pytest.raises(ScmError, match="value 2 of 'a' has no label"):
        SCM(exogenous={}, mechanisms={"a": "2"}, labels={"a": {1: "one"}}).run({})
    with pytest.raises(ScmError, match="division by zero"):
        SCM(exogenous={"u": (0, 1)}, mechanisms={"a": "1 // u"}).interventional({})
