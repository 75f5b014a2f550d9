import ast
import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from counterpoise.counterfactual.case import Case, Role, Stage, problems
from counterpoise.counterfactual.check_gold import check_gold
from counterpoise.counterfactual.datasets import Loaded, malalgoqa, published
from counterpoise.counterfactual.datasets.published import defects, published_cases, read_published
from counterpoise.errors import DataError, UnknownNameError

ANNOTATIONS = "causal_variables_and_graph_edges.json"
ROLES = ("Exposure", "Covariate", "Mediator", "Outcome")
QUESTION = "What would have happened if the baker had overslept?"
TEXT = f"A baker gets up early. {QUESTION}"


def world(**changed: list[str]) -> dict[str, list[str]]:
    roles = {"Exposure": ["early start"], "Covariate": ["hot oven"], "Mediator": ["time to bake"], "Outcome": ["bread"]}
    return roles | changed


def graph(roles: dict[str, list[str]]) -> list[list[str]]:
    """Covariates to mediators and outcome, exposure to mediators, mediators to outcome, between all of them."""
    pairs = [("Covariate", "Mediator"), ("Covariate", "Outcome"), ("Exposure", "Mediator"), ("Mediator", "Outcome")]
    return [[parent, child] for a, b in pairs for parent in roles[a] for child in roles[b]]


def record(**changed: Any) -> dict[str, Any]:
    before = world()
    after = world(Exposure=["late start"], Mediator=["no time to bake"], Outcome=["no bread"])
    return {
        "text": TEXT,
        "factual_roles": before,
        "factual_graph_edges": graph(before),
        "counterfactual_roles": after,
        "counterfactual_graph_edges": graph(after),
    } | changed


def worlds(before: dict[str, list[str]], after: dict[str, list[str]], **more: Any) -> dict[str, Any]:
    """A record whose graphs belong to its roles."""
    return record(
        factual_roles=before,
        factual_graph_edges=graph(before),
        counterfactual_roles=after,
        counterfactual_graph_edges=graph(after),
        **more,
    )


def changed_after(**changed: list[str]) -> dict[str, Any]:
    after = world(Exposure=["late start"], Mediator=["no time to bake"], Outcome=["no bread"]) | changed
    return worlds(world(), after)


def write(folder: Path, name: str, value: object, file: str = ANNOTATIONS) -> Path:
    path = folder / published.FOLDER / name / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def write_crass(folder: Path, *records: dict[str, Any]) -> None:
    write(folder, "CRASS", list(records))
    options = {" There would be bread. ": 0, "There would be no bread.": 1}
    raw = {"examples": [{"input": text, "target_scores": options} for text in {r["text"] for r in records}]}
    write(folder, "CRASS", raw, "CRASS_FTM_BIG_Bench_data_set.json")


def reasons(folder: Path, name: str = "CRASS") -> list[str]:
    cases, rejects = published_cases(name, folder)
    assert not cases
    [reject] = rejects
    return reject.reason.split("; ")


def only(folder: Path, name: str) -> Case:
    cases, rejects = published_cases(name, folder)
    assert not rejects
    [case] = cases
    assert not problems(case)
    return case


def test_a_sound_record_is_a_case(tmp_path: Path) -> None:
    write_crass(tmp_path, record())
    case = only(tmp_path, "CRASS")
    assert case.gold_kind == "published"
    assert case.id.startswith("published-crass-")
    assert (case.context, case.question) == ("A baker gets up early.", QUESTION)
    assert case.options == ("There would be bread.", "There would be no bread.")
    assert case.target == "B"
    assert dict(case.intervention) == {"early start": "late start"}
    assert [(v.name, v.factual, v.counterfactual) for v in case.of_role(Role.MEDIATOR)] == [
        ("time to bake", "time to bake", "no time to bake")
    ]
    assert set(case.edges) == {tuple(edge) for edge in record()["factual_graph_edges"]}
    assert set(case.stages) == set(Stage) - {Stage.ABDUCTION}
    remarks = {f"no edge from exposure to outcome in the {name} world": 1 for name in ("factual", "counterfactual")}
    assert defects(tmp_path) == {"CRASS": {"records": 1, "sound": 1, "defects": {}, "remarks": remarks}}
    [report] = check_gold({"CRASS": Loaded((case,), ())})
    assert set(report["oracle"].values()) == {1.0}


def test_cutting_the_edges_into_the_exposure_is_sound(tmp_path: Path) -> None:
    whole = record()
    whole["factual_graph_edges"].append(["hot oven", "early start"])
    write_crass(tmp_path, whole)
    assert ("hot oven", "early start") in only(tmp_path, "CRASS").edges


LONG = "a loaf so long that " * 5


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (changed_after(Exposure=["early start"]), ["exposure does not change"]),
        (changed_after(Covariate=["cold oven"]), ["covariates change"]),
        (changed_after(Mediator=["altered time to bake"]), ["mediator is only called altered"]),
        (changed_after(Mediator=["time to bake (altered)"]), ["mediator is only called altered"]),
        (changed_after(Outcome=["There would be..."]), ["a value is cut off"]),
        (changed_after(Outcome=["N.A."]), ["counterfactual outcome is N.A."]),
        (changed_after(Outcome=["n/a"]), ["counterfactual outcome is N.A."]),
        (changed_after(Outcome=[LONG]), ["a value is longer than 80 characters"]),
        (changed_after(Outcome=["[]"]), ["a value has no letter or digit"]),
        (changed_after(Exposure=["removing objects"]), ["exposure is a template"]),
        (changed_after(Mediator=["basic result"]), ["mediator is a template"]),
        (changed_after(Outcome=["general argument adjustment changed"]), ["outcome is a template"]),
        (changed_after(Exposure=["not early start"]), ["exposure is negated, the question is about another change"]),
        (
            changed_after(Outcome=["no time to bake"]),
            [
                "two roles have the same text in the counterfactual world",
                "edge to itself in the counterfactual world",
                "an edge occurs twice in the counterfactual world",
            ],
        ),
        (changed_after(Outcome=["TBD"]), ["case is not valid: counterfactual value 'TBD' of 'bread' is a placeholder"]),
        (
            worlds(world(Covariate=["basic condition"]), world(Exposure=["late"], Covariate=["basic condition"])),
            ["covariate is a template"],
        ),
        (
            worlds(world(Exposure=["Premise 1. Please modify the Statements"]), world(Exposure=["Premise 2"])),
            ["exposure is the instruction, cut off"],
        ),
    ],
)
def test_roles_that_hold_no_gold(tmp_path: Path, value: dict[str, Any], expected: list[str]) -> None:
    write_crass(tmp_path, value)
    found = reasons(tmp_path)
    assert found == expected
    assert {reason.partition(": ")[0] for reason in found} <= set(published.DEFECTS)


def test_a_role_without_text_is_a_defect(tmp_path: Path) -> None:
    write_crass(tmp_path, worlds(world(Mediator=[]), world(Exposure=["late start"])))
    assert "a role is empty" in reasons(tmp_path)


def test_a_negated_exposure_is_sound_where_the_question_negates(tmp_path: Path) -> None:
    value = changed_after(Exposure=["not early start"])
    value["text"] = "A baker gets up early. What would have happened if the baker hadn't?"
    write_crass(tmp_path, value)
    assert dict(only(tmp_path, "CRASS").intervention) == {"early start": "not early start"}
    assert defects(tmp_path)["CRASS"]["remarks"]["exposure is only negated"] == 1


def test_texts_that_are_not_told_apart(tmp_path: Path) -> None:
    same = ["there is bread"]
    write_crass(
        tmp_path,
        record(
            factual_roles=world(Exposure=same, Outcome=same),
            factual_graph_edges=[["hot oven", *same], [*same, "time to bake"], ["time to bake", *same], [*same, *same]],
        ),
    )
    assert reasons(tmp_path) == [
        f"{what} in the factual world"
        for what in (
            "exposure is the outcome",
            "two roles have the same text",
            "edge to itself",
            "cycle of several edges",
        )
    ]


@pytest.mark.parametrize(
    ("key", "edit", "expected"),
    [
        ("factual", lambda edges: [*edges, ["hot ove", "bread"]], ["edge endpoint is not a role in the factual world"]),
        ("factual", lambda edges: [*edges, edges[0]], ["an edge occurs twice in the factual world"]),
        ("factual", lambda edges: [*edges, ["bread", "hot oven"]], ["cycle of several edges in the factual world"]),
        ("factual", lambda edges: edges[2:], ["a role has no edge in the factual world"]),
        ("counterfactual", lambda edges: edges[:-1], ["the two graphs differ"]),
        ("counterfactual", lambda edges: [*edges, ["late start", "no bread"]], ["the two graphs differ"]),
        (
            "counterfactual",
            lambda edges: [*edges, ["hot oven", "bread"]],
            ["edge endpoint is not a role in the counterfactual world"],
        ),
    ],
)
def test_graphs_that_are_no_gold(
    tmp_path: Path, key: str, edit: Callable[[list[list[str]]], list[list[str]]], expected: list[str]
) -> None:
    value = record()
    value[f"{key}_graph_edges"] = edit(value[f"{key}_graph_edges"])
    write_crass(tmp_path, value)
    found = reasons(tmp_path)
    assert found[0] == expected[0]
    # A graph that is none in itself also differs from the other one.
    assert set(found[1:]) <= {"the two graphs differ"}


def test_a_repeated_record_is_used_once(tmp_path: Path) -> None:
    write_crass(tmp_path, record(), record())
    cases, rejects = published_cases("CRASS", tmp_path)
    assert [case.id for case in cases] == [reject.id for reject in rejects]
    assert [reject.reason for reject in rejects] == ["record occurs twice"]


def test_a_record_without_its_item_is_rejected(tmp_path: Path) -> None:
    write_crass(tmp_path, record())
    (tmp_path / published.FOLDER / "CRASS" / "CRASS_FTM_BIG_Bench_data_set.json").unlink()
    assert reasons(tmp_path) == ["raw item is not at hand"]
    write(tmp_path, "COCO", [record()])
    assert reasons(tmp_path, "COCO") == ["raw item is not at hand"]


def arithmetic(outcome: str = "72", **changed: Any) -> dict[str, Any]:
    before = world(Exposure=["10-based system"], Covariate=["14", "56"], Mediator=["adding"], Outcome=["70"])
    after = world(Exposure=["8-based system"], Covariate=["14", "56"], Mediator=["12", "46"], Outcome=[outcome])
    return {"factual_roles": before, "counterfactual_roles": after} | changed


def test_arithmetic_has_no_graph(tmp_path: Path) -> None:
    write(tmp_path, "Arithmetic", [arithmetic()])
    write(tmp_path, "Arithmetic-Base-16", [arithmetic("72 ")], "flattened_processed_16_9_first30.json")
    case = only(tmp_path, "Arithmetic")
    assert case.target == "72"
    assert case.edges == ()
    assert Stage.GRAPH not in case.stages
    assert [(v.factual, v.counterfactual) for v in case.of_role(Role.MEDIATOR)] == [("adding", "12"), (None, "46")]
    assert defects(tmp_path)["Arithmetic"]["remarks"] == {
        "no text": 1,
        "no graph": 1,
        "the worlds have different numbers of mediators": 1,
    }
    assert reasons(tmp_path, "Arithmetic-Base-16") == ["outcome is not that of the raw item"]
    write(tmp_path, "Arithmetic", [arithmetic("71")])
    assert reasons(tmp_path, "Arithmetic") == ["outcome is not that of the raw item"]


@pytest.mark.parametrize("covariates", [["14"], ["14", "56", "1"], ["19", "56"]])
def test_operands_that_are_none_have_no_item(tmp_path: Path, covariates: list[str]) -> None:
    value = arithmetic()
    value["factual_roles"]["Covariate"] = value["counterfactual_roles"]["Covariate"] = covariates
    write(tmp_path, "Arithmetic", [value])
    assert reasons(tmp_path, "Arithmetic") == ["raw item is not at hand"]


def test_clomo_is_joined_by_order(tmp_path: Path) -> None:
    argument = "Statement1: Ovens are hot. Statement2: So bread bakes."
    item = {
        "instruction": "Modify it. ",
        "input": f"Argument: {argument}\nPremise1: A.\nPremise2: B.\n\nPlease write the modified argument below: ",
        "output": "Statement1: Ovens are hot. Statement2: So bread may bake.",
        "id_string": "own_1",
        "input_info": {"P": argument},
    }
    write(tmp_path, "CLOMO", [record(text="Modify it. ")])
    write(tmp_path, "CLOMO", [item], "parsed_data.json")
    case = only(tmp_path, "CLOMO")
    assert (case.answer_kind, case.original, case.target) == ("edit", argument, item["output"])
    assert case.context == f"Argument: {argument}\nPremise1: A.\nPremise2: B."
    # What stands at the same place must have the same instruction, and every record a place.
    write(tmp_path, "CLOMO", [{**item, "instruction": "Another."}], "parsed_data.json")
    assert reasons(tmp_path, "CLOMO") == ["raw item is not at hand"]
    write(tmp_path, "CLOMO", [], "parsed_data.json")
    assert reasons(tmp_path, "CLOMO") == ["raw item is not at hand"]


ROWS = "file_name,query,answer,new query,new answer,type\n"


def cvqa(picture: str, factual: str, counterfactual: str) -> dict[str, Any]:
    before = world(Exposure=["two cats"], Covariate=[picture], Mediator=["counting"], Outcome=[factual])
    after = world(Exposure=["a cat leaves"], Covariate=[picture], Mediator=["counting again"], Outcome=[counterfactual])
    return worlds(before, after, text="How many cats?")


def test_cvqa_is_joined_by_question_and_picture(tmp_path: Path) -> None:
    rows = [
        f"{picture},How many cats?,{answer},How many if one left?,{new},direct"
        for picture, answer, new in [("a.jpg", 9, 8), ("b.jpg", 2, 1), ("b.jpg", 2, 1)]
    ]
    write(tmp_path, "CVQA-Count", [cvqa("b.jpg", "2 cats", "1 cats")])
    write(tmp_path, "CVQA-Count", ROWS + "\n".join(rows), "counting.csv")
    case = only(tmp_path, "CVQA-Count")
    assert (case.modality, case.answer_kind, case.target) == ("image", "number", "1")
    assert [media.file for media in case.media] == ["cvqa/images/b.jpg"]
    assert case.question == "How many if one left?"
    write(tmp_path, "CVQA-Count", [cvqa("b.jpg", "2 cats", "3 cats")])
    assert reasons(tmp_path, "CVQA-Count") == ["outcome is not that of the raw item"]
    write(tmp_path, "CVQA-Count", [cvqa("c.jpg", "2 cats", "1 cats")])
    assert reasons(tmp_path, "CVQA-Count") == ["raw item is not at hand"]


@pytest.mark.parametrize(
    ("factual", "counterfactual", "sound"),
    [("cats here", "no cats here", True), ("yes", "no", True), ("cats here", "cats there", False)],
)
def test_yes_and_no_are_read_off_the_outcome(tmp_path: Path, factual: str, counterfactual: str, sound: bool) -> None:
    write(tmp_path, "CVQA-Bool", [cvqa("b.jpg", factual, counterfactual)])
    write(tmp_path, "CVQA-Bool", f"{ROWS}b.jpg,How many cats?,yes,Would there be?,no,boolean\n", "boolean.csv")
    if sound:
        assert only(tmp_path, "CVQA-Bool").target == "no"
    else:
        assert reasons(tmp_path, "CVQA-Bool") == ["outcome is not that of the raw item"]


def program(output: str, other: str, arguments: str = "3, 4") -> tuple[dict[str, Any], dict[str, Any]]:
    """A record and its raw item."""
    source = "def pick(a, b):\n    pass"
    before = world(Exposure=["0-based indexing"], Covariate=[source], Mediator=[arguments], Outcome=[output])
    after = world(Exposure=["1-based indexing"], Covariate=[source], Mediator=[arguments], Outcome=[other])
    value = worlds(before, after)
    del value["text"]
    item = {"id": "t0", "source": "t.py", "instruction": source, "input": arguments, "output": output}
    return value, item | {"cf_output": other}


@pytest.mark.parametrize(
    ("output", "other", "expected"),
    [
        ("[5, 6]", "[6, 7]", ["1 is added to an outcome instead of the indexing"]),
        ("5", "6", ["1 is added to an outcome instead of the indexing"]),
        ("'a', 'wrong'", "'b', 'wrong'", None),
        ("[5.0, 6.0", "[5.0, 6.0", ["outcome is not a Python literal"]),
        ("True", "True", None),
        ("[5, 6]", "[5, 7]", None),
    ],
)
def test_programs(tmp_path: Path, output: str, other: str, expected: list[str] | None) -> None:
    value, item = program(output, other)
    write(tmp_path, "HumanEval-Exe", [value])
    write(tmp_path, "HumanEval-Exe", [item], "parsed_data.json")
    if expected is None:
        assert only(tmp_path, "HumanEval-Exe").target == other
    else:
        assert reasons(tmp_path, "HumanEval-Exe") == expected


def test_a_program_is_joined_by_its_call(tmp_path: Path) -> None:
    first, first_item = program("5", "7", "1, 2")
    second, second_item = program("8", "4", "3, 4")
    first["factual_roles"]["Covariate"] = first["counterfactual_roles"]["Covariate"] = ["picking"]
    for name in ("factual", "counterfactual"):
        first[f"{name}_graph_edges"] = graph(first[f"{name}_roles"])
    write(tmp_path, "HumanEval-Exe", [first, second])
    write(tmp_path, "HumanEval-Exe", [first_item, {**first_item, "input": "9, 9"}, second_item], "parsed_data.json")
    cases, rejects = published_cases("HumanEval-Exe", tmp_path)
    assert not rejects
    # The first record was written by hand and names no program: it belongs to the first item.
    assert [case.target for case in cases] == ["7", "4"]
    assert "pick(3, 4) returns 8." in cases[1].context
    write(tmp_path, "HumanEval-Exe", [first])
    write(tmp_path, "HumanEval-Exe", [{**first_item, "cf_output": "6"}], "parsed_data.json")
    assert reasons(tmp_path, "HumanEval-Exe") == ["outcome is not that of the raw item"]


def flawed(letter: str, quoted: str = "") -> dict[str, Any]:
    before = world(Exposure=["multiplying"], Covariate=["6 and 9"], Mediator=["product"], Outcome=["Choice C (5,400)"])
    after = world(Exposure=["adding"], Covariate=["6 and 9"], Mediator=["sum"], Outcome=[f"Choice {letter}{quoted}"])
    value = worlds(before, after)
    del value["text"]
    # The spelling of this dataset.
    return {key.replace("_graph_", "_"): part for key, part in value.items()}


def question(**changed: Any) -> dict[str, Any]:
    choices = {"Choice_A": " 15 ", "Choice_B": "3", "Choice_C": "5400", "Choice_D": "69"}
    rationales = {"Rationale_A": "60 + 90", "Rationale_B": "9 - 6", "Rationale_C": "60 * 90", "Rationale_D": "glued"}
    return {"ID": 0, "Question": "What is 60 times 90?", "Answer": "C", **choices, **rationales} | changed


def test_malalgoqa_has_three_records_a_question(tmp_path: Path) -> None:
    write(tmp_path, "MalAlgoQA", [flawed("A"), flawed("B", " (4)"), flawed("D", " (69)")])
    write(tmp_path, "MalAlgoQA", [question()], "parsed_data.json")
    cases, rejects = published_cases("MalAlgoQA", tmp_path)
    assert [case.target for case in cases] == ["A", "D"]
    assert '"60 + 90"' in cases[0].question
    assert cases[0].edges
    assert [reject.reason for reject in rejects] == ["outcome is not that of the raw item"]
    write(tmp_path, "MalAlgoQA", [question(Rationale_A=None)], "parsed_data.json")
    assert published_cases("MalAlgoQA", tmp_path)[1][0].reason == "raw item is refused"
    write(tmp_path, "MalAlgoQA", [question(ID=5)], "parsed_data.json")
    assert published_cases("MalAlgoQA", tmp_path)[1][0].reason == "raw item is not at hand"


def test_word_orders_are_joined_by_sentence(tmp_path: Path) -> None:
    before = world(Exposure=["svo"], Covariate=["words"], Mediator=["as it is"], Outcome=["rosa met omar."])
    after = world(Exposure=["sov"], Covariate=["words"], Mediator=["moved"], Outcome=["rosa omar met."])
    write(tmp_path, "RNN-Typology", [worlds(before, after, text="rosa met omar.")])
    write(tmp_path, "RNN-Typology", {"rosa met omar.": "rosa omar met."}, "parsed_data.json")
    case = only(tmp_path, "RNN-Typology")
    assert (case.target, case.execution) == ("rosa omar met.", None)
    write(tmp_path, "RNN-Typology", {"rosa met omar.": "omar met rosa."}, "parsed_data.json")
    assert reasons(tmp_path, "RNN-Typology") == ["raw item is refused"]
    write(tmp_path, "RNN-Typology", {"ivy met omar.": "ivy omar met."}, "parsed_data.json")
    assert reasons(tmp_path, "RNN-Typology") == ["raw item is not at hand"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("<!DOCTYPE html><html></html>", r"not valid JSON: .*causal_variables.*line 1"),
        ({"text": "x"}, "a JSON list of records"),
        ([record(), "x"], r"a str \(.*record 2\)"),
        ([{"text": "x"}], r"no field 'factual_roles' \(.*record 1"),
        ([record(text=5)], "field 'text' is a int"),
        ([record(factual_roles={"Treatment": ["x"]})], "role 'Treatment'.*expected Exposure, Covariate"),
        ([record(factual_roles=world(Outcome="bread"))], r"Outcome\); expected a list of texts"),
        ([record(factual_graph_edges=[["a", "b", "c"]])], "expected a pair of texts"),
        ([record(factual_graph_edges="a->b")], "expected a list of pairs"),
    ],
)
def test_a_malformed_file_is_named(tmp_path: Path, value: object, message: str) -> None:
    write(tmp_path, "CRASS", value)
    with pytest.raises(DataError, match=message):
        read_published(tmp_path)


def test_what_is_not_there(tmp_path: Path) -> None:
    for function in (read_published, defects):
        with pytest.raises(DataError, match="no published annotations"):
            function(tmp_path)
        with pytest.raises(DataError, match="no published annotations"):
            function(None)
    write_crass(tmp_path, record())
    assert set(read_published(tmp_path)) == {"CRASS"}
    with pytest.raises(DataError, match=r"no published annotations of COCO .*published_annotations/COCO"):
        published_cases("COCO", tmp_path)
    with pytest.raises(UnknownNameError, match="CRAS"):
        published_cases("CRAS", tmp_path)


def test_downloads_are_pinned_and_leave_out_what_is_given_out_on_request() -> None:
    assert all(len(download.revision) == 40 and not download.hub for download in published.DOWNLOADS)
    assert all(
        download.path == download.file.replace("data/", "published_annotations/", 1) for download in published.DOWNLOADS
    )
    assert len({download.path for download in published.DOWNLOADS}) == len(published.DOWNLOADS) == 18
    assert not any(download.path.endswith("MalAlgoQA/parsed_data.json") for download in published.DOWNLOADS)


# Records at the source, by dataset; the files at hand hold some of them back or are cut.
AT_SOURCE = {
    "Arithmetic": 61,
    "Arithmetic-Base-16": 60,
    "CLOMO": 30,
    "COCO": 31,
    "CRASS": 30,
    "CVQA-Bool": 30,
    "CVQA-Count": 30,
    "Code-Preference": 3,
    "HumanEval-Exe": 981,
    "MalAlgoQA": 30,
    "Open-Critic": 3,
    "RNN-Typology": 30,
}
# Counts over the whole files at the source, as listed beside the data.
COUNTED = {
    "Arithmetic": {"no graph": 61, "factual outcome is N.A.": 60, "factual mediator is N.A.": 1},
    "Arithmetic-Base-16": {"no graph": 60, "factual outcome is N.A.": 60},
    "CLOMO": {
        "record occurs twice": 18,
        "outcome is a template": 22,
        "mediator is a template": 29,
        "exposure is the instruction, cut off": 29,
        "edge endpoint is not a role in the factual world": 1,
        "edge endpoint is not a role in the counterfactual world": 1,
        "no edge from covariate to outcome in the factual world": 29,
    },
    "COCO": {
        "exposure is the outcome in the factual world": 30,
        "exposure is the outcome in the counterfactual world": 30,
        "edge to itself in the factual world": 30,
        "edge to itself in the counterfactual world": 30,
        "cycle of several edges in the factual world": 30,
        "cycle of several edges in the counterfactual world": 30,
        "covariates change": 30,
    },
    "CRASS": {
        "factual outcome is N.A.": 29,
        "exposure is a template": 13,
        "covariate is a template": 13,
        "mediator is a template": 13,
        "mediator is only called altered": 29,
        "exposure is only negated": 27,
        "exposure is negated, the question is about another change": 26,
        "a value is cut off": 14,
        "edge endpoint is not a role in the counterfactual world": 2,
        "no edge from covariate to outcome in the factual world": 29,
        "no edge from covariate to outcome in the counterfactual world": 30,
    },
    "CVQA-Bool": {
        "exposure is the outcome in the factual world": 17,
        "edge to itself in the factual world": 17,
        "cycle of several edges in the factual world": 17,
        "mediators do not change": 29,
        "outcome does not change": 5,
        "record occurs twice": 1,
    },
    "CVQA-Count": {
        "exposure is the outcome in the factual world": 29,
        "edge to itself in the factual world": 29,
        "cycle of several edges in the factual world": 29,
        "exposure is a template": 29,
    },
    "Code-Preference": {
        "edge endpoint is not a role in the counterfactual world": 1,
        "exposure does not change": 1,
        "a value is cut off": 2,
    },
    "HumanEval-Exe": {
        "mediators do not change": 980,
        "outcome does not change": 760,
        "edge to itself in the factual world": 30,
        "edge to itself in the counterfactual world": 25,
    },
    "MalAlgoQA": {
        "no edge from exposure to outcome in the factual world": 18,
        "no edge from covariate to outcome in the factual world": 18,
        "outcome is not that of the raw item": 3,
    },
    "Open-Critic": {
        "edge endpoint is not a role in the factual world": 1,
        "edge endpoint is not a role in the counterfactual world": 1,
        "cycle of several edges in the factual world": 1,
        "cycle of several edges in the counterfactual world": 1,
        "outcome does not change": 2,
        "a value is cut off": 2,
    },
    "RNN-Typology": {
        "mediator is only called altered": 29,
        "edge endpoint is not a role in the factual world": 1,
        "no edge from covariate to outcome in the factual world": 29,
        "no edge from exposure to outcome in the factual world": 1,
    },
}


def test_real_counts_are_those_listed_beside_the_data(data: Path) -> None:
    table = defects(data)
    assert set(table) == set(AT_SOURCE)
    for name, counted in COUNTED.items():
        found = table[name]["defects"] | table[name]["remarks"]
        held_back = AT_SOURCE[name] - table[name]["records"]
        for reason, number in counted.items():
            # What is held back may or may not have had the defect.
            assert number - held_back <= found.get(reason, 0) <= number, (name, reason)


def recount(raw: dict[str, Any]) -> set[str]:
    """Defects and remarks of a record, read from the JSON by other means than the reader's."""
    found = set()
    texts = {}
    for name in ("factual", "counterfactual"):
        roles = raw[f"{name}_roles"]
        texts[name] = [text for role in ROLES for text in roles[role]]
        edges = raw.get(f"{name}_graph_edges", raw.get(f"{name}_edges"))
        ends = {end for edge in edges or [] for end in edge}
        if ends - set(texts[name]):
            found.add(f"edge endpoint is not a role in the {name} world")
        if edges is not None and set(texts[name]) - ends:
            found.add(f"a role has no edge in the {name} world")
        if any(a == b for a, b in edges or []):
            found.add(f"edge to itself in the {name} world")
        if len(Counter(map(tuple, edges or []))) < len(edges or []):
            found.add(f"an edge occurs twice in the {name} world")
        if len(set(texts[name])) < len(texts[name]):
            found.add(f"two roles have the same text in the {name} world")
        # Cycles: take away what leads nowhere until nothing changes.
        left = {(a, b) for a, b in edges or [] if a != b}
        while (kept := {(a, b) for a, b in left if b in {parent for parent, _ in left}}) != left:
            left = kept
        if left:
            found.add(f"cycle of several edges in the {name} world")
        if roles["Exposure"] == roles["Outcome"]:
            found.add(f"exposure is the outcome in the {name} world")
        found |= {f"{name} {role.lower()} is N.A." for role in ROLES if "N.A." in roles[role]}
        for role in ("Exposure", "Covariate"):
            if edges is not None and not any([a, b] in edges for a in roles[role] for b in roles["Outcome"]):
                found.add(f"no edge from {role.lower()} to outcome in the {name} world")
        if edges is None:
            found.add("no graph")
    before, after = raw["factual_roles"], raw["counterfactual_roles"]
    everything = texts["factual"] + texts["counterfactual"]
    checks = {
        "a value is cut off": any(text.rstrip()[-3:] == "..." for text in everything),
        "a value is longer than 80 characters": max(map(len, everything)) > 80,
        "exposure does not change": before["Exposure"] == after["Exposure"],
        "covariates change": before["Covariate"] != after["Covariate"],
        "mediators do not change": before["Mediator"] == after["Mediator"],
        "outcome does not change": before["Outcome"] == after["Outcome"],
        "exposure is only negated": after["Exposure"] == ["not " + before["Exposure"][0]],
        "mediator is only called altered": any(
            text.startswith("altered ") or text.endswith(" (altered)") for text in after["Mediator"]
        ),
        "no text": "text" not in raw,
        "the worlds have different numbers of mediators": len(before["Mediator"]) != len(after["Mediator"]),
    }
    return found | {reason for reason, holds in checks.items() if holds}


def test_real_counts_by_another_way(data: Path) -> None:
    table = defects(data)
    for name, row in table.items():
        file = "flattened_processed_16_9_first30.json" if name == "Arithmetic-Base-16" else ANNOTATIONS
        raw = json.loads((data / published.FOLDER / name / file).read_text(encoding="utf-8"))
        expected = Counter(reason for value in raw for reason in recount(value))
        expected["record occurs twice"] = len(raw) - len({json.dumps(value, sort_keys=True) for value in raw})
        found = row["defects"] | row["remarks"]
        assert {reason: found.get(reason, 0) for reason in expected} == dict(expected), name
        assert row["records"] == len(raw)
        assert set(row["defects"]) <= set(published.DEFECTS)
        assert set(row["remarks"]) <= set(published.REMARKS)
        if name == "HumanEval-Exe":
            outcomes = [
                [value[f"{world}_roles"]["Outcome"][0] for world in ("factual", "counterfactual")] for value in raw
            ]
            assert found["outcome is not a Python literal"] == sum(not all(map(is_literal, pair)) for pair in outcomes)


def is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return False
    return True


def test_real_records_that_are_sound(data: Path) -> None:
    found = read_published(data)
    sound = {name: len(cases) for name, (cases, _) in found.items() if cases}
    # The records written by hand, and what of MalAlgoQA agrees with its questions.
    assert sound == {"Arithmetic": 1, "CVQA-Bool": 1, "CVQA-Count": 1, "HumanEval-Exe": 1, "MalAlgoQA": 22}
    table = defects(data)
    for name, (cases, rejects) in found.items():
        assert len(cases) == table[name]["sound"]
        assert len(cases) + len(rejects) == table[name]["records"]
        assert all(reject.reason for reject in rejects)
        assert {case.gold_kind for case in cases} <= {"published"}
        assert not any(problems(case) for case in cases)
        assert len({case.id for case in cases}) == len(cases)
    loaded = {name: Loaded(tuple(cases), tuple(rejects)) for name, (cases, rejects) in found.items() if cases}
    for report in check_gold(loaded):
        assert set(report["oracle"].values()) == {1.0}, report["dataset"]


def test_real_joins(data: Path) -> None:
    raw = data / published.FOLDER
    at_hand = {
        name: row["records"] - row["defects"].get("raw item is not at hand", 0) for name, row in defects(data).items()
    }
    without = {"COCO": 0, "Code-Preference": 0, "Open-Critic": 0}
    assert at_hand == {name: row["records"] for name, row in defects(data).items()} | without
    # Two of the joins once more, by the fields of the raw items.
    items = {case.id: case for case in malalgoqa.cases_of(raw / "MalAlgoQA" / "parsed_data.json", "")[0]}
    records = json.loads((raw / "MalAlgoQA" / ANNOTATIONS).read_text(encoding="utf-8"))
    answers = json.loads((raw / "MalAlgoQA" / "parsed_data.json").read_text(encoding="utf-8"))
    for index, value in enumerate(records):
        question = answers[index // 3]
        wrong = "ABCD".replace(question["Answer"], "")[index % 3]
        assert value["factual_roles"]["Outcome"][0].startswith(f"Choice {question['Answer']}")
        assert value["counterfactual_roles"]["Outcome"][0].startswith(f"Choice {wrong}")
    by_question = {case.question: case for case in items.values()}
    for case in published_cases("MalAlgoQA", data)[0]:
        assert case.target == by_question[case.question].target
        assert case.variable(case.of_role(Role.OUTCOME)[0].name).counterfactual.startswith(f"Choice {case.target}")
    with (raw / "CVQA-Count" / "counting.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    values = json.loads((raw / "CVQA-Count" / ANNOTATIONS).read_text(encoding="utf-8"))
    for value, row in zip(values, rows, strict=False):
        assert value["text"] == row["query"]
        assert value["counterfactual_roles"]["Outcome"][0].split()[0] == row["new answer"]
