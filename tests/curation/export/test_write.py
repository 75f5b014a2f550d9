import json
import tracemalloc
from pathlib import Path

import pytest

from counterpoise.curation.export import export, write
from counterpoise.curation.export.files import atomic_writer
from counterpoise.errors import DataError, OutputError

FILES = {
    *("README.md", "curated.jsonl", "curated.parquet", "curated.prompt_completion.jsonl", "snippets/README.md"),
    *("snippets/axolotl.yaml", "snippets/trl_sft.py"),
    *("snippets/llamafactory/dataset_info.json", "snippets/llamafactory/sft.yaml"),
}


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_gets_its_set(run, row, manifest) -> None:
    folder = run([row("a"), row("b", revised=None), row("c", revised="So\u2028it is.")])
    export(folder, manifest())
    assert files(folder).keys() == {*FILES, "rows.jsonl", "manifest.json"}
    curated = lines(folder / "curated.jsonl")
    assert [line["messages"][1] for line in curated] == [
        {"role": "assistant", "content": "So. Ask before you share."},
        {"role": "assistant", "content": "So\u2028it is."},
    ]
    assert curated[0]["messages"][0] == {"role": "user", "content": "Why a?"}
    assert curated[0]["lineage"] == row("a")["lineage"]
    pairs = lines(folder / "curated.prompt_completion.jsonl")
    assert pairs[1] == {"prompt": "Why c?", "completion": "So\u2028it is."}


def test_equal_rows_give_equal_bytes(run, row, manifest) -> None:
    folder = run([row(f"t{number}") for number in range(5)])
    export(folder, manifest())
    before = files(folder)
    export(folder, manifest())
    assert files(folder) == before


def test_a_revised_question_is_asked_and_the_original_stays_in_the_lineage(run, row, manifest) -> None:
    folder = run([row("a", revised_question="Why so, safely?")])
    export(folder, manifest())
    (line,) = lines(folder / "curated.jsonl")
    assert line["messages"][0]["content"] == "Why so, safely?"
    assert line["lineage"]["question"] == "Why a?"
    assert lines(folder / "curated.prompt_completion.jsonl")[0]["prompt"] == "Why so, safely?"


def test_reasons_are_counted_without_what_differs_from_row_to_row(run, row, manifest) -> None:
    reasons = [
        *("no candidate passed: 4 keyword", "no candidate passed: 3 length", "repeats the text of line 1,207"),
        *("repeats the text of line 3", "no field 'a\u202e'", 'no field "b"', "the reviser failed every time: \x1b[2J"),
    ]
    folder = run([row(f"t{number}", revised=None, reason=reason) for number, reason in enumerate(reasons)])
    assert write.write_set(folder, manifest(), folder, ["alpaca"]).left_out == {
        "no candidate passed": 2,
        "repeats the text of line …": 2,
        "no field …": 2,
        "the reviser failed every time": 1,
    }


def test_rows_of_an_older_run_are_exported_too(run, row, manifest) -> None:
    old = row("a")
    for column in ("revised_question", "question_generated", "criteria"):
        del old[column]
    for name in ("ancestors", "gloss_copied"):
        del old["lineage"][name]
    folder = run([old])
    export(folder, manifest())
    assert len(lines(folder / "curated.jsonl")) == 1


def test_without_pyarrow_a_run_has_no_parquet(run, row, manifest, monkeypatch) -> None:
    monkeypatch.setattr(write, "has_parquet", lambda: False)
    folder = run([row()])
    export(folder, manifest())
    assert not (folder / "curated.parquet").exists()
    assert "parquet" not in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "damaged",
    [
        {"text_id": 3},
        {"text_id": "a", "question": "Why?", "original": None},
        {"text_id": "a", "question": "Why?", "original": "So.", "revised": ["x"], "lineage": {}},
        {"text_id": "a", "question": "Why?", "original": "So.", "revised": "So it is.", "lineage": None},
    ],
)
def test_what_is_no_row_is_named(run, row, manifest, damaged) -> None:
    folder = run([row(), damaged])
    with pytest.raises(DataError, match=r"not a row of a curation .*rows\.jsonl line 2"):
        export(folder, manifest())


def test_a_value_that_fits_no_column_is_one_line(run, row, manifest) -> None:
    folder = run([row()])
    text = (folder / "rows.jsonl").read_text(encoding="utf-8").replace('"style":"extend"', '"style":{"a":1}')
    (folder / "rows.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"rows do not fit curated\.parquet"):
        export(folder, manifest())
    assert not (folder / "curated.parquet").exists()


def test_text_that_is_no_unicode_is_one_line_and_leaves_nothing(run, row, manifest) -> None:
    folder = run([row()])
    text = (folder / "rows.jsonl").read_text(encoding="utf-8").replace("Why a?", "\\ud800")
    (folder / "rows.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="not valid Unicode"):
        export(folder, manifest())
    assert files(folder).keys() == {"rows.jsonl", "manifest.json"}


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "curated.jsonl"
    path.write_text("old", encoding="utf-8")

    def killed() -> None:
        with atomic_writer(path) as file:
            file.write(b"half a l")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert files(tmp_path) == {"curated.jsonl": b"old"}
    with atomic_writer(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert files(tmp_path) == {"curated.jsonl": b"new"}


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*none/x"), atomic_writer(tmp_path / "none" / "x"):
        pass


def test_memory_does_not_grow_with_the_rows(tmp_path: Path, run, row, manifest) -> None:
    """Ten times the rows take hardly more than the numbers of the card."""

    def peak(number: int) -> int:
        folder = run([row(f"t{index}", revised="It is. " * 100) for index in range(number)])
        tracemalloc.start()
        write.write_set(folder, manifest(), folder, ["messages", "alpaca"])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)
    few, many = peak(100), peak(1000)
    assert many - few < 0.05 * (tmp_path / "run" / "rows.jsonl").stat().st_size
