import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.customization.examples import Example
from counterpoise.customization.mixture import fill, mix
from counterpoise.errors import DataError


def words(examples):
    return [len(example.completion.split()) for example in examples]


def texts(lengths):
    return [Example(f"q{number}", "w " * length, str(number)) for number, length in enumerate(lengths)]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(1, 900), st.integers(0, 9))
def test_the_dose_is_met_within_half_an_example(lengths, dose, seed):
    chosen = fill(texts(lengths), dose, words, seed=seed)
    assert chosen
    if dose >= max(lengths):
        assert abs(sum(words(chosen)) - dose) <= max(lengths) / 2


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(1, 900))
def test_no_text_is_used_twice_more_than_another(lengths, dose):
    chosen = [example.source for example in fill(texts(lengths), dose, words, seed=0)]
    counts = [chosen.count(str(number)) for number in range(len(lengths))]
    assert max(counts) - min(counts) <= 1


def test_a_small_dose_cuts_and_a_large_one_cycles():
    pool = texts([10] * 6)
    assert len(fill(pool, 20, words, seed=0)) == 2
    assert len(fill(pool, 600, words, seed=0)) == 60


def test_texts_without_loss_are_left_out():
    assert {example.source for example in fill(texts([0, 5]), 50, words, seed=0)} == {"1"}
    with pytest.raises(DataError, match="no example has a token"):
        fill(texts([0, 0]), 50, words, seed=0)
    with pytest.raises(DataError, match="no examples"):
        fill([], 50, words, seed=0)


def test_mix_keeps_everything_in_a_seeded_order():
    first, second = texts([1] * 8), texts([2] * 8)
    mixed = mix([first, second], seed=0)
    assert sorted(map(repr, mixed)) == sorted(map(repr, first + second))
    assert mixed == mix([first, second], seed=0) != mix([first, second], seed=1)
    assert mixed != first + second
