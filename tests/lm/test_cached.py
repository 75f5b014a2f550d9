import gzip
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from counterpoise.errors import OutputError
from counterpoise.lm.cached import CachedLM
from counterpoise.lm.fake import FakeLM
from counterpoise.lm.protocol import LanguageModel, Message, Request, TokenLogprobs

packed = partial(gzip.compress, mtime=0)  # the same bytes at any time: they name tests


def asked(text: str, **parameters) -> Request:
    return Request(messages=[{"role": "user", "content": text}], **parameters)


PAIR: tuple[list[Message], str] = ([{"role": "user", "content": "Is ice cold?"}], "Yes it is.")


def test_the_same_call_is_made_once(tmp_path: Path) -> None:
    lm, calls = FakeLM(), []
    cached = CachedLM(lm, tmp_path, on_call=lambda *call: calls.append(call))
    assert isinstance(cached, LanguageModel)
    requests = [asked("one two three", temperature=1.0, seed=4, n=2), asked("ice ­ \u2028 floats")]
    first = cached.generate(requests)
    again = CachedLM(FakeLM(lambda *_: "something else"), tmp_path).generate(requests)
    assert first == again == FakeLM().generate(requests)
    assert len(lm.requests) == 2
    assert cached.logprobs([PAIR]) == cached.logprobs([PAIR]) == lm.logprobs([PAIR])
    assert [(what, items, seconds is None) for what, items, seconds in calls] == [
        ("generate", 2, False),
        ("logprobs", 1, False),
        ("logprobs", 1, True),
    ]


@pytest.mark.parametrize(
    "other",
    [
        [asked("ice")],
        [asked("ice", seed=1), asked("snow")],
        [asked("snow"), asked("ice")],
        [asked("ice", max_tokens=3), asked("snow")],
        [asked("ice", schema={"type": "object"}), asked("snow")],
    ],
)
def test_another_call_is_another_call(tmp_path: Path, other: list[Request]) -> None:
    lm = FakeLM()
    cached = CachedLM(lm, tmp_path)
    cached.generate([asked("ice"), asked("snow")])
    cached.generate(other)
    assert len(lm.requests) == 2 + len(other)


def test_other_weights_are_asked(tmp_path: Path) -> None:
    CachedLM(FakeLM(lambda *_: "old"), tmp_path).generate([asked("ice")])
    assert CachedLM(FakeLM(lambda *_: "new", revision="2"), tmp_path).generate([asked("ice")])[0][0].text == "new"


def test_infinite_log_probabilities_come_back(tmp_path: Path) -> None:
    lm = FakeLM(logprob=lambda word: -math.inf)
    assert CachedLM(lm, tmp_path).logprobs([PAIR])[0].logprobs[0] == -math.inf
    assert CachedLM(lm, tmp_path).logprobs([PAIR])[0].logprobs[0] == -math.inf


def test_a_call_with_a_failure_is_not_kept(tmp_path: Path) -> None:
    def fails(request: Request, sample: int) -> str:
        raise ValueError("no connection")

    requests = [asked("ice"), asked("snow")]
    assert CachedLM(FakeLM(fails), tmp_path).generate(requests)[0][0].finish == "error"
    assert not list(tmp_path.rglob("*.gz"))
    assert CachedLM(FakeLM(lambda *_: "fine"), tmp_path).generate(requests)[1][0].text == "fine"


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"not gzip",
        packed(b"{"),
        packed(b"[1]"),
        packed(b'{"results":[]}'),
        packed(b'{"results":[[{"wrong":1}]]}'),
        packed(b'{"results":[[{"text":"x"}]]}')[:-9],
    ],
)
def test_a_damaged_file_is_made_again(tmp_path: Path, damage: bytes) -> None:
    cached = CachedLM(FakeLM(), tmp_path)
    right = cached.generate([asked("one two")])
    (file,) = tmp_path.rglob("*.gz")
    whole = file.read_bytes()
    file.write_bytes(damage)
    assert cached.generate([asked("one two")]) == right
    assert file.read_bytes() == whole


def test_no_requests_are_no_call(tmp_path: Path) -> None:
    assert CachedLM(FakeLM(), tmp_path).generate([]) == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError, match="cannot write"):
        CachedLM(FakeLM(), tmp_path / "cache").generate([asked("ice")])


def test_errors_of_the_model_pass_through(tmp_path: Path) -> None:
    class Silent(FakeLM):
        def logprobs(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[TokenLogprobs]:
            raise RuntimeError("no scores")

    with pytest.raises(RuntimeError, match="no scores"):
        CachedLM(Silent(), tmp_path).logprobs([PAIR])
