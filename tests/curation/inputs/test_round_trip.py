"""Texts that are written in any shape and format are read as they were."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterpoise.curation.inputs import open_texts

# No surrogates and no NUL: such texts get a problem.
STRINGS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30).filter(
    str.strip
)


def plain(pair: tuple[str, str]) -> tuple[str, ...]:
    return tuple(" ".join(text.casefold().split()) for text in pair)


PAIRS = st.lists(st.tuples(STRINGS, STRINGS), min_size=1, max_size=5, unique_by=plain)


def turns(question: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


SHAPES: dict[str, Callable[[str, str], Any]] = {
    "question": lambda question, answer: {"id": None, "question": question, "answer": answer},
    "prompt": lambda question, answer: {"prompt": question, "completion": answer},
    "instruction": lambda question, answer: {"instruction": question, "input": "", "output": answer},
    "query": lambda question, answer: {"n": 1, "Query": question, "Response": answer},
    "messages": lambda question, answer: {"messages": turns(question, answer)},
    "list": turns,
    "conversations": lambda question, answer: {
        "conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    },
    "turns": lambda question, answer: {
        "prompt": turns(question, answer)[:1],
        "completion": turns(question, answer)[1:],
    },
    "stem": lambda question, answer: {
        "question": {"stem": question, "choices": [{"label": "B", "text": "?"}, {"label": "A", "text": answer}]},
        "answerKey": "A",
    },
    "choices": lambda question, answer: {"question": question, "choices": ["?", answer], "answer": 1},
}


def as_csv(records: list[dict[str, Any]]) -> str:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(records[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue()


FORMATS: dict[str, Callable[[list[Any]], str]] = {
    ".jsonl": lambda records: "\n".join(json.dumps(record, ensure_ascii=False) for record in records),
    ".json": lambda records: json.dumps(records, indent=1),
    "-object.json": lambda records: json.dumps({"version": 1, "data": records}),
    ".csv": as_csv,
}
FLAT = ("question", "prompt", "instruction", "query")


@pytest.mark.parametrize(
    ("shape", "suffix"),
    [(shape, suffix) for shape in SHAPES for suffix in FORMATS if suffix != ".csv" or shape in FLAT],
)
@given(pairs=PAIRS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_texts_come_back(tmp_path: Path, shape: str, suffix: str, pairs: list[tuple[str, str]]) -> None:
    path = tmp_path / f"in{suffix}"
    path.write_bytes(FORMATS[suffix]([SHAPES[shape](*pair) for pair in pairs]).encode())
    texts = open_texts(path)
    assert [(text.question, text.answer) for text in texts] == [
        (question.strip(), answer.strip()) for question, answer in pairs
    ]
    assert texts.report.usable == len(pairs)
