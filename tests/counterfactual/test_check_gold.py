import json

from counterpoise.counterfactual.baselines import BASELINES
from counterpoise.counterfactual.check_gold import check_gold
from counterpoise.counterfactual.datasets import Loaded, Reject


def test_the_shape_that_others_rely_on(gate, total, apples):
    loaded = Loaded((gate, total, apples), (Reject("bad-1", "the graph has a cycle"),))
    (found,) = check_gold({"hand": loaded})
    assert list(found) == ["dataset", "cases", "rejects", "oracle", "baselines"]
    assert found["dataset"] == "hand"
    assert found["cases"] == 3
    assert found["rejects"] == [{"id": "bad-1", "reason": "the graph has a cycle"}]
    assert found["oracle"] == dict.fromkeys(["variables", "graph", "intervention", "outcome", "answer"], 1.0)
    assert set(found["baselines"]) == BASELINES.keys() - {"oracle"}
    # Template: 9 edges on the first case, among them all 4 of the gold; 3 on the second, among them both.
    assert found["baselines"]["constant-template"]["graph"] == 2 * 6 / (2 * 6 + 5 + 1)
    assert json.loads(json.dumps(found)) == found


def test_unseen_causes_are_checked_where_there_are_any(lamp, gate):
    (found,) = check_gold({"hand": Loaded((lamp, gate), ())})
    assert found["oracle"]["abduction"] == 1.0
    assert {name: scores["abduction"] for name, scores in found["baselines"].items()} == {
        "constant-template": 0.0,
        "copy-factual": 0.0,
        "negate-exposure": 0.0,
        "majority": 0.0,
        "random": 0.0,
    }


def test_the_majority_learns_from_the_other_cases_of_the_dataset(gate):
    cases = tuple(gate.model_copy(update={"id": f"g-{i}", "cluster": f"g-{i}"}) for i in range(3))
    (found,) = check_gold({"hand": Loaded(cases, ())})
    assert set(found["baselines"]["majority"].values()) == {1.0}
    (alone,) = check_gold({"hand": Loaded(cases[:1], ())})
    assert alone["baselines"]["majority"]["answer"] == 0.0


def test_a_stage_without_gold_is_absent(apples):
    (found,) = check_gold({"hand": Loaded((apples,), ())})
    assert found["oracle"] == {"answer": 1.0}
    assert list(found["baselines"]["random"]) == ["answer"]


def test_broken_gold_is_seen(gate):
    broken = gate.model_copy(update={"target": "no letter"})
    (found,) = check_gold({"hand": Loaded((gate, broken), ())})
    assert found["oracle"]["answer"] == 0.5


def test_no_datasets_give_an_empty_list():
    assert check_gold({}) == []
