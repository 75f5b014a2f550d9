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
    fails([make_folder("bake", name="bake")], "'bake'", "diagnose, curate, lab")


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
