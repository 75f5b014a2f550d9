"""The default matcher: its rule, what is out of fold, and that the shipped weights are those the script fits."""

import json
import math

import numpy as np
import pytest

from counterpoise.counterfactual.match import Pair
from counterpoise.counterfactual.match.fit import fit
from counterpoise.counterfactual.match.labelled import shipped_pairs
from counterpoise.counterfactual.match.meaning import (
    FEATURES,
    FOLDS,
    EmbeddingRaw,
    Rule,
    Rules,
    cosines,
    examine,
    fold_of,
    shipped,
)


class Letters:
    """An embedder without weights: counts of letters."""

    name, revision = "letters", "1"

    def embed(self, texts):
        counts = np.array(
            [[1 + text.lower().count(chr(97 + i)) for i in range(26)] for text in texts], dtype=np.float32
        )
        counts = counts.reshape(len(texts), 26)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


def test_a_rule_is_a_logistic_function():
    rule = Rule(0.5, bias=-1.0, weights=(2.0, 3.0))
    assert rule.probability([0.5, 0.0]) == 0.5
    assert rule.probability([1.0, 1.0]) == pytest.approx(1 / (1 + math.exp(-4)), abs=1e-4)
    assert Rule(0.5, bias=1e9).probability([]) == 1.0
    assert Rule(0.5, bias=-1e9).probability([]) == 0.0


def test_the_features_of_what_neither_spelling_nor_guards_decide():
    pair = Pair("value", "charged", "must be sold", about=("gate",))
    (examined,) = examine([pair], Letters(), None)
    assert examined.decided is None
    features = dict(zip(FEATURES, examined.features[0], strict=True))
    similarity = cosines(Letters(), ["charged", "must be sold", "gate: charged", "gate: must be sold"])
    assert features["cosine"] == similarity("charged", "must be sold")
    assert features["cosine_about"] == similarity("gate: must be sold", "gate: charged")
    assert features["name"] == features["agreed"] == features["heads"] == 0
    assert features["unexplained"] == pytest.approx(1 / 3)


def test_what_is_decided_asks_for_no_embedding():
    class Never(Letters):
        def embed(self, texts):
            assert not texts
            return super().embed(texts)

    pairs = [Pair("value", "open", text) for text in ("open", "not open", "closed", "It would be open.")]
    assert [one.decided for one in examine(pairs, Never(), None)] == [1.0, 0.0, 0.0, 1.0]


def test_cosine_alone_takes_the_best_accepted_text():
    raw = EmbeddingRaw(Letters(), Rules(Rule(0.9), ()))
    assert raw.match([Pair("name", "abc", "xyz", aliases=("zyx",))]) == [1.0]
    assert raw.threshold == 0.9


def test_no_gold_text_is_in_two_parts():
    parts = [fold_of(pair.gold) for pair in shipped_pairs()]
    assert set(parts) == set(range(FOLDS))
    assert min(parts.count(part) for part in range(FOLDS)) > 50
    assert fold_of("The  open Door") == fold_of("open door")


def test_a_pair_is_held_out_by_the_rule_that_has_not_seen_its_gold(meaning):
    pairs = [pair.pair for pair in shipped_pairs()[:40]]
    examined = examine(pairs, meaning.embedder, meaning.known)
    for (score, threshold), one, pair in zip(meaning.held_out(pairs), examined, pairs, strict=True):
        rule = meaning.rules.without[fold_of(pair.gold)]
        assert score == one.score(rule)
        assert threshold == rule.threshold


def test_the_shipped_weights_have_the_signs_that_make_sense():
    rules = shipped("meaning")
    assert len(rules.without) == FOLDS
    for rule in (rules.whole, *rules.without):
        for weight, sign in zip(rule.weights, FEATURES.values(), strict=True):
            assert weight * sign >= 0
        assert 0.3 <= rule.threshold <= 0.7


def test_the_script_fits_the_shipped_weights(meaning):
    from counterpoise.counterfactual.match import meaning as module

    record = fit(shipped_pairs(), meaning.embedder)
    file = module.resources.files("counterpoise.counterfactual.match") / "meaning.json"
    shipped_record = json.loads(file.read_text(encoding="utf-8"))
    assert record.keys() == shipped_record.keys()
    for name, rules in record.items():
        wanted = shipped_record[name]
        for one, other in zip((rules["whole"], *rules["without"]), (wanted["whole"], *wanted["without"]), strict=True):
            assert one["threshold"] == pytest.approx(other["threshold"], abs=0.03)
            assert one.get("weights", {}) == pytest.approx(other.get("weights", {}), abs=0.05)
