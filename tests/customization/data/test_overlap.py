import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoise.customization.data.overlap import likenesses, plain
from counterpoise.safety.similarity import near_duplicates

TEXTS = st.lists(
    st.lists(st.sampled_from("apple river stone bake the how cloud lamp".split()), max_size=5).map(" ".join), max_size=8
)


@settings(deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([0.3, 0.5, 1.0]))
def test_it_finds_what_the_pairwise_rule_finds(texts, others, threshold):
    # Texts without a content word, which the pairwise rule calls alike, are like none here.
    texts = [f"{text} word" for text in texts]
    found = likenesses(texts, others, threshold=threshold)
    assert sorted(found) == near_duplicates(texts, others, threshold=threshold)


def test_the_most_similar_one_is_named():
    others = ["bake a bread", "bake a cake today", "bake a cake", "bake the cakes"]
    assert likenesses(["How to bake a cake"], others) == {0: (2, 1.0)}
    assert likenesses(["How to bake a pie"], others, threshold=0.3)[0] == (0, pytest.approx(1 / 3))
    assert likenesses(["the of to"], ["the of to"]) == {}
    assert likenesses([], others) == likenesses(["cake"], []) == {}


def test_plain_text():
    assert plain("  How  to\nBAKE ") == "how to bake"
