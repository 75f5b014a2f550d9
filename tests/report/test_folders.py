import json

import pytest

from counterpoise.errors import DataError
from counterpoise.report.folders import read_runs


def fails(folders, *words):
    with pytest.raises(DataError) as caught:
        read_runs(folders)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_folder_without_a_run_is_one_line(tmp_path):
    fails([tmp_path], "no run in folder", str(tmp_path), "manifest.json")
    fails([tmp_path / "absent"], "no run in folder")
    fails([], "no run folder given")


def test_a_damaged_manifest_is_one_line(tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    fails([tmp_path], "manifest is damaged")


def test_a_kind_that_cannot_be_reported_is_one_line(make_folder):
    fails([make_folder("bake", name="bake")], "'bake'", "diagnose, curate, lab, verify")


def test_the_same_run_twice_is_refused(make_folder, diagnosis_row):
    folder = make_folder("diagnose", [diagnosis_row()])
    fails([folder, folder], "hold the same run diagnose-0123456789ab")


def test_a_malformed_row_is_named_with_its_column(make_folder, diagnosis_row):
    good = diagnosis_row()
    folder = make_folder("diagnose", [good, good | {"case_id": "c1", "score": "high"}])
    fails([folder], "score", "rows.jsonl row 2", "a row of a diagnose run")


def test_a_line_that_is_not_json_is_named(make_folder, diagnosis_row):
    folder = make_folder("diagnose", [diagnosis_row()])
    with (folder / "rows.jsonl").open("a") as file:
        file.write("[1]\n")
    fails([folder], "a list", "line 2", "a JSON object")


def test_a_row_of_another_kind_is_refused(make_folder, diagnosis_row):
    fails([make_folder("diagnose", [diagnosis_row() | {"kind": "lab"}])], "a row of kind 'lab'")


def test_a_line_cut_by_a_kill_is_left_out(make_folder, diagnosis_row):
    folder = make_folder("diagnose", [diagnosis_row()], state="running")
    with (folder / "rows.jsonl").open("ab") as file:
        file.write('{"answer": "\u2026'.encode()[:-1])
    (run,) = read_runs([folder])
    assert [row.case_id for row in run.rows] == ["c0"]


def test_runs_are_ordered_by_kind_then_as_given(make_folder):
    folders = [make_folder("lab"), make_folder("diagnose", name="b"), make_folder("diagnose", name="a")]
    assert [run.folder for run in read_runs(folders)] == ["b", "a", "lab"]


def test_only_the_folder_name_is_kept(make_folder, tmp_path):
    (run,) = read_runs([make_folder("lab")])
    assert str(tmp_path) not in json.dumps([run.folder, run.manifest.model_dump()])


def test_what_tools_find_is_read_where_the_run_has_it(make_folder, diagnosis_row, tool_record):
    with_tools = make_folder("diagnose", [diagnosis_row()], tools=[tool_record(0, exposure=(1, 2))])
    without = make_folder("diagnose", [diagnosis_row()], name="without")
    first, second = read_runs([with_tools, without])
    assert [one.model_dump(mode="json") for one in first.tools] == [tool_record(0, exposure=(1, 2))]
    assert second.tools == ()


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"found": "many"}, "found"),
        ({"counts": {"exposure": {"tp": -1, "fn": 0}}}, "counts.exposure.tp"),
        ({"counts": {"exposure": {"tp": 10**400, "fn": 0}}}, "counts.exposure.tp"),
        ({"counts": {"bystander": {"tp": 1, "fn": 0}}}, "counts.bystander"),
        ({"counts": [1]}, "counts"),
        ({"more": 1}, "more"),
    ],
)
def test_a_malformed_record_of_a_tool_is_named_with_its_column(make_folder, tool_record, change, column):
    good = tool_record(0, exposure=(1, 0))
    fails([make_folder("diagnose", tools=[good, good | change])], column, "tools.jsonl row 2", "of a diagnose run")


def test_tools_that_are_no_json_objects_are_one_line(make_folder):
    folder = make_folder("diagnose")
    for text, words in (("[1]\n", "a list"), ("{\n", "not valid JSON"), ("[" * 100_000 + "\n", "not valid JSON")):
        (folder / "tools.jsonl").write_text(text)
        fails([folder], words, "tools.jsonl line 1")
    (folder / "tools.jsonl").write_bytes(b"\xff\n")
    fails([folder], "not UTF-8", "tools.jsonl")


def test_a_record_of_a_tool_cut_by_a_kill_is_left_out(make_folder, tool_record):
    folder = make_folder("diagnose", tools=[tool_record(0, exposure=(1, 0))], state="running")
    with (folder / "tools.jsonl").open("a") as file:
        file.write('{"dataset": "scm')
    (run,) = read_runs([folder])
    assert [one.case_id for one in run.tools] == ["c0"]
