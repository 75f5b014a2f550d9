import io

import pytest
from rich.console import Console

from counterpoise.report.tables import Tables, tables_of
from counterpoise.report.terminal import show


def shown(tables):
    out = io.StringIO()
    show(tables, Console(file=out, width=220))
    return out.getvalue()


@pytest.fixture
def tables(make_folder, diagnosis_row, graph_row, lab_rows, lab_cells):
    diagnosis = make_folder(
        "diagnose",
        [diagnosis_row(), graph_row(0, 2, 1, 1)],
        baselines=[graph_row(0, 1, 1, 2, model="baseline/random")],
    )
    return tables_of([diagnosis, make_folder("lab", lab_rows, cells=lab_cells)])


def test_tables_hold_scores_intervals_failures_and_baselines(tables):
    text = shown(tables)
    for words in ("edge F1", "0.67 [0.00, 1.00]", "0/0/0", "random", "0.40", "safety rate [95 %]", "75 % [30, 95] 4"):
        assert words in text
    assert "curated after the attack" in text
    assert "defence tokens" in text


def test_no_rows_says_so():
    assert shown(Tables()) == "no rows yet\n"


def test_names_are_text_not_markup_and_send_no_control_sequence(make_folder, diagnosis_row, hostile):
    name = "[red]x[/red] \x1b]0;t\x07 " + hostile
    text = shown(tables_of([make_folder("diagnose", [diagnosis_row(dataset=name, model=name)])]))
    assert "[red]x[/red]" in text
    assert "\x1b" not in text
    assert "\x07" not in text
    text.encode("utf-8")


def test_costs_propagated_errors_and_elicitations_have_tables(diagnosed):
    text = shown(tables_of([diagnosed(cases=4, elicits=["direct", "cot-sc"])]))
    for words in (
        "Costs of the stages: embedded/smollm2, direct",
        "2 datasets pooled",
        "gold up to abduction",
        "no gold (chained)",
        "Errors that are passed on",
        "Elicitations and their cost per case",
        "At equal cost: against cot-sc that writes no more",
    ):
        assert words in text, words


def test_what_an_attribution_lacks_is_printed(diagnosed):
    folder = diagnosed(cases=2, elicits=["direct"], edit=lambda row: None if row["upto"] == "outcome" else row)
    assert "missing: gold up to outcome" in shown(tables_of([folder]))


def test_tools_have_their_tables(make_folder, aided_rows, tool_record):
    folder = make_folder("diagnose", aided_rows, tools=[tool_record(0, exposure=(1, 3))])
    text = shown(tables_of([folder]))
    for words in (
        "Tools: embedded/smollm2, with minus without",
        "gain [95 %]",
        "−0.12 [",
        "What the tool finds by itself: diagnose-0123456789ab",
        "textblob 0.20.1",
        "gold variables",
        "tools against the same elicitation without them",
    ):
        assert words in text, words


def test_without_tools_nothing_is_said_of_them(tables):
    text = shown(tables).lower()
    assert "tool" not in text


def test_hostile_names_of_tools_send_no_control_sequence(make_folder, diagnosis_row, tool_record, hostile):
    rows = [diagnosis_row(elicit=way, dataset=hostile) for way in (hostile, f"{hostile}+{hostile}")]
    text = shown(tables_of([make_folder("diagnose", rows, tools=[tool_record(0, tool=hostile, exposure=(1, 3))])]))
    assert "\x1b" not in text
    text.encode("utf-8")
