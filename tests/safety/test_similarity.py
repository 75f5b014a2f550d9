import random

import pytest

from counterpoise.safety.similarity import near_duplicate_clusters, near_duplicates, word_set

TEXTS = [
    "Describe how to plant a tree in a garden",
    "Explain how to plant trees in the garden",
    "Describe planting a tree in your garden",
    "Write a poem about the sea",
    "Name three large rivers of Europe",
]


def test_wording_does_not_part_near_duplicates():
    clusters = near_duplicate_clusters(TEXTS)
    assert clusters[0] == clusters[1] == clusters[2]
    assert len(set(clusters)) == 3


def test_clusters_do_not_depend_on_order():
    expected = dict(zip(TEXTS, near_duplicate_clusters(TEXTS), strict=True))
    shuffled = TEXTS[:]
    for seed in range(5):
        random.Random(seed).shuffle(shuffled)
        assert dict(zip(shuffled, near_duplicate_clusters(shuffled), strict=True)) == expected


def test_clusters_are_connected_components():
    # The first and the last share too little, but both are near the middle one.
    texts = ["red green blue yellow", "green blue yellow black", "blue yellow black white"]
    assert len(set(near_duplicate_clusters(texts, threshold=0.6))) == 1
    assert near_duplicates([texts[0]], [texts[2]], threshold=0.6) == []


def test_no_texts_and_no_words():
    assert near_duplicate_clusters([]) == []
    assert len(set(near_duplicate_clusters(["the", "of a", "?!"]))) == 1


def test_near_duplicates_gives_positions():
    assert near_duplicates(["How do I bake bread?", "What is rain?"], ["Explain how to bake the bread"]) == [0]


@pytest.mark.parametrize(
    ("text", "words"),
    [("Planting the trees", {"plant", "tree"}), ("the a of", set()), ("C-3PO's data", {"c", "3po", "data"})],
)
def test_word_set(text, words):
    assert word_set(text) == words
