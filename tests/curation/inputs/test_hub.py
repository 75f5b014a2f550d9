import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from counterpoise.curation.inputs import open_texts
from counterpoise.curation.inputs.hub import hub_records, is_pinned
from counterpoise.errors import DataError, MissingExtraError, UsageError

ROWS = [{"question": f"Why {number}?", "answer": "So."} for number in range(3)]
COMMIT = "0123456789" * 4


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Calls of the loader, which gives two splits."""
    calls: list[Any] = []

    def load_dataset(*arguments: Any, **options: Any) -> dict[str, list[dict[str, str]]]:
        calls.append((arguments, options))
        return {"train": ROWS, "test": ROWS[:1]}

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    return calls


@pytest.mark.parametrize(
    ("name", "arguments", "revision"),
    [
        ("hf:owner/name", ("owner/name", None), None),
        ("hf:owner/name:main set", ("owner/name", "main set"), None),
        ("hf:owner/name@v1.0", ("owner/name", None), "v1.0"),
        (f"hf:owner/name:part@{COMMIT}", ("owner/name", "part"), COMMIT),
    ],
)
def test_a_name_says_dataset_configuration_and_revision(
    loaded: list[Any], name: str, arguments: tuple[str, str | None], revision: str | None
) -> None:
    assert [record.value for record in hub_records(name, "train")] == ROWS
    assert loaded == [(arguments, {"revision": revision, "streaming": True})]
    assert is_pinned(name) == (revision == COMMIT)


def test_texts_of_a_dataset(loaded: list[Any]) -> None:
    texts = open_texts("hf:owner/name", split="test")
    assert [(text.question, text.where) for text in texts] == [("Why 0?", "hf:owner/name row 1")]
    assert texts.report.format == "hub"
    assert texts.report.notes == ("hf:owner/name names no commit, so its content may change; add @ and all 40 digits",)
    assert open_texts(f"hf:owner/name@{COMMIT}", split="test").report.notes == ()


def test_a_split_is_asked_for(loaded: list[Any]) -> None:
    with pytest.raises(DataError, match=r"several splits .*one of 'train', 'test'; name it with --split"):
        open_texts("hf:owner/name")


@pytest.mark.parametrize("name", ["hf:", "hf:a:b:c", "hf:owner/name@", "hf:@main"])
def test_names_that_name_nothing(loaded: list[Any], name: str) -> None:
    with pytest.raises(UsageError, match=r"names no dataset; expected hf:owner/name\[:config\]\[@revision\]"):
        open_texts(name)
    assert loaded == []


def test_a_dataset_has_no_file_format() -> None:
    with pytest.raises(UsageError, match="leave out --format"):
        open_texts("hf:owner/name", format="csv")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"needs the package 'datasets'.*counterpoise\[curate\]"):
        open_texts("hf:owner/name")


def test_what_the_library_raises_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def rows() -> Any:
        yield ROWS[0]
        raise OSError("the line is\ncut")

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=lambda *_, **__: {"train": rows()}))
    with pytest.raises(
        DataError, match=r"cannot read the dataset: OSError: the line is \(hf:a/b after row 1\)"
    ) as caught:
        list(hub_records("hf:a/b"))
    assert "\n" not in str(caught.value)


def test_a_local_folder_is_read_by_the_library_itself(tmp_path: Path) -> None:
    for split, rows in (("train", ROWS), ("test", ROWS[:1])):
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    texts = open_texts(f"hf:{tmp_path}", split="train")
    assert [text.question for text in texts] == [row["question"] for row in ROWS]
    assert texts.report.notes == ()
    with pytest.raises(DataError, match="no split 'dev'"):
        open_texts(f"hf:{tmp_path}", split="dev")
