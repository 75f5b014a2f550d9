import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoise.customization.data.mixture import counted, cut, fill, in_parts, interleave, mix
from counterpoise.customization.examples import Example
from counterpoise.errors import DataError


def words(examples):
    return [len(example.completion.split()) for example in examples]


def texts(lengths):
    return [Example(f"q{number}", "w " * length, str(number)) for number, length in enumerate(lengths)]


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(1, 900), st.integers(0, 9))
def test_the_dose_is_met_within_half_an_example(lengths, dose, seed):
    chosen = fill(texts(lengths), dose, words, seed=seed)
    assert chosen
    if dose >= max(lengths):
        assert abs(sum(words(chosen)) - dose) <= max(lengths) / 2


@settings(deadline=None)
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


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(1, 900), st.integers(1, 900))
def test_a_smaller_dose_is_the_beginning_of_a_larger_one(lengths, one, other):
    pool = texts(lengths)
    small, large = (fill(pool, dose, words, seed=0) for dose in sorted((one, other)))
    assert large[: len(small)] == small


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=8),
    st.lists(st.integers(1, 40), min_size=1, max_size=8),
    st.floats(0, 0.95),
    st.integers(1, 600),
)
def test_two_streams_keep_their_share_at_every_place(first, second, share, dose):
    def stream(lengths, name):
        while True:
            yield from ((Example(name, "", name), length) for length in lengths)

    mixed = []
    for entry in interleave(stream(first, "first"), stream(second, "second"), share):
        mixed.append(entry)
        total = sum(tokens for _, tokens in mixed)
        seconds = sum(tokens for example, tokens in mixed if example.source == "second")
        assert abs(seconds - share * total) <= max(*first, *second)
        if total > dose:
            break


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), max_size=30), st.integers(1, 5))
def test_parts_are_consecutive_and_about_equal(lengths, parts):
    pool = texts(lengths)
    found = in_parts(pool, parts, words)
    assert [example for part in found for example in part] == pool
    assert len(found) == parts
    if lengths:
        for part in found:
            assert abs(sum(words(part)) - sum(lengths) / parts) <= max(lengths)


def test_a_stream_is_counted_as_it_is_used():
    asked = []

    def count(examples):
        asked.extend(examples)
        return words(examples)

    pool = texts([0, 3] * 500)
    assert cut(counted(iter(pool), count), 30) == pool[1:20:2]
    assert len(asked) < 100


def test_a_stream_without_loss_ends():
    def endless():
        while True:
            yield Example("q", "")

    with pytest.raises(DataError, match="no example has a token"):
        cut(counted(endless(), words), 10)


def test_a_dose_of_nothing_is_nothing():
    assert cut([(Example("q", "a"), 1)], 0) == []
    assert cut([], 10) == []
