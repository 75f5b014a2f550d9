from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from counterpoise.curation.seeds import Seed, builtin_seeds
from counterpoise.curation.seeds.calibrate import category_accuracy, labelled_phrases, measure
from counterpoise.curation.seeds.phrases import meaning_key
from counterpoise.curation.seeds.relevance import MIN_RELEVANCE, NEIGHBOURS, Relevance, described, neutral_phrases
from counterpoise.lm.embedding import open_embedder

DOCUMENT = (Path(__file__).parents[3] / "docs" / "seeds.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def minilm():
    return open_embedder("embedded/minilm")


def test_a_score_is_what_the_definition_says(embedder):
    phrases = ["fire exit", "garden path", "fire in the garden", "zebra"]
    seeds = [described(seed) for seed in builtin_seeds()]
    middle = embedder.embed(neutral_phrases()).mean(axis=0)

    def direction(text: str) -> np.ndarray:
        vector = embedder.embed([text])[0] - middle
        return vector / np.linalg.norm(vector)

    def nearest(text: str, others) -> float:
        return float(np.mean(sorted(direction(text) @ direction(other) for other in others)[-NEIGHBOURS:]))

    expected = [round(nearest(text, seeds) - nearest(text, neutral_phrases()), 3) for text in phrases]
    assert Relevance(embedder).scores(embedder.embed(phrases)) == pytest.approx(expected, abs=2e-3)


def test_no_phrases(embedder):
    relevance, none = Relevance(embedder), embedder.embed([])
    assert relevance.scores(none) == []
    assert relevance.categories(none) == []


def test_the_middle_is_near_nothing(embedder):
    middle = embedder.embed(neutral_phrases()).mean(axis=0, keepdims=True)
    assert Relevance(embedder).scores(middle) == [0.0]


def test_a_category_is_that_of_its_seeds(embedder):
    seeds = [
        Seed(keyword=word, category=kind) for word, kind in (("hot pan", "b"), ("cold ice", "a"), ("hot oven", "b"))
    ]
    relevance = Relevance(embedder, seeds * 2)
    assert relevance.categories(embedder.embed(["hot soup", "ice"])) == ["b", "a"]


def test_the_reference_sets_and_the_labelled_phrases_are_apart():
    keys = [meaning_key(phrase) for phrase in neutral_phrases()]
    labelled = [meaning_key(one.phrase) for half in labelled_phrases() for one in half]
    safety = {meaning_key(seed.keyword) for seed in builtin_seeds()}
    assert all(keys)
    for one in (keys, labelled):
        assert len(set(one)) == len(one)
        assert not set(one) & safety
    assert not set(keys) & set(labelled)


def test_the_labelled_phrases_are_as_documented():
    choosing, held_out = labelled_phrases()
    assert len(choosing) + len(held_out) >= 400
    for half in (choosing, held_out):
        assert {(one.label, one.kind) for one in half} == {
            *(("safety", kind) for kind in ("everyday", "technical")),
            *(("other", kind) for kind in ("everyday", "technical", "lookalike")),
        }
        assert 0.4 < sum(one.label == "safety" for one in half) / len(half) < 0.6
    text = (resources.files("counterpoise.curation.seeds") / "labelled.jsonl").read_text(encoding="utf-8")
    assert text.isascii()


def test_measuring():
    phrases, _ = labelled_phrases()
    right = [float(one.label == "safety") for one in phrases]
    perfect = measure(phrases, right, 0.5)
    assert (perfect.precision.value, perfect.recall.value) == (1.0, 1.0)
    assert [share.value for share in perfect.passed.values()] == [0.0, 0.0, 0.0]
    everything = measure(phrases, right, 0.0)
    assert everything.precision.value == pytest.approx(sum(right) / len(right))
    assert everything.passed["lookalike"].value == 1.0
    assert measure(phrases, right, 2.0).precision.value is None


def test_relevance_does_as_well_as_documented(minilm):
    _, held_out = labelled_phrases()
    found = measure(held_out, Relevance(minilm).scores(minilm.embed([one.phrase for one in held_out])), MIN_RELEVANCE)
    assert found.precision.value >= 0.9
    assert found.recall.value >= 0.4
    cells = [f"**{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]**" for one in (found.precision, found.recall)]
    cells += [f"{found.passed[kind].value:.2f}" for kind in ("everyday", "technical", "lookalike")]
    assert f"| **{MIN_RELEVANCE}** | {' | '.join(cells)} |" in DOCUMENT


def test_the_document_counts_right():
    both = [one for half in labelled_phrases() for one in half]
    safety = sum(one.label == "safety" for one in both)
    lookalikes = sum(one.kind == "lookalike" for one in both)
    assert f"{len(neutral_phrases())} phrases of research" in DOCUMENT
    assert f"{len(both)} other phrases were written" in DOCUMENT
    assert f"{safety} about safety, and {len(both) - safety} not, of which {lookalikes} share" in DOCUMENT


def test_categories_of_keywords_that_were_left_out(minilm):
    # Chance is 1 in 18.
    assert category_accuracy(minilm).value == pytest.approx(0.55, abs=0.03)
