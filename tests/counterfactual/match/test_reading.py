"""What a text claims: words, negations, numbers, and one order for what can be told in several."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.match.reading import lexicon, read, same_quantity, stem
from counterpoise.counterfactual.match.reading.quantities import find_quantities
from counterpoise.counterfactual.match.reading.stemming import phrase_key, word_lines
from counterpoise.counterfactual.match.reading.tokenise import tokenise


def quantities(text):
    return [found.quantity for found in find_quantities(tokenise(text))]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("three", 3),
        ("twenty-one", 21),
        ("two hundred and five", 205),
        ("one hundred thousand", 100_000),
        ("1,200.5", Fraction(2401, 2)),
        ("-5", -5),
        ("minus five", -5),
        ("2/3", Fraction(2, 3)),
        ("two thirds", Fraction(2, 3)),
        ("a quarter", Fraction(1, 4)),
        ("half", Fraction(1, 2)),
        ("3 1/2", Fraction(7, 2)),
        ("three and a half", Fraction(7, 2)),
        ("2½", Fraction(5, 2)),
        ("50 %", Fraction(1, 2)),
        ("fifty per cent", Fraction(1, 2)),
        ("one in four", Fraction(1, 4)),
        ("a dozen", 12),
        ("a score", 20),
        ("a pair of", 2),
        ("twice", 2),
        ("the third", 3),
        ("21st", 21),
        ("the twenty-first", 21),
        ("round 3", 3),
    ],
)
def test_numbers_are_read_however_they_are_written(text, value):
    (found,) = quantities(text)
    assert found.value == value


@pytest.mark.parametrize(
    "text", ["", "no one", "the other one", "anyone", "a sentence", "9" * 50, "٣", "x", "half-hearted"[5:], "score"]
)
def test_what_is_no_number_is_not_read_as_one(text):
    assert quantities(text) == []


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("1.5 km", "1,500 metres", True),
        ("90 minutes", "an hour and a half", True),
        ("90 minutes", "an hour and 90 minutes", False),
        ("a week", "7 days", True),
        ("12 months", "a year", True),
        ("5 kg", "5000 g", True),
        ("5 kg", "5 km", False),
        ("$5", "5 dollars", True),
        ("50 cents", "half a dollar", False),
        ("half past five", "5:30", True),
        ("17:30", "5:30 pm", True),
        ("17:30", "5:30 am", False),
        ("36 km/h", "36 kilometres per hour", True),
        ("at least 20", "not fewer than 20", True),
        ("at least 20", "more than 20", False),
        ("fewer than 9", "at most 8", True),
        ("more than 1.5 km", "at least 1.5 km", False),
        ("just 9", "9", True),
        ("almost 20", "20", False),
        ("20 or more", "at least 20", True),
        ("2/3", "0.67", False),
        ("0.25", "a quarter", True),
        ("round 3", "3 rounds", False),
        ("first", "number one", True),
        ("40 years old", "forty", True),
        ("20 °C", "20 degrees celsius", True),
        ("20 °C", "20 °F", False),
    ],
)
def test_quantities_are_compared_exactly(first, second, same):
    (one,), (other,) = quantities(first), quantities(second)
    assert same_quantity(one, other) is same
    assert same_quantity(other, one) is same


@pytest.mark.parametrize(
    "alike",
    [
        ("The dog chased the cat", "the cat was chased by the dog", "it was the cat that the dog chased"),
        ("Tom is older than Ann", "Ann is younger than Tom"),
        ("Ann sold the bike to Ben", "Ben bought the bike from Ann", "Ann sold Ben the bike"),
        ("if it rains, the match is off", "the match is off if it rains"),
        ("x < y", "y > x"),
        ("the cup is above the plate", "the plate is below the cup"),
        ("Ben fears Ann", "Ann frightens Ben"),
    ],
)
def test_one_order_for_what_can_be_told_in_several(alike):
    orders = {tuple(word.key for word in read(text).words) for text in alike}
    assert len(orders) == 1, orders


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("not able to walk", {"able", "walk"}),
        ("unable to walk", {"unable", "walk"}),
        ("the unlocked door opened", {"unlocked"}),
        ("no lights are on", {"lights", "on"}),
        ("it did not rain, so the ground is dry", {"rain"}),
        ("failed to arrive", {"arrive"}),
        ("no longer open", {"open"}),
        ("not unlocked", set()),
        ("it is not true that it did not arrive", set()),
        ("the uncle is here", set()),
        ("without a hat", {"hat"}),
    ],
)
def test_negations_bear_on_the_words_they_reach(text, negated):
    assert {word.text for word in read(text).content if word.negated} == negated


def test_claims_beside_the_words():
    assert read("not all lights are on").quantifiers == {"not all"}
    assert read("sometimes it is not").quantifiers == {"not all"}
    assert read("none of them").quantifiers == {"all"}
    assert read("it might be open").hedges == {"possible"}
    assert read("slightly open").degrees == {"slightly"}
    assert read("none").quantities[0].value == 0
    assert read("price of the ticket").head == ("pric",)
    assert read("a" * 700).words == ()


def test_forms_of_a_word_share_a_stem():
    for forms in (
        ("close", "closes", "closed", "closing"),
        ("break", "breaks", "broke", "broken", "breaking"),
        ("stop", "stopped", "stopping"),
        ("city", "cities"),
        ("child", "children"),
        ("colour", "color", "colours"),
        ("organise", "organized", "organising"),
        ("travelled", "traveled"),
    ):
        assert len({stem(form) for form in forms}) == 1, forms
    for one, other in (("hard", "hardly"), ("number", "numb"), ("nothing", "noth"), ("bus", "bu"), ("price", "prize")):
        assert stem(one) != stem(other)


def test_the_word_lists_do_not_contradict_each_other():
    words = lexicon()
    for line in word_lines("opposites"):
        if line.startswith("["):
            continue
        left, right = ([phrase.strip() for phrase in side.split(",")] for side in line.split("|"))
        for one in left:
            for other in right:
                relation = words.relation(phrase_key(one), phrase_key(other))
                assert relation in ("complement", "contrary"), (one, other, relation)
                assert relation == words.relation(phrase_key(other), phrase_key(one))
    for line in word_lines("classes"):
        items = [item.split("/") for item in line.split(":", 1)[1].split(",")]
        for place, item in enumerate(items):
            for earlier in items[:place]:
                relation = words.relation(phrase_key(item[0]), phrase_key(earlier[0]))
                assert relation not in ("same", "derived"), (item[0], earlier[0])


@pytest.mark.parametrize("name", ["synonyms", "opposites", "classes", "converses", "families"])
def test_every_line_of_a_word_list_relates_something(name):
    marks = {"synonyms": ",", "opposites": "|", "classes": ":", "converses": "|", "families": " "}
    for line in word_lines(name):
        assert line.startswith("[") or (marks[name] in line and all(part.strip() for part in line.split(marks[name])))


@given(st.text(max_size=80))
def test_reading_never_raises(text):
    found = read(text)
    assert found == read(text)
    assert len(found.words) <= 120
