import json

from counterpoise.report.tables import Tables, tables_of, to_json


def test_all_kinds_are_tabulated_and_are_json(make_folder, diagnosis_row, curation_row, lab_rows, lab_cells):
    tables = tables_of(
        [
            make_folder("diagnose", [diagnosis_row()]),
            make_folder("curate", [curation_row()]),
            make_folder("lab", lab_rows, cells=lab_cells),
        ]
    )
    plain = to_json(tables)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["stages"][0]["standing"] == "unknown"
    assert plain["curation"][0]["passed"]["n"] == 1
    (lab,) = plain["customization"]
    metrics = {line["what"]["metric"] for line in lab["rates"]}
    assert metrics == {"safety_rate", "attack_success_rate", "over_refusal_rate", "helpful_rate"}
    assert lab["training"][0]["loss_tokens"] == 1000


def test_runs_without_rows_give_empty_tables(make_folder):
    folders = [make_folder(kind, state="running") for kind in ("diagnose", "curate", "lab", "verify")]
    assert tables_of(folders) == Tables()


def test_costs_are_in_the_json_beside_the_stages(diagnosed):
    plain = to_json(tables_of([diagnosed(cases=4, elicits=["direct", "cot-sc"])]))
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    one = plain["attributions"][0]
    assert [rung["upto"] for rung in one["rungs"]] == [
        "none",
        "variables",
        "graph",
        "intervention",
        "abduction",
        "outcome",
    ]
    assert [cost["stage"] for cost in one["costs"]][-1] == "reading off"
    assert {"p", "p_holm", "gained", "lost", "estimate"} <= one["costs"][0].keys()
    assert plain["propagations"][0]["difference"]["n"] == 4
    assert plain["elicitations"][0]["score"]["n"] == 4
    assert plain["matches"][0]["elicit"] == "direct"


def test_tools_are_in_the_json(make_folder, aided_rows, tool_record):
    folder = make_folder("diagnose", aided_rows, tools=[tool_record(0, exposure=(1, 3))])
    plain = to_json(tables_of([folder]))
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    gain = next(one for one in plain["tool_gains"] if (one["stage"], one["use"]) == ("answer", "hints"))
    assert (gain["gain"]["value"], gain["gain"]["n"], gain["failed"], gain["left_out"]) == (1.0, 8, 0, 0)
    assert (gain["with_tools"]["value"], gain["without"]["value"]) == (1.0, 0.0)
    (found,) = plain["tool_recalls"]
    assert (found["role"], found["recall"]["value"], found["variables"]) == ("exposure", 0.25, 4)


def test_a_run_without_tools_has_empty_lists_of_them(make_folder, diagnosis_row):
    plain = to_json(tables_of([make_folder("diagnose", [diagnosis_row()])]))
    assert (plain["tool_gains"], plain["tool_recalls"]) == ([], [])
