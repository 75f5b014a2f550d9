from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.curation.deck import Deck
from counterpoise.curation.seeds import Seed


def seed_set(count: int) -> list[Seed]:
    return [Seed(keyword=f"keyword {number}", category="test") for number in range(count)]


sizes = st.tuples(st.integers(1, 40), st.integers(1, 4), st.integers(1, 30)).filter(lambda s: s[1] <= s[0])


@given(sizes, st.integers(0, 5), st.integers(0, 50))
def test_a_text_gets_no_keyword_twice_before_it_had_all(shape, seed, place) -> None:
    count, together, revisions = shape
    hand = Deck(seed_set(count), seed, size=revisions * together, together=together).hand(place)
    assert len(hand) == revisions
    assert all(len(set(keywords)) == together for keywords in hand)
    flat = [one.keyword for keywords in hand for one in keywords]
    lap = min(len(flat), count // together * together)
    assert len(set(flat[:lap])) == lap
    assert max(Counter(flat).values()) <= -(-len(flat) // lap)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60), st.integers(0, 5))
def test_over_the_texts_all_are_asked_for_equally_often(count, revisions, texts, seed) -> None:
    deck = Deck(seed_set(count), seed, size=min(revisions, count), together=1)
    asked = Counter(one.keyword for place in range(texts) for keywords in deck.hand(place) for one in keywords)
    total = min(revisions, count) * texts
    assert set(asked.values()) <= {total // count, -(-total // count)}
    assert len(asked) == min(count, total)


def test_a_keyword_meets_every_point_of_the_grid() -> None:
    # 75 and 540 have 15 in common: without the shuffle a keyword would only ever stand in every fifteenth place.
    deck = Deck(seed_set(540), 0, size=75, together=1)
    places = [at for place in range(360) for at, (one,) in enumerate(deck.hand(place)) if one.keyword == "keyword 7"]
    assert len(places) == 50
    assert len({at % 15 for at in places}) > 10


def test_hands_depend_on_seed_and_place() -> None:
    deck = Deck(seed_set(30), 1, size=10, together=2)
    assert deck.hand(3) == Deck(seed_set(30), 1, size=10, together=2).hand(3)
    assert deck.hand(3) != deck.hand(4)
    assert deck.hand(3) != Deck(seed_set(30), 2, size=10, together=2).hand(3)


def test_too_few_seeds() -> None:
    with pytest.raises(ValueError, match="takes up 3"):
        Deck(seed_set(2), 0, size=3, together=3)
