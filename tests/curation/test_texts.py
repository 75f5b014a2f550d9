import json
from pathlib import Path

import pytest

from counterpoise.curation.texts import read_texts
from counterpoise.errors import DataError


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "in.jsonl"


@pytest.mark.parametrize(
    ("entry", "question"),
    [
        ({"question": "Why?", "answer": "So."}, "Why?"),
        ({"prompt": " Why? ", "completion": "So.", "other": 1}, "Why?"),
        ({"instruction": "Why?", "output": "So."}, "Why?"),
        ({"instruction": "Why?", "input": "", "output": "So."}, "Why?"),
        ({"instruction": "Why?", "input": "It is.", "output": "So."}, "Why?\n\nIt is."),
        ({"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}, "Why?"),
    ],
)
def test_every_shape_is_read(file: Path, entry: dict[str, object], question: str) -> None:
    text = read_texts(written(file, entry))[0]
    assert (text.question, text.answer, text.problem) == (question, "So.", None)


def test_ids_are_given_or_follow_from_the_content(file: Path) -> None:
    pair = {"question": "Why?", "answer": "So."}
    first, second, third = read_texts(written(file, pair, {**pair, "id": 7}, {**pair, "answer": "No.", "id": "seven"}))
    assert (second.id, third.id) == ("7", "seven")
    assert read_texts(written(file, "", {**pair, "answer": "So. "}))[0].id == first.id


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{broken", "not valid JSON .*line 2"),
        ("[1]", "a list .*line 2"),
        ({"question": "Why?"}, "no question with an answer .*line 2.*expected question and answer, prompt"),
        ({"question": "Why?", "answer": None}, "field 'answer' is NoneType .*line 2.*expected a string"),
        ({"question": {"stem": "Why?"}, "answer": "So."}, "field 'question' is dict .*line 2"),
        ({"messages": "hello"}, "field 'messages' is not a list of turns .*line 2"),
        ({"messages": [{"role": "user", "content": "Why?"}]}, "messages without a question and an answer .*line 2"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "field 'content' is list .*line 2"),
        ({"question": "Why?", "answer": "So.", "id": [1]}, "field 'id' is not usable .*line 2"),
        ({"question": "Why?", "answer": "So.", "id": " "}, "field 'id' is not usable .*line 2"),
        ('{"question": "\\ud800", "answer": "So."}', "field 'question' is not valid Unicode .*line 2"),
    ],
)
def test_a_bad_line_is_named(file: Path, line: object, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_texts(written(file, "", line))
    assert "\n" not in str(caught.value)


def test_missing_binary_and_empty_files(tmp_path: Path, file: Path) -> None:
    with pytest.raises(DataError, match="cannot read file"):
        read_texts(tmp_path / "missing.jsonl")
    with pytest.raises(DataError, match="no texts in file"):
        read_texts(written(file, "", " "))
    file.write_bytes(b'{"question": "\xff"}\n')
    with pytest.raises(DataError, match="not UTF-8"):
        read_texts(file)


def test_what_cannot_be_curated_is_kept_with_its_problem(file: Path) -> None:
    pair = {"question": "Why?", "answer": "So."}
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "So."},
    ]
    texts = read_texts(
        written(
            file,
            {**pair, "id": "a"},
            {**pair, "id": "b", "answer": " \n"},
            "",
            {**pair, "id": "c", "question": ""},
            {"question": "Other?", "answer": "Yes.", "id": "a"},
            pair,
            pair,
            {"id": "d", "messages": turns},
        )
    )
    assert [text.problem for text in texts] == [
        None,
        "the answer is empty",
        "the question is empty",
        "repeats the text 'a' of line 1",
        None,
        f"repeats the text {texts[4].id!r} of line 6",
        "messages are more than one question and one answer",
    ]
    assert texts[3].id == "a@line-5"
    assert len({text.id for text in texts}) == len(texts)
