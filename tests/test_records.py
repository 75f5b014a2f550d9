import json
import os
import resource
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.errors import DataError, OutputError
from counterpoise.records import (
    RowFile,
    RunFolder,
    append_line,
    canonical_json,
    read_jsonl,
    read_manifest,
    scratch_folder,
    write_atomic,
)


def by_id(row):
    return row["id"]


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), max_size=5))
def test_jsonl_round_trip(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    for row in rows:
        append_line(path, canonical_json(row))
    path.touch()
    assert read_jsonl(path) == rows


def test_torn_line_is_cut_and_finished_rows_are_kept(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a"}\n{"id": "b"}\n{"id": "c", "te')
    rows = RowFile(path, key=by_id)
    assert [row["id"] for row in rows.rows] == ["a", "b"]
    rows.append({"id": "c"})
    assert path.read_text() == '{"id": "a"}\n{"id": "b"}\n{"id":"c"}\n'
    assert "c" in rows
    assert len(rows) == 3


def test_second_row_of_a_key_is_refused(tmp_path):
    rows = RowFile(tmp_path / "rows.jsonl", key=by_id)
    rows.append({"id": "a"})
    with pytest.raises(ValueError, match="row 'a' is already in"):
        rows.append({"id": "a"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\nnot json\n', r"not valid JSON \(.*line 2\); expected one object a line"),
        (b"[1]\n", r"a list \(.*line 1\); expected a JSON object"),
        (b'{"a": "\xff"}\n', r"file is not UTF-8 text \(.*\); re-encode it as UTF-8"),
        (b"[" * 100_000, r"not valid JSON \(.*line 1\)"),
    ],
)
def test_malformed_file_is_named_with_its_line(tmp_path, content, message):
    path = tmp_path / "in.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_jsonl(path)


def test_missing_file_is_one_line(tmp_path):
    with pytest.raises(DataError, match=r"cannot read file: No such file or directory \(.*nowhere\.jsonl\)"):
        read_jsonl(tmp_path / "nowhere.jsonl")


def test_run_resumes_with_the_same_configuration_and_id(tmp_path):
    with RunFolder.open(tmp_path / "run", kind="diagnose", config={"seed": 1}) as first:
        first.warn("careful")
        first.warn("careful")
    with RunFolder.open(tmp_path / "run", kind="diagnose", config={"seed": 1}) as second:
        assert second.run == first.run
        assert second.manifest.warnings == ["careful"]
        second.complete(rows=3)
    events = read_jsonl(tmp_path / "run" / "logs" / "events.jsonl")
    assert [event["event"] for event in events] == ["started", "resumed", "completed"]
    manifest = read_manifest(tmp_path / "run")
    assert (manifest.state, manifest.facts) == ("complete", {"rows": 3})


def test_folder_of_another_run_is_refused_and_untouched(tmp_path):
    RunFolder.open(tmp_path, kind="diagnose", config={"seed": 1, "limit": 5}).close()
    before = (tmp_path / "manifest.json").read_bytes()
    with pytest.raises(OutputError, match=r"holds the run diagnose-\w+ of another configuration: seed; choose another"):
        RunFolder.open(tmp_path, kind="diagnose", config={"seed": 2, "limit": 5})
    with pytest.raises(OutputError, match="of a diagnose run"):
        RunFolder.open(tmp_path, kind="lab", config={})
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(OutputError, match="is not empty and holds no run; choose an empty or a new folder"):
        RunFolder.open(tmp_path, kind="lab", config={})


def test_two_runs_in_one_folder_are_refused(tmp_path):
    with (
        RunFolder.open(tmp_path, kind="lab", config={}),
        pytest.raises(OutputError, match="is in use by another process"),
    ):
        RunFolder.open(tmp_path, kind="lab", config={})
    RunFolder.open(tmp_path, kind="lab", config={}).close()


def test_path_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot use output folder .*file"):
        RunFolder.open(tmp_path / "file", kind="lab", config={})


def test_damaged_manifest_is_named(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(DataError, match="manifest is damaged"):
        read_manifest(tmp_path)


def test_failed_write_keeps_the_old_file(tmp_path):
    # A file size limit stands in for a full disk: the write itself fails half-way.
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from counterpoise.records import write_atomic, append_line\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "path = Path(sys.argv[1])\n"
        "for write in (lambda: write_atomic(path, 'x' * 5000), lambda: append_line(path, 'y' * 5000)):\n"
        "    try: write()\n"
        "    except Exception as error: print(type(error).__name__, error)\n"
    )
    assert resource.RLIMIT_FSIZE is not None
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id":"old"}\n')
    result = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert result.stdout.count("OutputError") == 2
    assert "File too large" in result.stdout
    assert [row["id"] for row in RowFile(path, key=by_id).rows] == ["old"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["rows.jsonl"]


def test_new_files_get_the_usual_permissions(tmp_path):
    mask = os.umask(0o022)
    try:
        write_atomic(tmp_path / "a.json", json.dumps({}))
    finally:
        os.umask(mask)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o644


def test_scratch_folder_is_complete_or_absent(tmp_path):
    class Stop(Exception):
        pass

    def fill_and_stop():
        with scratch_folder(tmp_path / "model") as folder:
            (folder / "half").touch()
            raise Stop

    with pytest.raises(Stop):
        fill_and_stop()
    assert list(tmp_path.iterdir()) == []
    with scratch_folder(tmp_path / "model") as folder:
        (folder / "whole").touch()
    assert (tmp_path / "model" / "whole").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]
