from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.match import (
    EXACT,
    NORMALISED,
    Matcher,
    Pair,
    assign,
    normalise,
    number,
    same,
    same_value,
    without_subject,
)


def chest(text):
    return Pair("name", "treasure chest", text, aliases=("state of the chest",))


@pytest.mark.parametrize(
    "text",
    [
        "treasure chest",
        "The Treasure Chest",
        "treasure-chest",
        "treasure_chest",
        "treasure chests.",
        '"Treasure chest"',
        "state of the chest",
        "State of chest",
        "the state of the chests",
    ],
)
def test_names_match_whatever_their_spelling(text):
    assert NORMALISED.match([chest(text)]) == [1.0]


@pytest.mark.parametrize(
    "text", ["", "chest", "treasure", "no treasure chest", "treasure chest lid", "not treasure chest"]
)
def test_other_names_do_not_match(text):
    assert NORMALISED.match([chest(text)]) == [0.0]


def test_exact_names_are_compared_by_character():
    texts = ["treasure chest", "state of the chest", "Treasure chest"]
    assert EXACT.match([chest(text) for text in texts]) == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("gold", "text"),
    [
        ("open", "not open"),
        ("open", "isn't open"),
        ("open", "unopen"),
        ("open", "un-open"),
        ("open", "would not have been open"),
        ("open", "never open"),
        ("open", "no longer open"),
        ("open", "!open"),
        ("open", "¬open"),
        ("smoker", "non-smoker"),
        ("able", "unable"),
        ("5", "-5"),
        ("x - 1", "x + 1"),
        ("x-1", "x 1"),
        ("determined", "undetermined"),
        ("2 > 1", "2 < 1"),
        ("50", "50%"),
    ],
)
def test_a_change_of_meaning_is_never_normalised_away(gold, text):
    assert not same_value(gold, text, "label")
    assert not same_value(text, gold, "label")


@pytest.mark.parametrize(
    ("gold", "text"),
    [
        ("not open", "isn't open"),
        ("not open", "Not open."),
        ("not open", "would not have been open"),
        ("not open", "is not open"),
        ("open", "would be open"),
        ("open", "was Open"),
        ("a fine", "the fine"),
        ("undetermined", "cannot be determined"),
        ("undetermined", "Undetermined."),
        ("12", "12.0"),
        ("1200", "1,200"),
        ("0.5", "1/2"),
        ("-3", "−3"),
    ],
)
def test_the_same_value_in_another_spelling_matches(gold, text):
    assert same_value(gold, text, "label")


def test_numerals_are_compared_digit_for_digit():
    assert same_value("1e2", "1E2", "numeral")
    assert not same_value("1E2", "100", "numeral")
    assert not same_value("10", "10.0", "numeral")
    assert not same_value("101", "0101", "numeral")
    assert same_value("EC", "ec", "numeral")


@pytest.mark.parametrize(
    "text", ["", "abc", "1E2", "1_000", "12 apples", "1/0", "--1", "1,2", ".", "-", "9" * 5000, "٣a"]
)
def test_what_is_not_a_plain_number_has_no_value(text):
    assert number(text) is None


@given(st.fractions(max_denominator=10**6, min_value=-(10**9), max_value=10**9))
def test_fractions_are_read_exactly(value):
    assert number(f"{value.numerator}/{value.denominator}") == value


@given(st.integers(-(10**15), 10**15), st.integers(0, 10**6 - 1))
def test_decimals_are_read_exactly(whole, part):
    value = Fraction(abs(whole)) + Fraction(part, 10**6)
    assert number(f"{abs(whole)}.{part:06d}") == value
    assert number(f"-{abs(whole):,}.{part:06d}") == -value


@given(st.text(max_size=60))
def test_normalising_is_total_and_keeps_letters_and_digits(text):
    spelling = normalise(text)
    assert bool(spelling) or not any(c.isascii() and c.isalnum() for c in text)
    assert same_value(text, text, "label")


@given(st.text(alphabet="abc dnotis'-!", min_size=1, max_size=20))
def test_a_negated_text_never_equals_the_plain_one(text):
    if normalise(text):
        assert normalise("not " + text) != normalise(text)


def test_values_may_be_said_with_the_name_of_their_variable():
    pairs = [
        Pair("value", "gone", text, about=("boat", "where the boat is"))
        for text in ("The boat would be gone.", "where the boat is: gone", "the boat isn't gone", "boathouse gone")
    ]
    assert same(NORMALISED, pairs) == [True, True, False, False]
    assert isinstance(NORMALISED, Matcher)


def test_the_assignment_is_the_best_over_all_pairs():
    # Greedy by row would give (0, 0) and leave row 1 without a partner.
    assert assign([[1.0, 0.9], [1.0, 0.0]]) == [(0, 1), (1, 0)]
    assert assign([]) == []
    assert assign([[]]) == []
    assert assign([[0.0, 0.0]]) == []


def test_the_name_of_a_variable_is_cut_off_at_the_start_only():
    boat = ["boat"]
    assert without_subject(boat, "The boat would be gone.") == "gone"
    assert without_subject(boat, "the boat isn't gone") == "not gone"
    assert without_subject(boat, "boat") == "boat"
    assert without_subject(boat, "boathouse gone") == "boathouse gone"
