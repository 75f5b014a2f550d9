import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.match.edit import edit_counts

WORDS = st.lists(st.sampled_from("the lamp door is on off red, not.".split()), max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_the_gold_text_has_every_change_and_no_other(original: str, gold: str) -> None:
    found, invented, missed = edit_counts(original, gold, gold)
    assert invented == missed == 0
    assert bool(found) == (original.split() != gold.split())


@given(WORDS, WORDS)
def test_a_copy_finds_nothing_and_invents_nothing(original: str, gold: str) -> None:
    found, invented, missed = edit_counts(original, gold, original)
    assert found == invented == 0
    assert missed == edit_counts(original, gold, gold)[0]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("The lamp  is off", (2, 0, 0)),  # case and white space are no change
        ("the lamp is red", (1, 1, 1)),
        ("", (1, 3, 1)),  # "on" is out, and so are the other three
    ],
)
def test_changes_are_counted_word_by_word(text: str, counts: tuple[int, int, int]) -> None:
    assert edit_counts("the lamp is on", "the lamp is off", text) == counts


def test_a_flood_of_words_is_cut() -> None:
    found, invented, missed = edit_counts("a b", "a c", "x " * 100_000)
    assert (found, missed) == (1, 1)
    assert invented <= 2001
