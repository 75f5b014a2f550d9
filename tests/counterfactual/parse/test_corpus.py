"""More than ten thousand completions through every parser: real ones of a small model, and what becomes of them.

``corpus.jsonl`` holds completions as models wrote them (``stage``, ``case``, ``text``); each is damaged in many ways,
always the same ones.
"""

import json
import re
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.parse import parse
from counterpoise.counterfactual.score import score
from counterpoise.records import read_jsonl
from counterpoise.rng import rng_for

CORPUS = read_jsonl(Path(__file__).parent / "corpus.jsonl")
TEXTS = [line["text"] for line in CORPUS]
LEAST = 10_000
MOST_CHARS = 60_000
"""No answer is longer than this as JSON, whatever the completion: 64 items of three texts of 400 characters at most."""
OWN = ["the crank", "The Crank", "sluice", "value", "answer", "★", "", "lock"]
MARKS = "\u202e\u202d\u200f\u200e\u2066\u2069\ufeff\u200b\u2028\u0085"
KEYS = [
    "edges",
    "variables",
    "values",
    "answer",
    "intervention",
    "name",
    "role",
    "cause",
    "effect",
    "value",
    "variable",
]


def at(rng: Random, text: str) -> int:
    return rng.randint(0, len(text))


def insert(rng: Random, text: str, what: str) -> str:
    place = at(rng, text)
    return text[:place] + what + text[place:]


def part(rng: Random, text: str) -> str:
    start, end = sorted((at(rng, text), at(rng, text)))
    return text[start:end]


def renamed(rng: Random, text: str) -> str:
    keys = re.findall(r'"([A-Za-z_ ]{1,20})"\s*:', text) or KEYS
    return text.replace(rng.choice(keys), rng.choice([*KEYS, "", "Final Answer", "to", "from", "reasoning"]))


def dropped(rng: Random, text: str, what: str) -> str:
    places = [index for index, character in enumerate(text) if character in what]
    if not places:
        return text
    place = rng.choice(places)
    return text[:place] + text[place + 1 :]


def nested(rng: Random, text: str) -> str:
    depth, (opening, closing) = (
        rng.choice([1, 3, 30, 900]),
        rng.choice([("[", "]"), ('{"a":', "}"), ('{"answer":', "}")]),
    )
    return opening * depth + text + closing * rng.choice([depth, depth - 1, 0])


def lengthened(rng: Random, text: str) -> str:
    return (text or "x") * (100_000 // max(1, len(text)))


DAMAGE = {
    "cut": lambda rng, text: text[: at(rng, text)],
    "headless": lambda rng, text: text[at(rng, text) :],
    "repeated": lambda rng, text: text + rng.choice(["", "\n", " "]) + text,
    "part repeated": lambda rng, text: insert(rng, text, part(rng, text)),
    "spliced": lambda rng, text: text[: at(rng, text)] + part(rng, rng.choice(TEXTS)),
    "followed": lambda rng, text: text + "\n" + rng.choice(TEXTS),
    "single quotes": lambda rng, text: text.replace('"', "'"),
    "curly quotes": lambda rng, text: re.sub(r'"([^"]*)"', r"“\1”", text),
    "mixed quotes": lambda rng, text: "".join(rng.choice("\"'`“”") if c == '"' else c for c in text),
    "no bracket": lambda rng, text: dropped(rng, text, "{}[]"),
    "no quote": lambda rng, text: dropped(rng, text, "\"'"),
    "no colon": lambda rng, text: dropped(rng, text, ":"),
    "other key": renamed,
    "other keys": lambda rng, text: renamed(rng, renamed(rng, text)),
    "trailing commas": lambda rng, text: re.sub(r"([}\]])", r",\1", text),
    "nested": nested,
    "huge number": lambda rng, text: insert(
        rng, text, rng.choice(["9" * 5000, "1e999", "-Infinity", "0." + "1" * 400])
    ),
    "number for text": lambda rng, text: re.sub(r'"[^"]{1,20}"', str(rng.randint(-9, 9)), text, count=2),
    "null for text": lambda rng, text: re.sub(r'"[^"]{1,20}"', rng.choice(["null", "true", "[]", "{}"]), text, count=2),
    "control": lambda rng, text: insert(rng, text, rng.choice(["\x00", "\x1b[31m", "\x7f", "\r", "\x0b", "\x1c"])),
    "surrogate": lambda rng, text: insert(
        rng, text, rng.choice(["\ud800", "\udfff", "\udc00\ud83d", "\\ud800", "\\udfff"])
    ),
    "mark": lambda rng, text: insert(rng, text, rng.choice(MARKS)),
    "backslash": lambda rng, text: insert(rng, text, rng.choice(["\\", "\\u", "\\u12", "\\\\"])),
    "fenced": lambda rng, text: "```json\n" + text + rng.choice(["\n```", ""]),
    "thought": lambda rng, text: insert(rng, insert(rng, text, "</think>"), "<think>"),
    "answered": lambda rng, text: (
        text + rng.choice(["\nFinal answer: ", "\nAnswer: (", "\n#### "]) + rng.choice("ABCDI12")
    ),
    "arrows": lambda rng, text: text.replace(",", rng.choice([" -> ", "→", "=>"])),
    "upper case": lambda rng, text: text.upper(),
    "shuffled lines": lambda rng, text: "\n".join(rng.sample(text.split("\n"), len(text.split("\n")))),
    "one line": lambda rng, text: " ".join(text.split()),
    "placeholder": lambda rng, text: re.sub(r'"[^"]{1,20}"', '"<value>"', text),
}


@pytest.fixture(scope="module")
def asked(hand, apples, word):
    """Cases by stage, all kinds of answer among them."""
    cases = [*hand.values(), apples, word]
    return {stage: [case for case in cases if stage in case.stages] for stage in Stage}


def check(case, stage, text, names=None):
    parsed = parse(case, stage, text, names=names)
    assert parsed.status in ("ok", "parse_failed")
    assert (parsed.answer is None) is (parsed.status == "parse_failed")
    assert parsed.status == "ok" or (parsed.reason and "\n" not in parsed.reason[:20])
    assert len(parsed.reason or "") < 400
    stored = json.dumps(parsed.answer, ensure_ascii=False, allow_nan=False)
    assert len(stored) <= MOST_CHARS
    assert json.loads(stored.encode()) == parsed.answer
    return parsed


def damaged():
    """Stage and text of every completion: the corpus, and each text with one to three damages."""
    yield from ((Stage(line["stage"]), line["text"]) for line in CORPUS)
    names = list(DAMAGE)
    for index in range(LEAST):
        rng = rng_for(0, "damage", index)
        line = CORPUS[index % len(CORPUS)]
        text = line["text"]
        for _ in range(rng.choice([1, 1, 2, 3])):
            text = DAMAGE[rng.choice(names)](rng, text)
        # Most are asked what the model was asked, the others anything.
        yield Stage(line["stage"]) if rng.random() < 0.7 else rng.choice(list(Stage)), text


def test_the_corpus_is_of_every_stage():
    assert {line["stage"] for line in CORPUS} == set(map(str, Stage))
    assert all(set(line) == {"stage", "case", "text"} for line in CORPUS)


def test_ten_thousand_damaged_completions_are_read_or_refused(asked):
    start = time.perf_counter()
    count, read = 0, 0
    for index, (stage, text) in enumerate(damaged()):
        cases = asked[stage]
        case = cases[index % len(cases)]
        parsed = check(case, stage, text, names=None if index % 3 else OWN)
        if index % 7 == 0:
            assert parse(case, stage, text, names=None if index % 3 else OWN) == parsed
            assert score(case, stage, parsed).score is not None
        count += 1
        read += parsed.status == "ok"
    assert count >= LEAST
    # Neither everything is swallowed nor everything refused.
    assert 0.2 < read / count < 0.9
    assert time.perf_counter() - start < 60


@pytest.mark.parametrize("damage", DAMAGE)
def test_each_damage_changes_something(damage):
    changed = sum(DAMAGE[damage](rng_for(0, damage, i), text) != text for i, text in enumerate(TEXTS))
    assert changed > len(TEXTS) / 10


@pytest.mark.parametrize("stage", list(Stage))
def test_completions_of_100_kilobytes_are_read_quickly(asked, stage):
    for index, text in enumerate(TEXTS[:: max(1, len(TEXTS) // 12)]):
        rng = rng_for(0, "long", index)
        for long in (lengthened(rng, text), lengthened(rng, DAMAGE["no bracket"](rng, text))):
            assert len(long) > 90_000
            for case in asked[stage]:
                start = time.perf_counter()
                check(case, stage, long)
                assert time.perf_counter() - start < 2.0


@pytest.mark.parametrize(
    "line", CORPUS[:: max(1, len(CORPUS) // 20)], ids=lambda line: f"{line['stage']}-{line['case']}"
)
def test_white_space_around_a_completion_means_nothing(asked, line):
    stage = Stage(line["stage"])
    for case in asked[stage]:
        assert parse(case, stage, f"\n  {line['text']} \n\n").answer == parse(case, stage, line["text"]).answer


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["lever", "B", "24"])
)
ANSWERS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=16,
)


@settings(max_examples=300, deadline=None)
@given(st.data(), ANSWERS, st.sampled_from(list(Stage)))
def test_any_json_of_known_keys_is_read_or_refused(asked, data, value, stage):
    case = data.draw(st.sampled_from(asked[stage]), label="case")
    names = data.draw(st.none() | st.lists(st.text(max_size=8), max_size=4), label="names")
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans(), label="ascii"))
    cut = data.draw(st.integers(0, len(text)), label="cut")
    for written in (text, text[:cut], f"So: {text}"):
        score(case, stage, check(case, stage, written, names))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CORPUS), st.lists(st.tuples(st.sampled_from(sorted(DAMAGE)), st.integers(0, 10**6)), max_size=6))
def test_any_sequence_of_damages_is_survived(asked, line, damages):
    text = line["text"]
    for name, seed in damages:
        text = DAMAGE[name](rng_for(seed, name), text)[:20_000]
    for case in asked[Stage(line["stage"])]:
        check(case, Stage(line["stage"]), text)
