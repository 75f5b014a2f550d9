import json
import tracemalloc
from pathlib import Path

import pytest

from counterpoise.curation.inputs import fields_from, open_texts, read_texts
from counterpoise.curation.texts import Text
from counterpoise.errors import DataError, UnknownNameError, UsageError

PAIR = {"question": "Why?", "answer": "So."}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "in.jsonl"


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_a_text_knows_where_it_comes_from(file: Path) -> None:
    texts = read_texts(written(file, "", {**PAIR, "id": "a"}, {"question": " Who? ", "answer": "\nI.\n", "id": 7}))
    assert texts == [
        Text(id="a", question="Why?", answer="So.", where="in.jsonl line 2"),
        Text(id="7", question="Who?", answer="I.", where="in.jsonl line 3"),
    ]


def test_plain_texts_have_no_question(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_text("Ice floats.\n\nFish live below it.\n")
    texts = open_texts(path)
    assert [(text.question, text.answer) for text in texts] == [(None, "Ice floats."), (None, "Fish live below it.")]
    assert texts.report.shape == "texts"


def test_what_cannot_be_curated_is_kept_with_its_problem(file: Path) -> None:
    texts = open_texts(
        written(
            file,
            {**PAIR, "id": "a"},
            {**PAIR, "id": "b", "answer": " \n"},
            {**PAIR, "id": "c", "question": ""},
            {"question": "Other?", "answer": "Yes.", "id": "a"},
            {"question": "WHY?\n", "answer": "so.", "id": "d"},
            {"question": "Long?", "answer": "word " * 6, "id": "e"},
            {"messages": []},
            [1],
            {"question": "Typed?", "answer": 7, "id": "f"},
            {"question": "Id?", "answer": "Listed.", "id": [1]},
            '{"question": "\\ud800", "answer": "Lone.", "id": "g"}',
            '{"question": "NUL?", "answer": "\\u0000", "id": "h"}',
            {"question": "Good?", "answer": "Yes.", "id": "i"},
        ),
        max_words=5,
    )
    assert [(text.id, text.problem) for text in texts] == [
        ("a", None),
        ("b", "the answer is empty"),
        ("c", "the question is empty"),
        ("a@line-4", "repeats the id 'a' of line 1"),
        ("d", "repeats the text of line 1"),
        ("e", "the answer has more than 5 words"),
        ("line-7", "no field 'question'"),
        ("line-8", "a list, not an object with fields"),
        ("f", "field 'answer' is a number, not a string"),
        ("line-10", "field 'id' is a list, not a string or a whole number"),
        ("g", "the question is not valid Unicode: it has a lone surrogate"),
        ("h", "the answer has a NUL character"),
        ("i", None),
    ]
    report = texts.report
    assert (report.total, report.usable, report.duplicates, report.overlong, report.empty, report.misfits) == (
        13,
        2,
        2,
        1,
        2,
        6,
    )
    assert report.lines() == [
        f"{file}: 13 texts, 2 usable (pairs: question from 'question', answer from 'answer')",
        "2 repeated; the first: line 4: repeats the id 'a' of line 1",
        "1 too long; the first: line 6: the answer has more than 5 words",
        "2 without a question or an answer; the first: line 2: the answer is empty",
        "6 of another shape than the others, or not readable; the first: line 7: no field 'question'",
    ]
    assert json.dumps([text.question for text in texts] + [text.answer for text in texts], ensure_ascii=False).encode()


def test_rows_of_a_table_that_are_not_rows_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("question,answer\nbroken\n,\nWhy?,So.\n")
    assert [text.problem for text in read_texts(path)] == [
        "1 cell(s) under 2 column name(s)",
        "the question is empty",
        None,
    ]


def test_ids_stay_unique_whatever_the_file_says(file: Path) -> None:
    ids = ["a", "a", "a@line-2", "line-5", "?", "a@line-2@line-3"]
    lines = [{"question": f"{number}?", "answer": "So.", "id": one} for number, one in enumerate(ids)]
    lines[4] = {"question": "Typed?"}
    texts = read_texts(written(file, *lines))
    assert [text.id for text in texts] == [
        "a",
        "a@line-2",
        "a@line-2@line-3",
        "line-5",
        "line-5@line-5",
        "a@line-2@line-3@line-6",
    ]


def test_a_text_repeats_only_what_can_be_curated(file: Path) -> None:
    other = {"question": "Who?", "answer": "I."}
    first, second, third, fourth = read_texts(
        written(file, {**PAIR, "id": "a"}, {**other, "id": "a"}, {**other, "id": "b"}, {**other, "id": "c"})
    )
    assert (first.problem, second.problem, third.problem) == (None, "repeats the id 'a' of line 1", None)
    assert fourth.problem == "repeats the text of line 3"


def test_an_id_that_is_the_hash_of_another_text_takes_nothing_from_it(file: Path) -> None:
    (alone,) = read_texts(written(file, PAIR))
    first, second = read_texts(written(file, {"question": "Who?", "answer": "I.", "id": alone.id}, PAIR))
    assert (first.problem, second.problem) == (None, None)
    assert first.id != second.id


def test_an_id_follows_from_the_content_where_there_is_none(file: Path) -> None:
    first, second, third = read_texts(
        written(file, PAIR, {**PAIR, "answer": "No.", "id": " "}, {**PAIR, "answer": "so."})
    )
    assert len({first.id, second.id, third.id}) == 3
    assert third.problem == "repeats the text of line 1"
    (alone,) = read_texts(written(file, "", {"answer": "So. ", "question": "Why?", "id": None}))
    assert alone.id == first.id


def test_an_id_may_have_another_name(file: Path) -> None:
    written(file, {**PAIR, "meta": {"key": "k1"}}, {"question": "Who?", "answer": "I."})
    first, second = open_texts(file, fields={"id": "meta.key"})
    assert first.id == "k1"
    assert second.problem is None


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ("a " * 50, 50),
        ("a" * 1000, 50),
        ("冰" * 50, 50),
        ("冰 a" * 25, 50),
        ("one-two, three!\n" * 25, 50),
        ("カ" * 50, 50),
    ],
)
def test_words_are_counted_in_every_script(file: Path, answer: str, count: int) -> None:
    written(file, {"question": "Why?", "answer": answer})
    (exact,) = open_texts(file, max_words=count)
    (above,) = open_texts(file, max_words=count - 1)
    assert exact.problem is None
    assert above.problem == f"the answer has more than {count - 1} words"


def test_a_text_of_one_word_and_one_of_many(file: Path) -> None:
    one, many = read_texts(written(file, {**PAIR, "answer": "So"}, {"question": "Why " * 20_000, "answer": "So."}))
    assert one.problem is None
    assert many.problem == "the question has more than 1000 words"


def test_the_majority_of_the_first_records_decides(file: Path) -> None:
    header, reply = {"text": "About this file."}, {"prompt": "Who?", "completion": "I."}
    texts = open_texts(written(file, header, reply, PAIR, {**PAIR, "answer": "No."}))
    assert texts.report.fields == {"question": "question", "answer": "answer"}
    assert [text.problem is None for text in texts] == [False, False, True, True]
    assert open_texts(written(file, reply, PAIR)).report.fields == {"question": "prompt", "answer": "completion"}


def test_the_first_record_that_fits_may_come_late(file: Path) -> None:
    texts = open_texts(written(file, *[{"note": number} for number in range(100)], PAIR))
    assert (texts.report.usable, texts.report.misfits) == (1, 100)


def test_a_shape_can_be_asked_for(file: Path) -> None:
    written(file, {**PAIR, "text": "Why? So."})
    assert [text.answer for text in open_texts(file, shape="texts")] == ["Why? So."]
    with pytest.raises(DataError, match=r"no record fits: no question .*line 1"):
        open_texts(file, shape="messages")


def test_the_format_can_be_given(tmp_path: Path) -> None:
    path = written(tmp_path / "texts.data", PAIR)
    assert len(open_texts(path, format="jsonl")) == 1
    with pytest.raises(UnknownNameError, match=r"unknown format 'jsonll'.*did you mean 'jsonl'"):
        open_texts(path, format="jsonll")


def test_the_report_tells_what_was_left_alone(file: Path) -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "So."},
    ]
    report = open_texts(written(file, {"messages": turns}, {"messages": turns[1:]})).report
    assert report.notes == (
        "1 conversation(s) of more than a question and an answer: the first user turn that is answered is taken, with "
        "its answer",
    )
    report = open_texts(
        written(file, {"instruction": "Which?", "input": "A, B", "output": "It is B.", "answer": "B"})
    ).report
    assert report.fields == {"question": "instruction", "answer": "output", "context": "input"}
    assert report.notes == (
        "left alone, though they might be meant: 'answer'; --field question=NAME or answer=NAME takes it",
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], r"no texts .*in\.jsonl\); expected question and answer"),
        (["", " "], r"no texts .*in\.jsonl\)"),
        ([{"question": "Why?"}, {"other": 1}], r"no record fits: no question .*'question' .*in\.jsonl line 1.*--field"),
        (["", {"question": "Why?", "answer": None}], "no record fits: field 'answer' is null.*line 2"),
        ([PAIR, "{broken"], "not valid JSON .*line 2"),
    ],
)
def test_a_file_that_is_no_good_is_one_line(file: Path, lines: list[object], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        open_texts(written(file, *lines))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"question": "QUERY", "answer": "reply"},
            r"no field 'QUERY' .*in\.jsonl line 1\); expected one of 'query', 'reply', 'meta', 'meta\.key'$",
        ),
        ({"question": "query", "answer": "replay"}, "no field 'replay' .*did you mean 'reply'"),
        ({"text": "meta.keys"}, r"no field 'meta\.keys' .*did you mean 'meta\.key'"),
        ({"id": "nr"}, "no field 'nr'"),
        ({"question": "query", "answer": "meta"}, "no record fits: field 'meta' is an object"),
    ],
)
def test_a_field_that_does_not_occur_is_named(file: Path, fields: dict[str, str], message: str) -> None:
    written(file, *[{"query": "Why?", "reply": "So.", "meta": {"key": "k"}}] * 100)
    with pytest.raises(DataError, match=message):
        open_texts(file, fields=fields)


def test_fields_from_options() -> None:
    assert fields_from([]) == {}
    assert fields_from(["question=Q=1", "context="]) == {"question": "Q=1", "context": ""}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["question"], r"'question' names no field .*--field.*question=QUERY"),
        (["question="], "names no field"),
        (["anwser=x"], "unknown part of a text 'anwser'.*did you mean 'answer'"),
        (["id=a", "id=b"], "two fields for 'id'"),
    ],
)
def test_bad_field_options(options: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fields_from(options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": "pair"}, "unknown shape 'pair'.*did you mean 'pairs'"),
        ({"fields": {"anwser": "x"}}, "unknown part of a text 'anwser'"),
        (
            {"fields": {"text": "x", "question": "y"}},
            "no text has the fields question, text together.*messages: messages",
        ),
        ({"shape": "texts", "fields": {"question": "y"}}, "shape 'texts' has no fields question; expected texts: text"),
        ({"max_words": 0}, "whole numbers from 1"),
        ({"limit": 0}, "whole numbers from 1"),
    ],
)
def test_arguments_that_are_not_possible(file: Path, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_texts(written(file, PAIR), **options)


def test_a_limit_takes_the_first_texts(file: Path) -> None:
    written(file, *[{"question": f"{number}?", "answer": "So."} for number in range(5)])
    few = open_texts(file, limit=2)
    assert [text.question for text in few] == ["0?", "1?"]
    assert len(few) == 2
    assert list(open_texts(file, limit=9)) == read_texts(file)
    with pytest.raises(DataError, match="no record fits"):
        open_texts(written(file, {"note": 1}, PAIR), limit=1)


def test_texts_can_be_gone_through_again_and_have_one_digest(tmp_path: Path, file: Path) -> None:
    texts = open_texts(written(file, PAIR, {**PAIR, "answer": "No."}))
    assert list(texts) == list(texts) == read_texts(file)
    moved = written(tmp_path / "elsewhere.jsonl", PAIR, {**PAIR, "answer": "No."})
    assert open_texts(moved).digest == texts.digest
    for other in ([PAIR], [{**PAIR, "id": "a"}, {**PAIR, "answer": "No."}], [{**PAIR, "answer": "No."}, PAIR]):
        assert open_texts(written(moved, *other)).digest != texts.digest


def test_a_source_that_changes_meanwhile_is_noticed(file: Path) -> None:
    texts = open_texts(written(file, PAIR))
    written(file, {**PAIR, "answer": "No."})
    with pytest.raises(DataError, match=r"the texts changed while they were in use .*in\.jsonl"):
        list(texts)


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
def test_memory_does_not_hold_the_texts(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"in{suffix}"
    count, answer = 10_000, ("letters" * 20 + " ") * 8
    with path.open("w") as file:
        file.write({".json": "[", ".csv": "question,answer\n", ".jsonl": ""}[suffix])
        for number in range(count):
            if suffix == ".csv":
                file.write(f"Why {number}?,{answer}\n")
            else:
                comma = "," if suffix == ".json" and number else ""
                file.write(comma + json.dumps({"question": f"Why {number}?", "answer": answer}) + "\n")
        file.write("]" if suffix == ".json" else "")
    tracemalloc.start()
    try:
        texts = open_texts(path)
        assert sum(text.problem is None for text in texts) == count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 10e6
    assert peak < 5e6
