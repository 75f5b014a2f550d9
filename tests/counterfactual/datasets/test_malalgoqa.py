import csv
import json
from pathlib import Path
from typing import Any

import pytest

from counterpoise.counterfactual.case import Role, Stage, problems
from counterpoise.counterfactual.check_gold import check_gold
from counterpoise.counterfactual.datasets import Loaded, malalgoqa
from counterpoise.counterfactual.datasets.annotation import Annotation
from counterpoise.errors import DataError

ANNOTATION = {
    "id": "malalgoqa-7-A",
    "variables": [
        {"name": "rule used", "role": "exposure", "factual": "multiply", "counterfactual": "add"},
        {"name": "trays", "role": "covariate", "factual": "6", "counterfactual": "6"},
        {"name": "choice", "role": "outcome", "factual": "54", "counterfactual": "15"},
    ],
    "edges": [["rule used", "choice"], ["trays", "choice"]],
    "intervention": {"rule used": "add"},
}


def record(**changed: Any) -> dict[str, Any]:
    return {
        "ID": 7,
        "Question": "A baker fills 6 trays with  9 rolls each. How many rolls are there?",
        "Answer": "C",
        "Choice_A": " 15 ",
        "Choice_B": "45",
        "Choice_C": "54",
        "Choice_D": "none  of them ",
        "Rationale_A": "Adds both numbers.",
        "Rationale_B": "Takes 5 trays: 5 * 9 = 45",
        "Rationale_C": "6 * 9 = 54",
        "Rationale_D": "Believes that the trays are empty.",
    } | changed


def write(folder: Path, *records: object, name: str = "malalgoqa.json") -> Path:
    path = folder / "malalgoqa" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def no_annotations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(malalgoqa, "annotations", lambda name: {})


def test_a_case_for_every_wrong_choice(tmp_path: Path) -> None:
    write(tmp_path, record())
    cases, rejects = malalgoqa.read(tmp_path)
    assert not rejects
    assert [(case.id, case.target) for case in cases] == [(f"malalgoqa-7-{letter}", letter) for letter in "ABD"]
    assert len({case.cluster for case in cases}) == 1
    first = cases[0]
    asked, *choices = first.context.split("\n")
    assert asked == "A baker fills 6 trays with 9 rolls each. How many rolls are there?"
    assert choices == ["Choices:", "A. 15", "B. 45", "C. 54", "D. none of them"]
    assert first.options == ("15", "45", "54", "none of them")
    assert '"Adds both numbers."' in first.question
    # What the correct rule is, is not given away.
    assert all("6 * 9" not in case.context + case.question for case in cases)
    assert first.stages == (Stage.ANSWER,)
    assert {case.gold_kind for case in cases} == {"published"}
    assert [case.facets["states_choice"] for case in cases] == ["no", "yes", "no"]
    assert not any(problems(case) for case in cases)


def test_an_annotated_item_has_gold_for_the_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    annotation = Annotation.model_validate(ANNOTATION)
    monkeypatch.setattr(
        malalgoqa, "annotations", lambda name: {annotation.id: annotation} if name == "malalgoqa" else {}
    )
    write(tmp_path, record())
    annotated, *others = malalgoqa.read(tmp_path)[0]
    assert annotated.gold_kind == "annotated"
    assert annotated.of_role(Role.EXPOSURE)[0].name == "rule used"
    assert set(annotated.stages) == set(Stage) - {Stage.ABDUCTION}
    assert not problems(annotated)
    assert {case.gold_kind for case in others} == {"published"}
    [report] = check_gold({"malalgoqa": Loaded((annotated, *others), ())})
    assert set(report["oracle"].values()) == {1.0}
    assert len(report["oracle"]) == 5


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"Answer": "E"}, "the answer is 'E', not one of A, B, C, D"),
        ({"Answer": None}, "the answer is '', not one of A, B, C, D"),
        ({"Answer": "AB"}, "the answer is 'AB', not one of A, B, C, D"),
        ({"Question": " "}, "the question is empty"),
        ({"Choice_B": None}, "choice B is empty"),
        ({"Choice_D": "54 "}, "choices C and D are the same"),
        ({"Choice_B": "None of them"}, "choices B and D are the same"),
        ({"Rationale_C": None}, "the correct choice has no rationale"),
        ({"Rationale_C": float("nan")}, "the correct choice has no rationale"),
    ],
)
def test_a_question_that_cannot_be_used(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    write(tmp_path, record(**changed), record(ID=8, Question="How many rolls?"))
    cases, rejects = malalgoqa.read(tmp_path)
    assert {case.id.split("-")[1] for case in cases} == {"8"}
    assert [(reject.id, reject.reason) for reject in rejects] == [("malalgoqa-7", f"{reason} (record 1)")]


def test_a_choice_that_cannot_be_used(tmp_path: Path) -> None:
    write(tmp_path, record(Rationale_A=None), record(ID=8, Rationale_A="takes 5 trays : 5*9=45"))
    cases, rejects = malalgoqa.read(tmp_path)
    assert [case.id for case in cases] == ["malalgoqa-7-B", "malalgoqa-7-D", "malalgoqa-8-D"]
    assert [(reject.id, reject.reason) for reject in rejects] == [
        ("malalgoqa-7-A", "choice A has no rationale (record 1)"),
        ("malalgoqa-8-A", "choices A and B have the same rationale (record 2)"),
        ("malalgoqa-8-B", "choices B and A have the same rationale (record 2)"),
    ]


def test_rationales_that_differ_in_a_sign_are_different(tmp_path: Path) -> None:
    write(tmp_path, record(Rationale_A="6 + 9", Rationale_B="6 - 9"))
    assert len(malalgoqa.read(tmp_path)[0]) == 3


def test_repeats_are_rejected(tmp_path: Path) -> None:
    write(tmp_path, record(), record(Question="How many?"), record(ID=9))
    cases, rejects = malalgoqa.read(tmp_path)
    assert len(cases) == 3
    assert [(reject.id, reject.reason) for reject in rejects] == [
        ("malalgoqa-7", "the same id occurs twice (record 2, first record 1)"),
        ("malalgoqa-9", "the same item occurs twice (record 3, first record 1)"),
    ]


@pytest.mark.parametrize(
    ("rationale", "expected"),
    [
        ("Multiplies the number of rolls.", "no"),
        ("Multiplies the number of candles.", "yes"),
        ("Adds the candles she sells.", "yes"),
        ("Subtracts candles left. 9 - 6", "yes"),
        ("Adds the number of digits.", "no"),
        ("Counts one tray, and the number of trays.", "no"),
        ("Adds both.", "no"),
    ],
)
def test_a_rationale_about_other_objects_is_marked(tmp_path: Path, rationale: str, expected: str) -> None:
    write(tmp_path, record(Rationale_A=rationale))
    assert malalgoqa.read(tmp_path)[0][0].facets["mismatch"] == expected


@pytest.mark.parametrize(
    ("choice", "rationale", "expected"),
    [
        ("15", "6 + 9 = 15", "yes"),
        ("15", "Takes 150.", "no"),
        ("1:15", "Counts from 1 to 15.", "no"),
        ("1 hour 15 minutes", "15 minutes and 1 hour", "yes"),
        ("a square", "It is a square.", "yes"),
        ("a square", "It is a squarish shape.", "no"),
    ],
)
def test_a_rationale_that_says_the_choice_is_marked(tmp_path: Path, choice: str, rationale: str, expected: str) -> None:
    write(tmp_path, record(Choice_A=choice, Rationale_A=rationale))
    assert malalgoqa.read(tmp_path)[0][0].facets["states_choice"] == expected


def test_csv_gives_the_same_cases(tmp_path: Path) -> None:
    rows = [record(), record(ID=8, Question="One, two\nor three?", Rationale_A=None)]
    write(tmp_path, *rows)
    from_json = malalgoqa.read(tmp_path)
    (tmp_path / "malalgoqa" / "malalgoqa.json").unlink()
    with (tmp_path / "malalgoqa" / "malalgoqa.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*record(), "Grade"])
        writer.writeheader()
        writer.writerows([row | {"Grade": "5"} for row in rows])
    cases, rejects = malalgoqa.read(tmp_path)
    assert cases == from_json[0]
    assert [reject.id for reject in rejects] == [reject.id for reject in from_json[1]] == ["malalgoqa-8-A"]
    assert "line 4" in rejects[0].reason


def test_the_larger_file_comes_first(tmp_path: Path) -> None:
    write(tmp_path, record(), name="malalgoqa_first20.json")
    assert {case.revision for case in malalgoqa.read(tmp_path)[0]} == {"as in arXiv 2505.11839, IDs 0 to 19"}
    write(tmp_path, record(), record(ID=8, Question="?"))
    cases, _ = malalgoqa.read(tmp_path)
    assert len(cases) == 6
    assert {case.revision for case in cases} == {"as given out by its authors"}


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([{**record(), "Answer": ["C"]}], r"field 'Answer' is a list \(.*malalgoqa\.json record 1"),
        ([record(), 5], r"a int \(.*record 2.*a JSON object"),
        ([record(ID=" ")], r"field 'ID' is empty \(.*record 1"),
        ([{("Explanation_A" if k == "Rationale_A" else k): v for k, v in record().items()}], r"no field 'Rationale_A'"),
    ],
)
def test_a_malformed_record_is_named(tmp_path: Path, records: list[object], message: str) -> None:
    write(tmp_path, *records)
    with pytest.raises(DataError, match=message):
        malalgoqa.read(tmp_path)


def test_a_malformed_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, record())
    text = path.read_text(encoding="utf-8")
    path.write_text(text[:60], encoding="utf-8")
    with pytest.raises(DataError, match=r"not valid JSON: .*malalgoqa\.json line 1"):
        malalgoqa.read(tmp_path)
    path.write_text('{"ID": 1}', encoding="utf-8")
    with pytest.raises(DataError, match="a JSON list of records"):
        malalgoqa.read(tmp_path)
    path.write_bytes(text.encode("utf-16"))
    with pytest.raises(DataError, match="not UTF-8 text"):
        malalgoqa.read(tmp_path)
    path.unlink()
    (path.parent / "malalgoqa.csv").write_text("ID,Question,Answer\n1,?,A\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"no column Choice_A, .*malalgoqa\.csv line 1"):
        malalgoqa.read(tmp_path)
    (path.parent / "malalgoqa.csv").unlink()
    with pytest.raises(DataError, match=r"no MalAlgoQA file .*ask for the set with the form"):
        malalgoqa.read(tmp_path)


def test_nothing_is_fetched() -> None:
    assert malalgoqa.DATASET.downloads == ()
    assert "form" in malalgoqa.DATASET.obtain


def test_real_file(data: Path) -> None:
    path = data / "published_annotations" / "MalAlgoQA" / "parsed_data.json"
    cases, rejects = malalgoqa.cases_of(path, "31 records")
    records = {str(raw["ID"]): raw for raw in json.loads(path.read_text(encoding="utf-8"))}
    assert len(records) == 31
    assert (len(cases), len(rejects)) == (88, 3)
    # One question lacks the correct rationale, and two choices of another one share theirs.
    assert [reject.id for reject in rejects] == ["malalgoqa-2", "malalgoqa-6-A", "malalgoqa-6-C"]
    for case in cases:
        _, number, letter = case.id.split("-")
        raw = records[number]
        assert not problems(case)
        assert letter != raw["Answer"]
        assert case.options["ABCD".index(case.target)].split() == raw[f"Choice_{letter}"].split()
        assert " ".join(raw[f"Rationale_{letter}"].split()) in case.question
    marked = {case.id for case in cases if case.facets["mismatch"] == "yes"}
    assert marked == {f"malalgoqa-{item}" for item in ("18-B", "18-C", "19-A", "19-B", "19-C", "26-B", "26-C")}
    [report] = check_gold({"malalgoqa": Loaded(tuple(cases), tuple(rejects))})
    assert report["oracle"] == {"answer": 1.0}


def test_the_excerpt_is_a_part_of_the_larger_file(data: Path) -> None:
    small, large = (
        {case.id: case.target for case in malalgoqa.cases_of(data / file, "")[0]}
        for file in ("malalgoqa/malalgoqa_first20.json", "published_annotations/MalAlgoQA/parsed_data.json")
    )
    assert small.items() < large.items()
