import csv
import gzip
import io
import json
import sys
from functools import partial
from pathlib import Path

import pytest

from counterpoise.curation.inputs.formats import FORMATS, Record, file_records, format_of
from counterpoise.errors import DataError, MissingExtraError, UsageError

packed = partial(gzip.compress, mtime=0)  # the same bytes at any time: they name tests
RECORDS = [{"question": f"Why {number}?", "answer": f"So\n{number}, ü."} for number in range(3)]


def lines_of(records: list) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def table_of(records: list, delimiter: str) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(records[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue().encode()


def parquet_of(records: list) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(records), sink)
    return sink.getvalue().to_pybytes()


def written(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def values(path: Path, **options) -> list:
    return [record.value for record in file_records(path, format_of(path), **options)]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("in.jsonl", lines_of(RECORDS)),
        ("in.ndjson", b"\xef\xbb\xbf\n" + lines_of(RECORDS).replace(b"\n", b"\r\n")),
        ("in.jsonl.gz", packed(lines_of(RECORDS))),
        ("in.json", json.dumps(RECORDS)),
        ("in.JSON", "\ufeff" + json.dumps(RECORDS, indent=1, ensure_ascii=False)),
        ("in.json.gz", packed(json.dumps(RECORDS).encode())),
        ("packed without saying so.json", packed(json.dumps(RECORDS).encode())),
        ("task.json", json.dumps({"name": "task", "keywords": ["a", "b"], "n": {"x": [[1]]}, "examples": RECORDS})),
        ("dotted.json", json.dumps({"a": {"b": [{"no": 1}]}, "a.b": RECORDS, "": {"": [1]}})),
        ("columns.json", json.dumps({name: [record[name] for record in RECORDS] for name in RECORDS[0]})),
        ("lines.json", lines_of(RECORDS)),
        ("objects.json", "\n".join(json.dumps(record, indent=2) for record in RECORDS)),
        ("in.csv", table_of(RECORDS, ",")),
        ("in.csv.gz", packed(table_of(RECORDS, ","))),
        ("semicolons.csv", b"\xef\xbb\xbf" + table_of(RECORDS, ";")),
        ("in.tsv", table_of(RECORDS, "\t")),
        ("in.parquet", parquet_of(RECORDS)),
    ],
)
def test_every_format_gives_the_same_records(tmp_path: Path, name: str, data: bytes | str) -> None:
    assert values(written(tmp_path / name, data)) == RECORDS


def test_one_object_is_one_record(tmp_path: Path) -> None:
    record = {**RECORDS[0], "tags": ["a"]}
    assert values(written(tmp_path / "in.json", json.dumps(record))) == [record]


def test_paragraphs_of_a_plain_text(tmp_path: Path) -> None:
    path = written(tmp_path / "in.md", "\n# Ice\r\n\r\nIce floats.\nIt is light. \n \n\nFish live.")
    assert list(file_records(path, "text")) == [
        Record(2, {"text": "# Ice"}),
        Record(4, {"text": "Ice floats.\nIt is light."}),
        Record(8, {"text": "Fish live."}),
    ]


def test_records_are_counted_by_the_line_they_begin_in(tmp_path: Path) -> None:
    table = written(tmp_path / "in.csv", '\nquestion,answer\n"a\nb",c\n\nd,e\n')
    assert [(record.number, record.value["question"]) for record in file_records(table, "csv")] == [
        (3, "a\nb"),
        (6, "d"),
    ]
    lines = written(tmp_path / "in.jsonl", '\n{"a": 1}\n\n{"a": "\u2028"}')
    assert list(file_records(lines, "jsonl")) == [Record(2, {"a": 1}), Record(4, {"a": "\u2028"})]


def test_a_row_with_another_number_of_cells_is_kept_with_its_fault(tmp_path: Path) -> None:
    path = written(tmp_path / "in.csv", "question,answer\na\nb,c\nd,e,f\n")
    assert list(file_records(path, "csv")) == [
        Record(2, None, "1 cell(s) under 2 column name(s)"),
        Record(3, {"question": "b", "answer": "c"}),
        Record(4, None, "3 cell(s) under 2 column name(s)"),
    ]


def test_a_cell_may_be_longer_than_the_csv_module_allows_by_itself(tmp_path: Path) -> None:
    long = "word " * 40_000
    assert values(written(tmp_path / "in.csv", f"question,answer\na,{long}\n")) == [{"question": "a", "answer": long}]


def test_one_of_several_lists_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "in.json", json.dumps({"train": RECORDS, "test": RECORDS[:1]}))
    assert values(path, split="test") == RECORDS[:1]
    with pytest.raises(DataError, match=r"several splits .*in\.json.*one of 'train', 'test'; name it with --split"):
        values(path)
    with pytest.raises(DataError, match="no split 'dev'"):
        values(path, split="dev")


@pytest.mark.parametrize(("name", "data"), [("in.json", "[]"), ("in.jsonl", ""), ("in.csv", ""), ("in.txt", "")])
def test_most_files_have_no_splits(tmp_path: Path, name: str, data: str) -> None:
    with pytest.raises(UsageError, match="has no splits"):
        values(written(tmp_path / name, data), split="train")


@pytest.mark.parametrize("name", ["in.jsonl", "in.json", "in.csv", "in.txt"])
@pytest.mark.parametrize("data", ["", " \n\n", "\ufeff"])
def test_a_blank_file_has_no_records(tmp_path: Path, name: str, data: str) -> None:
    assert values(written(tmp_path / name, data)) == []


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("in.jsonl", '{"a": 1}\n{broken', "not valid JSON .*line 2"),
        ("in.jsonl", '{"a": 1}\n' + "[" * 100_000, "not valid JSON .*line 2"),
        ("in.json", '[\n{"a": 1},\n{"a":}]', "not valid JSON .*line 3"),
        ("in.json", '[\n{"a": 1}', "not valid JSON .*line 2"),
        ("in.json", f'[{{"a": {"1" * 5000}}}]', "not valid JSON, a number is too large .*line 1"),
        ("in.json", '[{"a": 1e99999999999999999999}]', "not valid JSON, a number is too large .*line 1"),
        ("in.json", '[\n{"a": ' + "[" * 1000, "nested more than 100 levels deep .*line 2"),
        ("in.json", '{"a": [1, 2], "b": [1]}', r"the columns are not equally long .*in\.json"),
        ("in.jsonl", b'{"a": 1}\n{"a": "\xff"}', "not UTF-8 text .*line 2"),
        ("in.json", b'[\n"\xff"]', "not UTF-8 text .*line 2"),
        ("in.json", b'[\n"a\xe2\x80', "not UTF-8 text .*line 2"),
        ("in.csv", b"a,b\nc,\xff\n", "not UTF-8 text .*line 2"),
        ("in.txt", b"a\n\xff", "not UTF-8 text .*line 2"),
        ("in.jsonl", "{}".encode("utf-16"), "UTF-16, not UTF-8 text .*line 1"),
        ("in.json", "[]".encode("utf-16"), "UTF-16, not UTF-8 text .*line 1"),
        ("in.csv", "a,b".encode("utf-16"), "UTF-16, not UTF-8 text .*line 1"),
        ("in.jsonl", b"{}\n\0", "a NUL byte .*line 2"),
        ("in.json", b"[\n\0]", "a NUL byte .*line 2"),
        ("in.csv", b"a,b\nc,\0\n", "a NUL byte .*line 2"),
        ("in.csv", 'a,b\nc,d\n"e,f\ng,h\n', "not valid CSV: unexpected end of data .*line 3.*quotation mark closed"),
        ("in.csv", "a,b,a\n", "two columns are called 'a' .*line 1"),
        ("in.jsonl.gz", packed(lines_of(RECORDS * 100))[:-20], "damaged gzip file"),
        ("in.json.gz", packed(json.dumps(RECORDS).encode())[:20], "damaged gzip file"),
        ("in.csv.gz", b"\x1f\x8bnot gzip at all", "damaged gzip file"),
        ("in.parquet", b"PAR1 and nothing more", "not a Parquet file"),
        ("in.parquet", parquet_of(RECORDS)[:-30], "not a Parquet file"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, name: str, data: bytes | str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        values(written(tmp_path / name, data))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_columns_without_a_name_do_no_harm(tmp_path: Path) -> None:
    assert values(written(tmp_path / "in.csv", ",question,\n1,a,2\n")) == [{"": "2", "question": "a"}]


@pytest.mark.parametrize("format", FORMATS)
def test_only_files_are_read(tmp_path: Path, format: str) -> None:
    with pytest.raises(DataError, match=r"no such file .*missing"):
        list(file_records(tmp_path / "missing", format))
    with pytest.raises(DataError, match=r"a folder, not a file .*is named hf:"):
        list(file_records(tmp_path, format))
    with pytest.raises(DataError, match="not a regular file"):
        list(file_records(Path("/dev/null"), format))


def test_an_unknown_suffix_asks_for_the_format(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"format of the file .*texts\.doc.*one of \.jsonl.*--format"):
        format_of(tmp_path / "texts.doc")


def test_parquet_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "in.parquet", parquet_of(RECORDS))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"Parquet files needs the package 'pyarrow'.*counterpoise\[curate\]"):
        values(path)
