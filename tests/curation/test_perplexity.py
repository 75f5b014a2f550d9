import math
from collections.abc import Sequence

import pytest

from counterpoise.curation.perplexity import perplexity
from counterpoise.errors import DataError
from counterpoise.lm.fake import FakeLM
from counterpoise.lm.protocol import Message, TokenLogprobs


def test_is_the_exponential_of_the_mean_negative_log_probability() -> None:
    lm = FakeLM(logprob={"a": math.log(1 / 2), "b": math.log(1 / 8)}.__getitem__)
    assert perplexity(lm, [("q", "a"), ("q", "a b"), ("q", "b b")]) == pytest.approx([2.0, 4.0, 8.0])


def test_a_uniform_model_has_the_perplexity_of_its_vocabulary() -> None:
    lm = FakeLM(logprob=lambda word: -math.log(100))
    assert perplexity(lm, [("q", "any words at all")]) == pytest.approx([100.0])


def test_undefined_and_infinite_values_keep_their_place() -> None:
    lm = FakeLM(logprob=lambda word: {"never": -math.inf, "odd": math.nan, "far": -1e6}.get(word, 0.0))
    values = perplexity(lm, [("q", ""), ("q", "sure"), ("q", " \n"), ("q", "never"), ("q", "odd"), ("q", "far")])
    assert values == [None, 1.0, None, math.inf, math.inf, math.inf]
    assert perplexity(lm, []) == []


class Recorder(FakeLM):
    """Remembers the pairs of each call, and refuses texts of more than three words."""

    def __init__(self) -> None:
        super().__init__(logprob=lambda word: -1.0)
        self.calls: list[list[tuple[list[Message], str]]] = []

    def logprobs(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[TokenLogprobs]:
        self.calls.append([(list(messages), text) for messages, text in pairs])
        if any(len(text.split()) > 3 for _, text in pairs):
            raise DataError("too long")
        return super().logprobs(pairs)


def test_the_question_is_a_user_turn_and_all_items_are_one_batch() -> None:
    lm = Recorder()
    perplexity(lm, [("Why?", "one"), ("How?", "two"), ("Who?", "")])
    assert lm.calls == [
        [([{"role": "user", "content": "Why?"}], "one"), ([{"role": "user", "content": "How?"}], "two")],
    ]


def test_a_text_that_is_too_long_does_not_take_the_others_down() -> None:
    values = perplexity(Recorder(), [("q", "a"), ("q", "a b c d e"), ("q", "a b"), ("q", "c")])
    assert values == pytest.approx([math.e, None, math.e, math.e])
