import json

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
    assert sorted(found["baselines"]) == ["constant-template", "copy-factual", "random"]
    # Template: 9 edges on the first case, among them all 4 of the gold; 3 on the second, among them both.
    assert found["baselines"]["constant-template"]["graph"] == 2 * 6 / (2 * 6 + 5 + 1)
    assert json.loads(json.dumps(found)) == found


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
