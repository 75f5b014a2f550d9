"""Cases from a file: a dataset like any other, validated like any other."""

import json

import pytest

from counterpoise.cli import main
from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.datasets import get, load
from counterpoise.counterfactual.suite.config import GenerateConfig
from counterpoise.counterfactual.suite.generate import generate
from counterpoise.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write(*cases, name="cases.jsonl"):
        path = tmp_path / name
        lines = [case if isinstance(case, str) else json.dumps(case) for case in cases]
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return str(path)

    return write


def dumped(case, **changes):
    return case.model_dump(mode="json") | changes


@pytest.mark.parametrize("suite", ["scm-text", "scm-math", "scm-code", "scm-image"])
def test_generated_cases_come_back_as_they_were(write, suite):
    cases = [generate(GenerateConfig(suite=suite), 11, index) for index in range(6)]
    name = write(*(dumped(case) for case in cases))
    loaded = load(name)
    assert loaded.cases == tuple(cases)
    assert loaded.rejects == ()
    dataset = get(name)
    assert (dataset.name, dataset.files, dataset.shots) == (name, (), None)
    assert (dataset.modality, dataset.gold_kind) == (cases[0].modality, "executed")


def test_rows_are_of_the_cases_dataset_or_else_of_the_file(write, lamp, gate):
    assert {case.dataset for case in load(write(dumped(lamp), dumped(gate))).cases} == {"hand"}
    mixed = load(write(dumped(lamp), dumped(gate, dataset="other"), name="mixed.jsonl"))
    assert {case.dataset for case in mixed.cases} == {"mixed"}


def test_cases_with_wrong_gold_are_rejected_with_the_reason(write, lamp, gate):
    cyclic = dumped(gate, id="cyclic", edges=[["lever", "boat"], ["boat", "lever"]])
    wrong = dumped(lamp, id="wrong", target="lit")
    unknown = dumped(lamp, id="unknown")
    unknown["execution"]["scm"]["mechanisms"]["lamp"] = "lamp + 1"
    name = write(dumped(gate), cyclic, wrong, dumped(gate), unknown)
    loaded = load(name)
    assert [case.id for case in loaded.cases] == ["gate-1"]
    reasons = {reject.id: reject.reason for reject in loaded.rejects}
    assert "the graph has a cycle" in reasons["cyclic"]
    assert reasons["wrong"] == "target is 'lit', execution gives 'dark'"
    assert reasons["gate-1"] == "the same item occurs twice"
    assert reasons["unknown"].startswith("line 5: the mechanisms form a cycle")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{"], "not valid JSON (PATH line 1); expected one object a line"),
        (["", "[]"], "a list (PATH line 2); expected a JSON object"),
        (['{"id": "x"}'], "not a case: dataset: Field required, and 9 more (PATH line 1)"),
        (["GOOD", '{"id": 3}'], "not a case: id: Input should be a valid string, and 10 more (PATH line 2)"),
        (["TYPO"], "not a case: tarjet: Extra inputs are not permitted (PATH line 1)"),
        ([], "no case in the file (PATH); expected one case a line"),
        (["CYCLIC"], "dataset 'PATH' has no valid case: gate-1: the graph has a cycle"),
        (["BROKEN"], "line 1: the mechanisms form a cycle (lamp -> lamp) (PATH)"),
    ],
)
def test_a_bad_file_is_one_line(write, lamp, gate, lines, message):
    broken = dumped(lamp)
    broken["execution"]["scm"]["mechanisms"]["lamp"] = "lamp + 1"
    known = {
        "GOOD": dumped(lamp),
        "TYPO": dumped(lamp, tarjet="dark"),
        "CYCLIC": dumped(gate, edges=[["lever", "boat"], ["boat", "lever"]]),
        "BROKEN": broken,
    }
    name = write(*(known.get(line, line) for line in lines))
    with pytest.raises(DataError) as raised:
        load(name)
    assert message.replace("PATH", name) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"cannot read file: No such file.*nowhere\.jsonl"):
        load(str(tmp_path / "nowhere.jsonl"))
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(DataError, match="cannot read file: Is a directory"):
        load(str(tmp_path / "folder.jsonl"))


def test_check_gold_reads_a_file(write, lamp, capsys):
    name = write(dumped(lamp))
    assert main(["check-gold", name, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["dataset"], found["cases"]) == (name, 1)
    assert found["oracle"] == dict.fromkeys(map(str, Stage), 1.0)
