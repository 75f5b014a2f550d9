"""Each guard on what it must tell apart and what it must leave alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.match.alignment import is_typo
from counterpoise.counterfactual.match.guards import GUARDS, clashes

APART = {
    "polarity": [
        ("open", "not open"),
        ("open", "isn't open"),
        ("not closed", "not open"),
        ("able to walk", "unable to walk"),
        ("arrived", "failed to arrive"),
        ("money", "lack of money"),
        ("a man with a hat", "a man without a hat"),
        ("5", "not 5"),
        ("the key is in the box", "the key is absent from the box"),
        ("locked", "not not unlocked"),
        ("rain", "no rain"),
        ("smoker", "non-smoker"),
    ],
    "opposites": [
        ("not hot", "cold"),
        ("hot", "not cold"),
        ("hot", "cold"),
        ("not unkind", "kind"),
        ("colder", "hotter"),
        ("before the noun", "after the noun"),
        ("danger of the bridge", "safety of the bridge"),
        ("more", "less"),
    ],
    "kinds": [
        ("a red car", "a green car"),
        ("broken finger", "broken leg"),
        ("on Monday", "on Tuesday"),
        ("a poodle", "a dog"),
    ],
    "places": [("into the tree", "past the tree"), ("under the bridge", "over the bridge")],
    "numbers": [
        ("three apples", "2 apples"),
        ("at least 20", "more than 20"),
        ("score in round 3", "score in 3 rounds"),
        ("2 to 1", "1 to 2"),
        ("base 16", "base 6"),
        ("9", "empty"),
    ],
    "roles": [
        ("the dog chased the cat", "the cat chased the dog"),
        ("the dog chased the cat", "the dog was chased by the cat"),
        ("Tom is older than Ann", "Ann is older than Tom"),
        ("Tom is older than Ann", "Tom is younger than Ann"),
        ("all cats are pets", "all pets are cats"),
        ("red cube and blue sphere", "blue cube and red sphere"),
        ("if it rains, the match is off", "if the match is off, it rains"),
        ("flow from the river to the lake", "flow from the lake to the river"),
        ("sets a to b", "sets b to a"),
        ("a minus b", "b minus a"),
    ],
    "quantifiers": [
        ("all lights are on", "some lights are on"),
        ("all lights are on", "not all lights are on"),
        ("no lights are on", "not all lights are on"),
        ("most of them", "all of them"),
    ],
    "modality": [("open", "might be open"), ("full", "almost full"), ("open", "probably open"), ("open", "seems open")],
    "lookalikes": [("price of the ticket", "prize of the ticket"), ("breath", "breadth"), ("stale", "stable")],
}

ALIKE = [
    ("not open", "closed"),
    ("not closed", "open"),
    ("not incomplete", "complete"),
    ("unable to walk", "not able to walk"),
    ("no lights are on", "all lights are off"),
    ("has no money", "does not have money"),
    ("not enough money", "insufficient money"),
    ("never arrived", "did not arrive"),
    ("failed to arrive", "did not arrive"),
    ("it is not true that it did not arrive", "arrived"),
    ("not always", "sometimes it is not"),
    ("the dog chased the cat", "the cat was chased by the dog"),
    ("Tom is older than Ann", "Ann is younger than Tom"),
    ("Bob lent Ann money", "Ann borrowed money from Bob"),
    ("Ann is next to Tom", "Tom is next to Ann"),
    ("cats and dogs", "dogs and cats"),
    ("apples, pears and plums", "plums, pears and apples"),
    ("when the dog barks, the cat runs", "the cat runs when the dog barks"),
    ("state of the leg", "leg's state"),
    ("the man's mood", "the person's mood"),
    ("whether the tap is on or off", "state of the tap"),
    ("distance from the farm to the mill", "distance from the mill to the farm"),
    ("at least 20", "not fewer than 20"),
    ("red", "red in colour"),
]


@pytest.mark.parametrize(("guard", "first", "second"), [(g, *pair) for g, pairs in APART.items() for pair in pairs])
def test_a_guard_tells_them_apart(guard, first, second):
    assert guard in clashes(first, second), clashes(first, second)
    assert clashes(first, second) == clashes(second, first)


@pytest.mark.parametrize(("first", "second"), ALIKE)
def test_no_guard_fires(first, second):
    assert clashes(first, second) == ()
    assert clashes(second, first) == ()


def test_every_guard_is_tested():
    assert APART.keys() == GUARDS.keys()


@given(
    st.lists(
        st.sampled_from("the a dog cat not no open closed red 3 three if by of is and all some".split()), max_size=9
    )
)
def test_no_guard_fires_on_a_text_and_itself(words):
    assert clashes(" ".join(words), " ".join(words)) == ()


def test_a_typo_is_a_word_that_is_none():
    known = {"empty", "cup", "cap", "price", "prize", "walk"}
    assert is_typo("empyt", "empty", known)
    assert is_typo("empty", "emptyy", known)
    assert not is_typo("cup", "cap", known)
    assert not is_typo("price", "prize", known)
    assert not is_typo("walks", "walk", known)
    assert not is_typo("xmpty", "empty", known)
    assert not is_typo("empt", "full", known)
    assert not is_typo("zzzz", "zzzy", known)
