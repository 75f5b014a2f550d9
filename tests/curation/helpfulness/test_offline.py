import numpy as np
import pytest

from counterpoise.curation.helpfulness import WEIGHTS, Helpfulness

QUESTION = "Why does ice float on water?"
ORIGINAL = "Ice floats because frozen water is lighter than the liquid around it."
KEPT = ORIGINAL + " Test thin ice with care before anyone walks on it."
OFF_TOPIC = "A receipt shows what somebody bought yesterday in a shop."
REPEATED = "Ice floats ice floats ice floats ice floats ice floats ice floats"


def test_order_of_revisions(embedder) -> None:
    kept, off, repeated = Helpfulness(embedder)(
        [(QUESTION, ORIGINAL, KEPT), (QUESTION, ORIGINAL, OFF_TOPIC), (QUESTION, ORIGINAL, REPEATED)]
    )
    assert kept.total > 0.85 > repeated.total > off.total
    assert kept.criteria["coverage"] == 1.0
    assert off.criteria["coverage"] == 0.0
    assert repeated.criteria["clarity"] < 0.5 < kept.criteria["clarity"]


def test_the_original_itself_is_fully_helpful(embedder) -> None:
    for original in (ORIGINAL, "a fish lives in water", REPEATED):
        rating = Helpfulness(embedder)([(QUESTION, original, original)])[0]
        assert [rating.criteria[name] for name in ("content", "coverage")] == pytest.approx([1, 1])
    assert Helpfulness(embedder)([(QUESTION, ORIGINAL, ORIGINAL)])[0].as_dict() == pytest.approx(
        {"relevance": 1, "content": 1, "clarity": 1, "coverage": 1, "total": 1}
    )


def test_a_revision_need_not_be_better_written_than_its_original(embedder) -> None:
    clumsy = "a fish lives in water"
    revised = f"{clumsy}. Test thin ice with care before anyone walks on it."
    proper = clumsy.capitalize() + "."
    (after_clumsy,) = Helpfulness(embedder)([(QUESTION, clumsy, revised)])
    (after_proper,) = Helpfulness(embedder)([(QUESTION, proper, revised)])
    assert after_clumsy.criteria["clarity"] == 1.0 > after_proper.criteria["clarity"]


def test_total_is_the_weighted_mean_and_everything_is_in_range(embedder) -> None:
    items = [(q, o, r) for q in (QUESTION, "") for o in (ORIGINAL, "It is.", "") for r in (KEPT, OFF_TOPIC, "x", "  ")]
    for rating in Helpfulness(embedder)(items):
        assert rating.criteria.keys() == WEIGHTS.keys()
        assert all(0 <= value <= 1 for value in rating.criteria.values())
        mean = sum(WEIGHTS[name] * value for name, value in rating.criteria.items())
        assert rating.total == pytest.approx(mean, abs=1e-5)
        assert rating.as_dict() == {**rating.criteria, "total": rating.total}
        assert rating.failed is None
    assert sum(WEIGHTS.values()) == 1


def test_blank_revision_scores_nothing_and_no_items_embed_nothing(embedder) -> None:
    assert Helpfulness(embedder)([(QUESTION, ORIGINAL, " \n")])[0].total == 0
    assert Helpfulness(Broken())([]) == []


class Broken:
    name = "broken"
    revision = "0"

    def embed(self, texts):
        return np.full((len(texts), 4), np.nan, dtype=np.float32)


def test_vectors_that_are_not_numbers_give_no_similarity() -> None:
    criteria = Helpfulness(Broken())([(QUESTION, ORIGINAL, KEPT)])[0].criteria
    assert (criteria["relevance"], criteria["content"]) == (0, 0)
    assert criteria["coverage"] == 1


def test_texts_are_embedded_once_in_one_call(embedder) -> None:
    calls = []

    class Counting:
        name, revision = "counting", "1"

        def embed(self, texts):
            calls.append(list(texts))
            return embedder.embed(texts)

    Helpfulness(Counting())([(QUESTION, ORIGINAL, KEPT), (QUESTION, ORIGINAL, OFF_TOPIC)])
    assert calls == [[QUESTION, ORIGINAL, KEPT, OFF_TOPIC]]


def test_identity_names_embedder_and_weights(embedder) -> None:
    judge, other = Helpfulness(embedder), Helpfulness(Broken())
    assert judge.name == "helpfulness/fake/bag-of-words"
    assert judge.identity()["embedder"] == {"name": embedder.name, "revision": embedder.revision}
    assert judge.identity()["weights"] == WEIGHTS
    assert judge.revision == Helpfulness(embedder).revision != other.revision
