import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from counterpoise.counterfactual.case import Role, Stage, Variable, problems
from counterpoise.counterfactual.check_gold import check_gold
from counterpoise.counterfactual.datasets import Loaded, clomo
from counterpoise.counterfactual.datasets.annotation import Annotation, annotations
from counterpoise.errors import DataError

ARGUMENT = "Statement1: The kiln cools slowly. Statement2: So the glaze will not crack."
EDITED = "Statement1: The kiln cools slowly. Statement2: So the glaze might crack."
FIRST = "Glaze that cools slowly does not crack."
SECOND = "Cooling has little to do with cracks."
PHRASES = {
    0: "provides a necessary assumption to",
    1: "provides a sufficient assumption to",
    2: "strengthens",
    3: "weakens",
}


def item(
    identity: str = "train_1",
    argument: str = ARGUMENT,
    edited: str = EDITED,
    qtype: int | str = 3,
    first: str = f"Premise1: {FIRST}",
    second: str = f"Premise2: {SECOND}",
) -> dict[str, Any]:
    """An item in the shape of the source."""
    phrase = PHRASES.get(int(qtype), "weakens")
    return {
        "instruction": f"Premise 1 {phrase} the Argument. Please modify the Statements until Premise 2 {phrase} it. ",
        "input": f"Argument: {argument}\n{first}\n{second}\n\nPlease write the modified argument below: ",
        "output": edited,
        "qtype": qtype,
        "id_string": identity,
        "input_info": {"Q": "Which one weakens the argument?", "Om": second, "O": first, "P": argument},
    }


def write(folder: Path, *items: Any, name: str = "clomo/zero_test.json") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(items)), encoding="utf-8")


@pytest.fixture(autouse=True)
def unannotated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up items have no annotations, whatever is annotated of the real ones."""
    if "data" not in request.fixturenames:
        monkeypatch.setattr(clomo, "annotations", lambda name: {})


def test_a_case_asks_for_the_argument_that_the_other_premise_weakens(tmp_path: Path) -> None:
    write(tmp_path, item(argument=f" {ARGUMENT}\n", edited=f"{EDITED} "))
    [case], rejects = clomo.read(tmp_path)
    assert not rejects
    assert not problems(case)
    assert case.id == "clomo-train_1"
    assert case.context == (
        f"Argument: {ARGUMENT}\nPremise 1: {FIRST}\nPremise 2: {SECOND}\nPremise 1 weakens the argument."
    )
    assert case.question.startswith("Suppose that Premise 2, and no longer Premise 1, weakened the argument.")
    assert (case.answer_kind, case.original, case.target) == ("edit", ARGUMENT, EDITED)
    assert case.facets == {"relation": "weakens", "statements": "2", "changed": "2"}
    # What an edit is about does not follow from the item, so there is no gold of the stages without an annotation.
    assert (case.gold_kind, case.stages) == ("published", (Stage.ANSWER,))


@pytest.mark.parametrize(
    ("qtype", "stated", "supposed"),
    [
        (0, "Premise 1 is a necessary assumption of the argument.", "Premise 1, were a necessary assumption of the"),
        (1, "Premise 1 is a sufficient assumption of the argument.", "Premise 1, were a sufficient assumption of the"),
        (2, "Premise 1 strengthens the argument.", "Premise 1, strengthened the argument"),
        ("3", "Premise 1 weakens the argument.", "Premise 1, weakened the argument"),
    ],
)
def test_the_relation_is_named_as_it_is_and_as_it_is_supposed(
    tmp_path: Path, qtype: int | str, stated: str, supposed: str
) -> None:
    write(tmp_path, item(qtype=qtype))
    [case], _ = clomo.read(tmp_path)
    assert case.context.endswith(stated)
    assert supposed in case.question


def test_an_annotation_brings_gold_of_the_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exposure, outcome = "premise that weakens the argument", "fate of the glaze"
    annotation = Annotation(
        id="clomo-train_1",
        variables=(
            Variable(name=exposure, role=Role.EXPOSURE, factual="Premise 1", counterfactual="Premise 2"),
            Variable(name=outcome, role=Role.OUTCOME, factual="stays whole", counterfactual="may crack"),
        ),
        edges=((exposure, outcome),),
        intervention={exposure: "Premise 2"},
    )
    monkeypatch.setattr(clomo, "annotations", lambda name: {annotation.id: annotation} if name == "clomo" else {})
    write(tmp_path, item(), item("train_2"))
    annotated, other = clomo.read(tmp_path)[0]
    assert not problems(annotated)
    assert (annotated.gold_kind, other.gold_kind) == ("annotated", "published")
    assert annotated.variables == annotation.variables
    assert annotated.edges == annotation.edges
    assert annotated.intervention == annotation.intervention
    assert Stage.OUTCOME in annotated.stages
    [checked] = check_gold({"clomo": Loaded((annotated, other), ())})
    assert set(checked["oracle"].values()) == {1.0}


def test_gaps_in_the_numbers_of_the_edited_statements_are_no_edit(tmp_path: Path) -> None:
    argument = "Statement1: Snow fell. Statement2: Roads closed. Statement3: The mail is late."
    edited = "Statement1: Snow fell. Statement3:  Roads opened. Statement5: The mail is on time."
    write(tmp_path, item(argument=argument, edited=edited))
    [case], rejects = clomo.read(tmp_path)
    assert not rejects
    assert case.target == "Statement1: Snow fell. Statement2:  Roads opened. Statement3: The mail is on time."
    assert case.facets["changed"] == "2, 3"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"edited": ARGUMENT}, "the edit changes no word"),
        ({"edited": ARGUMENT.replace(".", " !")}, "the edit changes no word"),
        ({"edited": f"{EDITED} Statement3: It shines."}, "the edit makes 3 statements of 2"),
        ({"edited": "Statement1: The kiln cools fast."}, "the edit makes 1 statements of 2"),
        ({"edited": "Statement1: The kiln cools. Statement2: "}, "the edit leaves Statement2 without words"),
        ({"edited": ""}, "the markers of the edited statements are broken"),
        ({"edited": "So the glaze might crack."}, "the markers of the edited statements are broken"),
        ({"edited": f"Well. {EDITED}"}, "the markers of the edited statements are broken"),
        ({"edited": EDITED.replace("Statement2", "Statement1")}, "the markers of the edited statements are broken"),
        ({"edited": EDITED.replace("Statement1", "Statement3")}, "the markers of the edited statements are broken"),
        ({"argument": ""}, "the markers of the statements are broken"),
        ({"argument": ARGUMENT.replace("Statement1", "Sent1")}, "the markers of the statements are broken"),
        ({"argument": f"{ARGUMENT} sent3: it is hot."}, "the markers of the statements are broken"),
        ({"argument": ARGUMENT.replace("Statement2", "Statement3")}, "the markers of the statements are broken"),
        ({"argument": "Statement1: The kiln cools. Statement2: ."}, "the markers of the statements are broken"),
        ({"first": FIRST}, "the marker of a premise is broken"),
        ({"second": f"Premise1: {SECOND}"}, "the marker of a premise is broken"),
        ({"second": "Premise2: "}, "a premise is empty"),
        ({"second": f"Premise2: {FIRST}"}, "the two premises are the same"),
    ],
)
def test_an_item_that_cannot_be_used_is_rejected_with_the_reason(
    tmp_path: Path, fields: dict[str, str], reason: str
) -> None:
    write(tmp_path, item("train_0"), item(**fields))
    cases, [reject] = clomo.read(tmp_path)
    assert [case.id for case in cases] == ["clomo-train_0"]
    assert (reject.id, reject.reason) == ("clomo-train_1", f"{reason} (zero_test.json item 2)")


def test_an_item_that_occurs_again_is_rejected_whether_or_not_the_first_was_used(tmp_path: Path) -> None:
    write(tmp_path, item("train_7"), item("train_8", edited=ARGUMENT), item("train_7"), item("train_8"))
    cases, rejects = clomo.read(tmp_path)
    assert [case.id for case in cases] == ["clomo-train_7"]
    assert [reject.reason for reject in rejects] == [
        "the edit changes no word (zero_test.json item 2)",
        "the same item occurs twice (zero_test.json item 3, first zero_test.json item 1)",
        "the same item occurs twice (zero_test.json item 4, first zero_test.json item 2)",
    ]


def test_two_relations_of_one_argument_are_one_cluster(tmp_path: Path) -> None:
    argument = "Statement1: Bees dance."
    write(tmp_path, item("a"), item("b", qtype=2), item("c", argument=argument, edited=argument.replace("d", "pr")))
    clusters = [case.cluster for case in clomo.read(tmp_path)[0]]
    assert clusters[0] == clusters[1] != clusters[2]


def test_the_order_of_the_file_changes_nothing(tmp_path: Path) -> None:
    items = [item(f"train_{number}", qtype=number % 4) for number in range(5)]
    write(tmp_path, *items)
    before = clomo.read(tmp_path)[0]
    write(tmp_path, *reversed(items))
    assert clomo.read(tmp_path)[0] == before


def test_layouts_from_the_best_to_the_last(tmp_path: Path) -> None:
    def found() -> tuple[list[str], set[str]]:
        cases, rejects = clomo.read(tmp_path)
        assert not rejects
        return [case.id.removeprefix("clomo-") for case in cases], {case.revision for case in cases}

    with pytest.raises(DataError, match=r"no CLOMO file .*clomo/zero_test\.json"):
        clomo.read(tmp_path)
    write(tmp_path, item("dev"), name="clomo/zero_dev.json")
    assert found() == (["dev"], {"zero-shot development set at 9259ec1"})
    write(tmp_path, item("ow"), name="data/type_picked/zero_ow_test.json")
    write(tmp_path, item("os", qtype=2), name="data/type_picked/zero_os_test.json")
    assert found() == (["os", "ow"], {"zero-shot test set by relation at 9259ec1"})
    write(tmp_path, item("authors"), name="CLOMO/data/zero_test.json")
    assert found() == (["authors"], {"zero-shot test set at 9259ec1"})
    write(tmp_path, item("test"))
    assert found()[0] == ["test"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"qtype": 4}, r"field 'qtype' is 4 .*zero_test\.json item 2.*0, 1, 2 or 3"),
        ({"qtype": True}, "field 'qtype' is True"),
        ({"qtype": "weaken"}, "field 'qtype' is 'weaken'"),
        ({"qtype": None}, "field 'qtype' is None"),
        ({"id_string": " "}, r"field 'id_string' is empty .*item 2"),
        ({"id_string": 12}, "field 'id_string' is a int"),
        ({"output": None}, r"field 'output' is a NoneType .*item 2"),
        ({"input_info": "P"}, r"a str .*item 2, input_info"),
        ({"input_info": {"P": ARGUMENT, "O": "Premise1: a"}}, "no field 'Om'"),
    ],
)
def test_a_malformed_item_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    write(tmp_path, item("train_0"), {**item(), **change})
    with pytest.raises(DataError, match=message):
        clomo.read(tmp_path)


@pytest.mark.parametrize("name", ["id_string", "qtype", "output", "input_info"])
def test_a_renamed_field_is_named(tmp_path: Path, name: str) -> None:
    changed = item()
    changed[name.upper()] = changed.pop(name)
    write(tmp_path, changed)
    with pytest.raises(DataError, match=r"zero_test\.json item 1") as caught:
        clomo.read(tmp_path)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps([item()], indent=1).encode()[:-40], r"not valid JSON: .*zero_test\.json line \d+"),
        (b'[{"id_string": "\xff"}]', r"not UTF-8 text .*zero_test\.json line 1"),
        (b'{"data": []}', r"a dict .*zero_test\.json.*a JSON list"),
        (b"[12]", r"a int .*zero_test\.json item 1"),
        (b"", r"not valid JSON"),
    ],
)
def test_a_damaged_file_is_one_error(tmp_path: Path, content: bytes, message: str) -> None:
    write(tmp_path)
    (tmp_path / "clomo" / "zero_test.json").write_bytes(content)
    with pytest.raises(DataError, match=message):
        clomo.read(tmp_path)


def test_what_is_downloaded_is_the_file_that_is_read_first() -> None:
    [download] = clomo.DATASET.downloads
    assert download.path == clomo.DATASET.files[0]
    assert re.fullmatch(r"[0-9a-f]{40}", download.revision)
    assert set(clomo.DATASET.roles) == set(Role)


def test_real_files(data: Path, tmp_path: Path) -> None:
    cases, rejects = clomo.read(data)
    raw = (data / "clomo" / "zero_test.json").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == clomo.DATASET.downloads[0].sha256
    items = {entry["id_string"]: entry for entry in json.loads(raw)}
    assert len(cases) == 193
    assert Counter(reject.reason.partition(" (")[0] for reject in rejects) == {
        "the markers of the statements are broken": 5,
        "the edit leaves Statement2 without words": 1,
        "the edit leaves Statement4 without words": 1,
    }
    assert {entry.id for entry in (*cases, *rejects)} == {f"clomo-{identity}" for identity in items}
    assert Counter(case.facets["relation"] for case in cases) == {
        "necessary assumption": 76,
        "weakens": 69,
        "strengthens": 34,
        "sufficient assumption": 14,
    }
    # One argument is asked about twice.
    assert len({case.cluster for case in cases}) == len(cases) - 1
    known = annotations("clomo")
    assert known.keys() <= {case.id for case in cases}
    for case in cases:
        assert not problems(case)
        assert (case.gold_kind == "annotated") == (case.id in known)
        entry = items[case.id.removeprefix("clomo-")]
        # The relation as the instruction words it, not by its number.
        stated = re.search(r"where Premise 1 (.+?) the Argument\.", entry["instruction"])
        assert stated
        relation = re.sub(r"provides an? | to$", "", stated[1])
        assert relation == case.facets["relation"]
        assert case.original is not None
        assert case.original in case.context
        assert f"Argument: {case.original}\n" in entry["input"]
        assert case.target not in case.context
        # The target is the source's text but for the numbers in markers.
        blank = re.compile(r"Statement\d+")
        assert blank.sub("Statement", case.target) == blank.sub("Statement", entry["output"].strip())
        before, after = (re.split(r"Statement\d+:", text)[1:] for text in (case.original, case.target))
        differ = [
            str(k) for k, (old, new) in enumerate(zip(before, after, strict=True), 1) if old.split() != new.split()
        ]
        assert case.facets["changed"].split(", ") == differ
        assert case.facets["statements"] == str(len(before))
    # The files by relation hold the same items.
    (tmp_path / "clomo").mkdir()
    for relation in ("ona", "osa", "os", "ow"):
        name = f"clomo/zero_{relation}_test.json"
        (tmp_path / name).write_bytes((data / name).read_bytes())
    parts, refused = clomo.read(tmp_path)
    assert [case.model_copy(update={"revision": cases[0].revision}) for case in parts] == cases
    assert {reject.id for reject in refused} == {reject.id for reject in rejects}
    # The development set is another one.
    (tmp_path / "dev" / "clomo").mkdir(parents=True)
    name = "clomo/zero_dev.json"
    (tmp_path / "dev" / name).write_bytes((data / name).read_bytes())
    developed, left = clomo.read(tmp_path / "dev")
    assert len(developed) + len(left) == 200
    assert not {case.id for case in developed} & {f"clomo-{identity}" for identity in items}
