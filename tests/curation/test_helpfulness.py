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
    assert kept.coverage == 1.0
    assert off.coverage == 0.0
    assert repeated.clarity < 0.5 < kept.clarity


def test_the_original_itself_is_fully_helpful(embedder) -> None:
    score = Helpfulness(embedder)([(QUESTION, ORIGINAL, ORIGINAL)])[0]
    assert (score.relevance, score.content, score.coverage) == pytest.approx((1, 1, 1))
    assert score.total > 0.97


def test_total_is_the_weighted_mean_and_everything_is_in_range(embedder) -> None:
    items = [(q, o, r) for q in (QUESTION, "") for o in (ORIGINAL, "It is.") for r in (KEPT, OFF_TOPIC, "x", "  ")]
    for score in Helpfulness(embedder)(items):
        values = {name: getattr(score, name) for name in WEIGHTS}
        assert all(0 <= value <= 1 for value in values.values())
        assert score.total == pytest.approx(sum(WEIGHTS[name] * value for name, value in values.items()), abs=1e-5)
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
    score = Helpfulness(Broken())([(QUESTION, ORIGINAL, KEPT)])[0]
    assert (score.relevance, score.content) == (0, 0)
    assert score.coverage == 1


def test_texts_are_embedded_once_in_one_call(embedder) -> None:
    calls = []

    class Counting:
        name, revision = "counting", "1"

        def embed(self, texts):
            calls.append(list(texts))
            return embedder.embed(texts)

    Helpfulness(Counting())([(QUESTION, ORIGINAL, KEPT), (QUESTION, ORIGINAL, OFF_TOPIC)])
    assert calls == [[QUESTION, ORIGINAL, KEPT, OFF_TOPIC]]
