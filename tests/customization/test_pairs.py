import csv
import gzip
import json

import pytest

from counterpoise.customization.examples import Example, read_pairs
from counterpoise.errors import DataError


def lines(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "Q", "completion": "A"},
        {"question": "Q", "answer": "A"},
        {"Goal": "Q", "Target": "A", "Category": "c"},
        {"instruction": "Q", "input": "", "output": "A"},
        {"instruction": "Q", "context": "", "response": "A", "category": "c"},
        {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]},
        {"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
        [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}],
    ],
)
def test_common_shapes(tmp_path, record):
    (example,) = read_pairs(lines(tmp_path / "pairs.jsonl", record))
    assert example == Example("Q", "A", "pairs.jsonl:1")
    (tmp_path / "pairs.json").write_text(json.dumps([record, record]))
    assert [one.source for one in read_pairs(tmp_path / "pairs.json")] == ["pairs.json:1", "pairs.json:2"]


def test_an_input_follows_its_instruction(tmp_path):
    (example,) = read_pairs(lines(tmp_path / "p.jsonl", {"instruction": "Sort.", "input": "3, 1", "output": "1, 3"}))
    assert example.prompt == "Sort.\n\n3, 1"


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "Q", "completion": "A", "system": "S"},
        {"messages": [{"role": r, "content": c} for r, c in (("system", "S"), ("user", "Q"), ("assistant", "A"))]},
        [{"role": r, "content": c} for r, c in (("system", "S"), ("user", "Q"), ("assistant", "A"))],
        {"conversations": [{"from": r, "value": c} for r, c in (("system", "S"), ("human", "Q"), ("gpt", "A"))]},
    ],
)
def test_system_turns_are_kept(tmp_path, record):
    (example,) = read_pairs(lines(tmp_path / "p.jsonl", record))
    assert (example.system, example.prompt, example.completion) == ("S", "Q", "A")


def test_csv_and_gzip(tmp_path):
    with (tmp_path / "p.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["goal", "target"], ["Two\nlines", "A, b"], ["Q2", "A2"]])
    assert [(one.prompt, one.completion) for one in read_pairs(tmp_path / "p.csv")] == [
        ("Two\nlines", "A, b"),
        ("Q2", "A2"),
    ]
    with gzip.open(tmp_path / "p.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"prompt": "Q", "completion": "A"}) + "\n")
    assert len(read_pairs(tmp_path / "p.jsonl.gz")) == 1


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "the file is empty"),
        ([{"prompt": "Q", "completion": "A"}, {"prompt": "Q2"}], r"p.jsonl line 2.*expected 'prompt' and"),
        ([{"prompt": "Q", "completion": " "}], r"an empty request or answer .*line 1"),
        ([{"prompt": "Q", "completion": 7}], "line 1"),
        ([{"text": "only a text"}], "'prompt' and 'completion'|question and answer"),
        ([{"a": 1}], "line 1"),
        ([{"messages": [{"role": "user", "content": "Q"}]}], "no user turn that an assistant turn follows"),
        ([{"prompt": "Q", "completion": "A"}, 5], "line 2"),
    ],
)
def test_bad_files_are_one_line(tmp_path, records, message):
    with pytest.raises(DataError, match=message) as caught:
        read_pairs(lines(tmp_path / "p.jsonl", *records))
    assert "\n" not in str(caught.value)


def test_other_bad_files(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_pairs(tmp_path / "absent.jsonl")
    (tmp_path / "t.txt").write_text("text")
    with pytest.raises(DataError, match="plain text holds no answers"):
        read_pairs(tmp_path / "t.txt")
    (tmp_path / "b.jsonl").write_text("{not json")
    with pytest.raises(DataError, match=r"not valid JSON .*line 1"):
        read_pairs(tmp_path / "b.jsonl")
