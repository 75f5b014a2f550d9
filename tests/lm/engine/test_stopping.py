from hypothesis import given
from hypothesis import strategies as st

from counterpoise.lm.engine.stopping import StopWatch, cut_at_stop


def decode(tokens):
    """A token is one byte, as in the worst case."""
    return bytes(tokens).decode("utf-8", errors="replace")


def test_the_earliest_stop_wins():
    assert cut_at_stop("one two three", ["three", "two"]) == ("one ", True)
    assert cut_at_stop("one", ["two", ""]) == ("one", False)


@given(st.text("abé\n", max_size=30), st.lists(st.text("abé\n", max_size=4), max_size=3))
def test_a_stop_is_seen_with_its_last_byte(text, stops):
    watch = StopWatch(decode, stops)
    tokens = list(text.encode())
    seen = next((size for size in range(1, len(tokens) + 1) if watch.seen(tokens[:size])), None)
    first = next((size for size in range(1, len(tokens) + 1) if cut_at_stop(decode(tokens[:size]), stops)[1]), None)
    assert seen == first
