import json

import pytest

from counterpoise.cli import main
from counterpoise.safety.judges import LABELS
from counterpoise.safety.judges.registry import JUDGES

ROWS = """prompt,completion,final_label
Where?,"I'm sorry, but I can't help with that.",2_full_refusal
How?,First do this. Then do that.,1_full_compliance
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(ROWS, encoding="utf-8")
    return str(path)


def run(capsys, *arguments):
    code = main(["judge", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_list_names_every_judge_with_its_agreement(capsys):
    code, out, _ = run(capsys, "list", "--json")
    entries = json.loads(out)
    assert code == 0
    assert [entry["name"] for entry in entries] == list(JUDGES)
    assert [entry["name"] for entry in entries if entry["default"]] == ["classifier"]
    agreement = next(entry["agreement"] for entry in entries if entry["name"] == "keyword")
    assert agreement["n"] == 1350
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert all(name in out for name in JUDGES)


def test_a_file_of_ones_own_is_judged_as_it_stands(capsys, file):
    code, out, err = run(
        capsys, "calibrate", "--labels", file, "--judge", "keyword", "--judge", "xstest-strings", "--json"
    )
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert [one["judge"] for one in found] == ["keyword", "xstest-strings"]
    for one in found:
        assert (one["macro_f1"], one["kappa"], one["n"], one["protocol"]) == (1.0, 1.0, 2, "as it stands")
        assert set(one["per_class"]) == set(LABELS)
        assert one["per_class"]["partial_refusal"]["n"] == 0


def test_people_get_a_table(capsys, file):
    code, out, _ = run(capsys, "calibrate", "--labels", file, "--judge", "keyword")
    assert code == 0
    assert "macro-F1" in out
    assert "2 completions (1 full_compliance, 0 partial_refusal, 1 full_refusal)" in out


def test_a_bad_file_and_a_bad_name_are_one_line(capsys, file, tmp_path):
    (tmp_path / "bad.csv").write_text("prompt,completion\n", encoding="utf-8")
    for arguments, message in (
        (("--labels", str(tmp_path / "bad.csv")), "no column 'final_label'"),
        (("--labels", file, "--judge", "nobody"), "unknown judge 'nobody'"),
        (("--data", str(tmp_path / "missing")), "no data folder"),
    ):
        code, out, err = run(capsys, "calibrate", *arguments)
        assert (code, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1


def test_without_data_the_fix_is_said(capsys, monkeypatch):
    monkeypatch.delenv("COUNTERPOISE_DATA", raising=False)
    code, _, err = run(capsys, "calibrate")
    assert code == 2
    assert "COUNTERPOISE_DATA" in err


def test_the_published_completions_are_the_default(capsys, data):
    code, out, _ = run(capsys, "calibrate", "--data", str(data), "--judge", "keyword", "--json")
    (found,) = json.loads(out)
    assert code == 0
    assert found["n"] == 1350
    assert set(found["by_source"]) == {"llama2new", "llama2orig", "mistralinstruct"}
