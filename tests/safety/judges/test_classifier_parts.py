import json
import random
import re
from importlib import resources

import numpy as np
import pytest
from numpy.testing import assert_allclose

from counterpoise.errors import DataError
from counterpoise.safety.judges import LABELS, Labelled
from counterpoise.safety.judges.classifier.cached import CachedEmbedder
from counterpoise.safety.judges.classifier.coherence import count_tables, fit_coherence
from counterpoise.safety.judges.classifier.corruptions import CORRUPTIONS, garble
from counterpoise.safety.judges.classifier.features import Scaling, blocks, profile, read_documents
from counterpoise.safety.judges.classifier.fitting import Material, fitted_without
from counterpoise.safety.judges.classifier.own import own_documents, shortened, stance_sentences
from counterpoise.safety.judges.classifier.refusal import RefusalHeads, fit_refusal
from counterpoise.safety.judges.classifier.softmax import Softmax, fit_softmax
from counterpoise.safety.judges.classifier.stances import STANCES, StanceModel
from counterpoise.safety.judges.classifier.text import document_runs, is_cut, sentence_runs, sentences
from counterpoise.safety.judges.classifier.weights import Weights, from_bytes, to_bytes

SLOT = re.compile(r"\{(do|thing|person|Person|claim|Claim|request)\}")


class WordEmbedder:
    """Vectors from which words a text has: deterministic, no model needed."""

    name = revision = "words"

    def __init__(self):
        self.asked = 0

    def embed(self, texts):
        self.asked += len(texts)
        vectors = np.full((len(texts), 16), 0.01, dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in text.lower().split():
                vector[sum(word.encode()) % 16] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def stances():
    generator = np.random.default_rng(0)
    vocabulary = {"^ i": 0, "cannot": 1, "help": 2}
    weights = generator.normal(size=(16 + len(vocabulary), len(STANCES))).astype(np.float32)
    return StanceModel(vocabulary, Softmax(weights, np.zeros(len(STANCES), dtype=np.float32)))


def test_a_long_text_is_read_at_both_ends():
    text = " ".join(f"This is sentence {number}." for number in range(100))
    found = sentences(text)
    assert len(found) == 16
    assert (found[0], found[-1]) == ("This is sentence 0.", "This is sentence 99.")


def test_words_of_the_prompt_are_masked():
    assert "i cannot _" in document_runs("Kill a process", "I can't kill")
    assert document_runs("Kill a process", "I can't kill it.") == document_runs("Bake bread", "I can't bake it.")
    assert "^^i cannot" in document_runs("", "I cannot say.")
    assert "^ i cannot" in sentence_runs("I can't.")


def test_only_short_texts_that_stop_early_are_cut():
    assert is_cut("Sure, here is how to")
    assert not is_cut("Sure, here is how.")
    assert not is_cut("word " * 100)


def test_the_softmax_finds_a_boundary_and_weighs_what_is_important():
    features = np.array([[0.0], [1.0], [2.0], [3.0]] * 10, dtype=np.float32)
    classes = (features[:, 0] > 1.5).astype(np.int64)
    model = fit_softmax(features, classes, count=2, penalty=1e-4)
    probabilities = model(features)
    assert (probabilities.argmax(axis=1) == classes).all()
    assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    # The same features with contradicting classes: the important half decides.
    both = np.concatenate([classes, 1 - classes])
    importance = np.repeat([1.0, 0.1], len(classes))
    model = fit_softmax(np.concatenate([features, features]), both, count=2, penalty=1e-4, importance=importance)
    assert (model(features).argmax(axis=1) == classes).all()


def test_a_profile_is_as_long_whatever_the_text(stances):
    documents = read_documents(
        [("", ""), ("Why?", "No."), ("Why?", "1. One thing.\n2. Another.\n" * 30)], WordEmbedder(), stances
    )
    assert len({len(profile(document)) for document in documents}) == 1
    assert documents[0].sentences == []
    assert documents[2].items == 60
    assert all(np.isfinite(profile(document)).all() for document in documents)


def test_features_of_a_document_do_not_depend_on_the_others(stances):
    pairs = [("Why?", "I cannot help."), ("How?", "First, stir. Then bake it at 180 degrees."), ("", "Sure")]
    documents = read_documents(pairs, WordEmbedder(), stances)
    scaling = Scaling.of(np.array([profile(document) for document in documents], dtype=np.float32))
    together = blocks(documents, {"i cannot": 0, "first": 1}, scaling)
    alone = blocks(documents[1:2], {"i cannot": 0, "first": 1}, scaling)
    for (name, values), (_, single) in zip(together, alone, strict=True):
        assert_allclose(values[1], single[0], rtol=1e-5, atol=1e-6, err_msg=name)


def test_own_texts_are_the_same_for_a_seed_and_of_all_kinds():
    documents = own_documents(seed=3)
    assert documents == own_documents(seed=3)
    assert documents != own_documents(seed=4)
    assert {item.label for item in documents} == set(LABELS)
    assert not any(SLOT.search(item.completion) for item in documents)
    rows = stance_sentences(["The sea is salty. Rivers carry salt into it."], ["bake bread"], seed=3)
    assert {stance for stance, _, _ in rows} == set(STANCES)
    assert not any(SLOT.search(text) for _, _, text in rows)


def test_subjects_do_not_tell_the_stance():
    """Each stance has disallowed and harmless subjects alike, or the classifier would judge the request."""
    text = resources.files("counterpoise.safety.judges.classifier").joinpath("stances.json").read_text(encoding="utf-8")
    slots = json.loads(text)["slots"]
    found = {stance: [0, 0] for stance in STANCES[:-1]}
    for stance, _, sentence in stance_sentences([], seed=0):
        if stance != "content":
            found[stance][0] += any(act in sentence for act in slots["disallowed"])
            found[stance][1] += any(act in sentence for act in slots["harmless"])
    for stance, (disallowed, harmless) in found.items():
        if disallowed + harmless > 50:
            assert 0.35 < disallowed / (disallowed + harmless) < 0.65, stance


def test_shortened_completions_are_their_beginnings():
    items = [Labelled("p", " ".join(str(n) for n in range(100)), "full_compliance", "one")]
    (short,) = shortened(items, seed=1)
    assert items[0].completion.startswith(short.completion)
    assert 12 <= len(short.completion.split()) <= 40


LABELLED = [
    Labelled(f"prompt {number}", text, label, source)
    for source in ("one", "two")
    for number in range(30)
    for text, label in (
        (f"I cannot help with {number}.", "full_refusal"),
        (f"First take {number} eggs. Then stir.", "full_compliance"),
    )
]


def test_a_model_is_judged_by_what_was_fitted_without_it(stances):
    """Labels of the left-out model have no influence on its own judgement."""
    flipped = {"full_refusal": "full_compliance", "full_compliance": "full_refusal"}
    other = [
        item if item.source == "one" else Labelled(item.prompt, item.completion, flipped[item.label], "two")
        for item in LABELLED
    ]
    found = [fitted_without(Material(labelled, WordEmbedder(), stances)) for labelled in (LABELLED, other)]
    two = [place for place, item in enumerate(LABELLED) if item.source == "two"]
    one = [place for place, item in enumerate(LABELLED) if item.source == "one"]
    assert_allclose(found[0][two], found[1][two], atol=1e-5)
    assert not np.allclose(found[0][one], found[1][one], atol=0.05)
    labels = [LABELS[place] for place in found[0].argmax(axis=1)]
    assert sum(label == item.label for label, item in zip(labels, LABELLED, strict=True)) > 0.9 * len(LABELLED)


TEXTS = [
    f"The {animal} lives near the {place} and likes to sleep in the {time}. It eats what it finds there."
    for animal in ("cat", "fox", "owl", "hare", "mouse", "goat")
    for place in ("river", "wood", "barn", "road")
    for time in ("morning", "evening")
]


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_corruption_changes_a_text_and_is_the_same_for_a_seed(kind):
    first, again = (garble(kind, TEXTS[0], TEXTS[1:], random.Random(5)) for _ in range(2))
    assert first == again != TEXTS[0]
    assert first.strip()


@pytest.fixture(scope="module")
def weights(stances):
    documents = read_documents([(item.prompt, item.completion) for item in LABELLED], WordEmbedder(), stances)
    head = fit_refusal(documents, [item.label for item in LABELLED], [item.prompt for item in LABELLED])
    garbled = [garble("words shuffled", text, (), random.Random(place)) for place, text in enumerate(TEXTS)]
    read = read_documents([("", text) for text in [*TEXTS, *garbled]], WordEmbedder(), stances)
    coherent = [True] * len(TEXTS) + [False] * len(garbled)
    coherence = fit_coherence([*TEXTS, *garbled], read, coherent, count_tables(TEXTS))
    scores = coherence([*TEXTS, *garbled], read)
    assert scores[: len(TEXTS)].mean() > 0.8 > 0.2 > scores[len(TEXTS) :].mean()
    return Weights(stances, RefusalHeads(whole=head, cut=head), coherence)


def test_weights_survive_their_file(weights, stances):
    content = to_bytes(weights)
    assert content == to_bytes(weights)
    back = from_bytes(content)
    documents = read_documents([(item.prompt, item.completion) for item in LABELLED[:6]], WordEmbedder(), stances)
    assert_allclose(back.refusal(documents), weights.refusal(documents), atol=0.01)
    assert_allclose(back.coherence(TEXTS[:6], documents), weights.coherence(TEXTS[:6], documents), atol=0.03)
    assert back.refusal.whole.vocabulary == weights.refusal.whole.vocabulary


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 damaged"])
def test_damaged_weights_are_refused_in_one_line(content):
    with pytest.raises(DataError, match="weights are damaged"):
        from_bytes(content, where="weights.npz")


def test_embeddings_are_kept_by_content(tmp_path):
    embedder = WordEmbedder()
    cached = CachedEmbedder(embedder, tmp_path / "new")
    first = cached.embed(["a b", "c"])
    assert_allclose(cached.embed(["a b", "c"]), first)
    assert embedder.asked == 2
    (file,) = (tmp_path / "new").iterdir()
    file.write_bytes(b"damaged")
    assert_allclose(cached.embed(["a b", "c"]), first)
    assert embedder.asked == 4


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert CachedEmbedder(WordEmbedder(), tmp_path / "file").embed(["a"]).shape == (1, 16)
