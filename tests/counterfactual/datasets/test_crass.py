import csv
import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from counterpoise.counterfactual.case import Case, Stage, problems
from counterpoise.counterfactual.datasets import crass
from counterpoise.counterfactual.datasets.annotation import annotations
from counterpoise.errors import DataError

CALM, CSV, BIG_BENCH = (
    "crass/crass_274_calm_en.jsonl",
    "crass/CRASS_FTM_main_data_set.csv",
    "crass/bigbench_crass_ai_task.json",
)

ASK = "What would have happened if "
# premise, question, options with the right one first
ITEMS = [
    ("A gardener waters a fern.", ASK + "he had not?", ["It would be dry.", "It would sing.", "Rain."]),
    ("A clerk stamps a form.", ASK + "she had eaten it?", ["No form.", "Two forms.", "A letter.", "Tea."]),
    ("A clerk stamps a form.", ASK + "she had lost it?", ["A new one.", "Joy.", "That is not possible."]),
    ("A kite climbs.", ASK + "its string had torn?", ["It would have gone.", "Snow.", "A stop."]),
]


def calm(items: list[tuple[str, str, list[str]]], first: int = 0) -> str:
    """CaLM lines: the gold at a moving place, one empty option where there are three."""
    lines = []
    for index, (premise, question, options) in enumerate(items):
        key = (index + first) % len(options)
        shown = [*options[1:]]
        shown.insert(key, options[0])
        if len(shown) == 3:
            gap = 0 if key else 3
            shown.insert(gap, "")
            key += gap == 0
        answers = {f"Answer{number}": text for number, text in enumerate(shown, start=1)}
        record = {"index": index, "premise": premise, "QCC": question, **answers, "gt_answer": str(key + 1)}
        lines.append(json.dumps(record))
    return "\n".join(lines) + "\n"


def original(items: list[tuple[str, str, list[str]]], path: Path) -> None:
    columns = ["PCTID", "BatchID", "Premise", "QCC", "CorrectAnswer", "Answer1", "Answer2", "PossibleAnswer3"]
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(columns)
        for index, (premise, question, options) in enumerate(items):
            writer.writerow([index, 1, premise, question, *options, *[""] * (4 - len(options))])


def big_bench(items: list[tuple[str, str, list[str]]]) -> str:
    examples = [
        {"input": f"{premise} {question}", "target_scores": {text: int(text == options[0]) for text in options}}
        for premise, question, options in items
    ]
    return json.dumps({"canary": "none", "examples": examples}, indent=1)


def write(folder: Path, layout: str, items: list[tuple[str, str, list[str]]]) -> Path:
    path = folder / layout
    path.parent.mkdir(exist_ok=True)
    if layout == CALM:
        path.write_text(calm(items), encoding="utf-8")
    elif layout == BIG_BENCH:
        path.write_text(big_bench(items), encoding="utf-8")
    else:
        original(items, path)
    return path


def gold(case: Case) -> str:
    return case.options[ord(case.target) - ord("A")]


@pytest.mark.parametrize("layout", [CALM, CSV, "CRASS_FTM_main_data_set.csv", BIG_BENCH])
def test_every_layout_gives_the_same_items_and_answers(tmp_path: Path, layout: str) -> None:
    write(tmp_path, layout, ITEMS)
    cases, rejects = crass.read(tmp_path)
    assert not rejects
    assert [case.id for case in cases] == sorted(crass.case_id(premise, question) for premise, question, _ in ITEMS)
    expected = {crass.case_id(premise, question): options for premise, question, options in ITEMS}
    for case in cases:
        assert not problems(case)
        assert gold(case) == expected[case.id][0]
        assert sorted(case.options) == sorted(expected[case.id])
        assert case.stages == (Stage.ANSWER,)
        assert case.gold_kind == "published"
    impossible = [case for case in cases if "That is not possible." in case.options]
    assert [case.facets["gold"] for case in impossible] == ["consequence"]
    assert len({case.cluster for case in cases}) == 3


def test_order_of_the_file_does_not_matter(tmp_path: Path) -> None:
    write(tmp_path, CALM, ITEMS)
    cases, _ = crass.read(tmp_path)
    lines = (tmp_path / CALM).read_text().splitlines()
    (tmp_path / CALM).write_text("\n".join(reversed(lines)))
    assert crass.read(tmp_path)[0] == cases


def test_the_full_set_comes_before_the_smaller_ones(tmp_path: Path) -> None:
    write(tmp_path, BIG_BENCH, ITEMS[:1])
    assert len(crass.read(tmp_path)[0]) == 1
    write(tmp_path, CSV, ITEMS[:2])
    assert len(crass.read(tmp_path)[0]) == 2
    write(tmp_path, CALM, ITEMS)
    assert len(crass.read(tmp_path)[0]) == 4


def test_csv_options_are_shuffled_and_stay_so(tmp_path: Path) -> None:
    items = [(f"Bell number {n} rings.", "What would have happened if not?", ["a", "b", "c", "d"]) for n in range(40)]
    write(tmp_path, CSV, items)
    cases, _ = crass.read(tmp_path)
    assert {case.target for case in cases} == {"A", "B", "C", "D"}
    assert crass.read(tmp_path)[0] == cases


def test_typography_does_not_change_the_id() -> None:
    assert crass.case_id("A tight-rope walker’s pole.", "What  if?") == crass.case_id(
        "a tight rope walker's pole", "What if"
    )
    assert crass.case_id("A cat.", "B") != crass.case_id("A", "cat B")


def test_spaces_and_dashes(tmp_path: Path) -> None:
    record = {"premise": "  A bell  rings. ", "QCC": " What if not?", "gt_answer": 3}
    answers = {"Answer1": " - ", "Answer2": " Silence. ", "Answer3": "No  sound ", "Answer4": "Noise"}
    (tmp_path / "crass").mkdir()
    (tmp_path / CALM).write_text(json.dumps(record | answers) + "\n\n")
    (case,), rejects = crass.read(tmp_path)
    assert (case.context, case.question, case.options) == (
        "A bell rings.",
        "What if not?",
        ("Silence.", "No sound", "Noise"),
    )
    assert case.target == "B"
    assert not rejects


def test_duplicates_and_a_key_without_option_are_rejected_with_the_reason(tmp_path: Path) -> None:
    path = write(tmp_path, CALM, [*ITEMS, ITEMS[1], ("Wind.", "", ["a", "b", "c"]), (" ", "What?", ["a", "b", "c"])])
    lines = path.read_text().splitlines()
    empty = json.loads(lines[0])
    empty["gt_answer"] = next(n for n in "1234" if not empty[f"Answer{n}"])
    path.write_text("\n".join([json.dumps(empty), *lines[1:]]))
    cases, rejects = crass.read(tmp_path)
    assert len(cases) == 3
    assert [reject.reason for reject in rejects] == [
        "the correct answer is an empty option (line 1)",
        "the same item occurs twice (line 5, first line 2)",
        "the question is empty (line 6)",
        "the premise is empty (line 7)",
    ]
    assert rejects[1].id == crass.case_id(*ITEMS[1][:2])


def test_a_usable_repeat_replaces_an_unusable_item(tmp_path: Path) -> None:
    path = write(tmp_path, CALM, [ITEMS[0], ITEMS[0]])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["gt_answer"] = next(n for n in "1234" if not lines[0][f"Answer{n}"])
    path.write_text("\n".join(map(json.dumps, lines)))
    cases, rejects = crass.read(tmp_path)
    assert [gold(case) for case in cases] == [ITEMS[0][2][0]]
    assert len(rejects) == 1


def broken_line(path: Path) -> None:
    path.write_text(path.read_text()[:-30])


def without_column(path: Path) -> None:
    path.write_text(path.read_text().replace("QCC", "Question"))


def latin(path: Path) -> None:
    path.write_bytes(path.read_text(encoding="utf-8-sig").replace("gardener", "garçon").encode("latin-1"))


def list_value(path: Path) -> None:
    path.write_text('["x"]\n')


def two_right(path: Path) -> None:
    path.write_text(path.read_text().replace(": 0", ": 1", 1))


def cut_row(path: Path) -> None:
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:2]) + "\n7;1;A bell;What if")


def long_row(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "7;1;a;b;c;d;e;f;g\n")


def open_quote(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + '7;1;"a;b')


def odd_key(path: Path) -> None:
    path.write_text(re.sub(r'"gt_answer": "\d"', '"gt_answer": "B"', path.read_text()))


def number_for_text(path: Path) -> None:
    path.write_text(path.read_text().replace('"A clerk stamps a form."', "7", 1))


@pytest.mark.parametrize(
    ("layout", "damage", "message"),
    [
        (CALM, broken_line, r"not valid JSON: .*274_calm_en\.jsonl line 4\)"),
        (CALM, without_column, r"no field 'QCC' \(.*274_calm_en\.jsonl line 1\)"),
        (CALM, latin, r"not UTF-8 text \(.*274_calm_en\.jsonl line 1\)"),
        (CALM, list_value, r"a list \(.* line 1\); expected a JSON object"),
        (CALM, odd_key, r"field 'gt_answer' is 'B' \(.* line 1\); expected 1, 2, 3 or 4"),
        (CALM, number_for_text, r"field 'premise' is a int \(.* line 2\); expected a text"),
        (CSV, without_column, r"no column QCC \(.*main_data_set\.csv line 1\)"),
        (CSV, cut_row, r"fewer cells than columns \(.* line 3\)"),
        (CSV, long_row, r"more cells than columns \(.* line 6\); expected 8 cells"),
        (CSV, open_quote, r"not valid CSV: .* line 6\)"),
        (CSV, latin, r"not UTF-8 text \(.* line 2\)"),
        (BIG_BENCH, broken_line, r"not valid JSON: .*ai_task\.json line \d\d\)"),
        (BIG_BENCH, two_right, r"2 options of score 1 \(.* example 1\)"),
        (BIG_BENCH, list_value, r"a list \(.*\); expected a JSON object"),
    ],
)
def test_a_malformed_file_is_named_with_its_line(
    tmp_path: Path, layout: str, damage: Callable[[Path], None], message: str
) -> None:
    damage(write(tmp_path, layout, ITEMS))
    with pytest.raises(DataError, match=message):
        crass.read(tmp_path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no CRASS file .*crass_274_calm_en\.jsonl"):
        crass.read(tmp_path)


def test_real_items(data: Path) -> None:
    cases, rejects = crass.read(data)
    assert len(cases) >= 200
    assert all(not problems(case) for case in cases)
    assert all("occurs twice" in reject.reason for reject in rejects)
    assert sum(case.gold_kind == "annotated" for case in cases) >= 60
    assert {case.facets["options"] for case in cases} == {"3", "4"}


def test_real_items_keep_id_and_answer_across_layouts(data: Path, tmp_path: Path) -> None:
    """Items of the 60-item file are items of the full set, whatever its typography."""
    small = "crass/crass_ftm_bigbench_60.json"
    if not all((data / file).is_file() for file in (CALM, small)):
        pytest.skip("needs both the full set and the 60-item file")
    (tmp_path / "crass").mkdir()
    (tmp_path / small).write_bytes((data / small).read_bytes())
    full = {case.id: case for case in crass.read(data)[0]}
    cases, rejects = crass.read(tmp_path)
    assert not rejects
    assert {case.id for case in cases} <= full.keys()
    # One option was reworded between the two.
    assert sum(gold(case) == gold(full[case.id]) for case in cases) >= len(cases) - 1


def test_ids_in_the_full_set_are_stable(data: Path) -> None:
    """Annotations are found by id, so a change of the hash would silently lose them."""
    known = annotations("crass").keys()
    found = {case.id for case in crass.read(data)[0]}
    assert len(known & found) >= 60
    assert all(first < second for first, second in pairwise(sorted(found)))
