"""Open-Critic and Code-Preference, on files of the documented shape: the real ones are not at hand."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from counterpoise.counterfactual.case import Case, Role, Stage, problems
from counterpoise.counterfactual.check_gold import check_gold
from counterpoise.counterfactual.datasets import Loaded, code_preference, code_rows, open_critic
from counterpoise.counterfactual.match.edit import edit_counts
from counterpoise.errors import DataError, MissingExtraError

SOUND = """def mean(values):
    # Add them up.
    total = 0
    for value in values:
        total += value

    return total / len(values)"""
FAULTY = SOUND.replace("    # Add them up.\n", "").replace("total = 0", "total = 1")
TASK = "Write the mean of a list of numbers."
LONG_TASK = "Write a function that takes a list of numbers, which may be long, and gives the mean of them all."


def fence(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}\n```"


def critic_row(faulty: str = FAULTY, sound: str = SOUND, request: str = TASK, account: str = "It starts at 1.") -> dict:
    return {
        "ID": 7,
        "Human": f"{request}\n\n{faulty and fence(faulty)}",
        "Assistant": f"{account}\n\n{sound and fence(sound)}",
    }


def preference_row(
    faulty: str = FAULTY, sound: str = SOUND, task: str = TASK, after: str = "It divides the sum."
) -> dict:
    return {
        "ID": 7,
        "instruction": "You write code.",
        "input": task,
        "accepted": f"This is it:\n\n{sound and fence(sound)}\n\n{after}",
        "rejected": f"This is it:\n\n{faulty and fence(faulty)}\n\n{after}",
    }


SETS = [
    (open_critic, "open_critic/Open-Critic-GPT", critic_row),
    (code_preference, "code_preference/Code-Preference-Pairs", preference_row),
]
each_set = pytest.mark.parametrize(("module", "stem", "row"), SETS, ids=["open-critic", "code-preference"])


def write(folder: Path, stem: str, rows: list[dict[str, Any]], suffix: str = ".jsonl") -> Path:
    path = folder / f"{stem}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix == ".parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        text = json.dumps(rows) if suffix == ".json" else "".join(json.dumps(row) + "\n" for row in rows)
        path.write_text(text, encoding="utf-8")
    return path


def only(module: ModuleType, folder: Path, stem: str, row: dict[str, Any]) -> Case:
    write(folder, stem, [row])
    (case,), rejects = module.read(folder)
    assert not rejects
    assert not problems(case)
    return case


def reason(module: ModuleType, folder: Path, stem: str, row: dict[str, Any]) -> str:
    write(folder, stem, [row])
    cases, (reject,) = module.read(folder)
    assert not cases
    assert reject.reason.endswith(" (line 1)")
    return reject.reason.removesuffix(" (line 1)")


def values(case: Case) -> dict[str, tuple[str | None, str | None]]:
    return {variable.name: (variable.factual, variable.counterfactual) for variable in case.variables}


# --- Both -------------------------------------------------------------------------------------------------------------


@each_set
@pytest.mark.parametrize("suffix", code_rows.SUFFIXES)
def test_every_format_gives_the_same_cases(
    tmp_path: Path, module: ModuleType, stem: str, row: Callable[..., dict], suffix: str
) -> None:
    rows = [row(), row(faulty=FAULTY.replace("total = 1", "total = 2"))]
    write(tmp_path / "lines", stem, rows)
    expected = module.read(tmp_path / "lines")[0]
    assert len(expected) == 2
    write(tmp_path / "other", stem, rows[::-1], suffix)
    assert module.read(tmp_path / "other")[0] == expected
    # Where a user has put it directly.
    write(tmp_path / "top", stem.split("/")[1], rows, suffix)
    assert module.read(tmp_path / "top")[0] == expected


@each_set
def test_the_construct_lies_between_the_exposure_and_the_line(
    tmp_path: Path, module: ModuleType, stem: str, row: Callable[..., dict]
) -> None:
    case = only(module, tmp_path, stem, row())
    (exposure,), (task,), (construct,), (line,) = (case.of_role(role) for role in Role)
    assert (task.factual, task.counterfactual) == (TASK, TASK)
    assert (construct.factual, construct.counterfactual) == ("0", "1")
    assert (line.factual, line.counterfactual) == ("total = 0", "total = 1")
    assert set(case.edges) == {
        (exposure.name, construct.name),
        (construct.name, line.name),
        (task.name, line.name),
    }
    assert dict(case.intervention) == {exposure.name: exposure.counterfactual}
    assert case.gold_kind == "derived"
    assert case.facets == {"language": "python", "lines": "one"}
    # The model is told no name that the context does not have.
    for variable in case.variables:
        assert variable.name in case.context
    assert "# Add" not in case.context + case.question


@each_set
def test_several_lines_have_several_constructs(
    tmp_path: Path, module: ModuleType, stem: str, row: Callable[..., dict]
) -> None:
    sound = "\n".join([SOUND, *(f"print(mean([{n}]))" for n in range(4))])
    faulty = sound.replace("total = 0", "total = 1").replace("print(mean([3]))", "print(mean([4]))")
    case = only(module, tmp_path, stem, row(faulty=faulty, sound=sound))
    assert [variable.name.split()[0] for variable in case.of_role(Role.MEDIATOR)] == ["first", "second"]
    assert [variable.counterfactual for variable in case.of_role(Role.OUTCOME)] == ["total = 1", "print(mean([4]))"]
    assert len(case.edges) == 6
    assert case.facets["lines"] == "several"


@each_set
@pytest.mark.parametrize(
    "change",
    [
        # A task that would have to be cut, a line that would, a construct that is a placeholder, and lines put in.
        {"request": LONG_TASK},
        {"faulty": SOUND.replace("len(values)", "len(values) + " + "x" * 70)},
        {"faulty": SOUND.replace("total = 0", "total = None")},
        {"faulty": SOUND + "\nprint(mean([]))"},
    ],
)
def test_what_cannot_be_a_value_leaves_the_answer_only(
    tmp_path: Path, module: ModuleType, stem: str, row: Callable[..., dict], change: dict[str, str]
) -> None:
    renamed = {"task" if key == "request" and row is preference_row else key: text for key, text in change.items()}
    case = only(module, tmp_path, stem, row(**renamed))
    assert (case.stages, case.gold_kind) == ((Stage.ANSWER,), "published")


@each_set
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"faulty": SOUND}, "the codes are equal"),
        ({"faulty": SOUND.replace("# Add them up.", "# Here.")}, "the codes are equal"),
        ({"faulty": SOUND.replace("    for", "for")}, "the codes differ in white space only"),
        ({"faulty": "def mean(values):\n    return 0"}, "the codes differ in 4 of 5 lines"),
        ({"faulty": FAULTY + "\n" + "x = 1 # \n" * 1200}, "a code of more than 6000 characters"),
    ],
)
def test_pairs_that_cannot_be_used(
    tmp_path: Path, module: ModuleType, stem: str, row: Callable[..., dict], change: dict[str, str], said: str
) -> None:
    assert reason(module, tmp_path, stem, row(**change)) == said


@each_set
def test_other_languages_are_kept(tmp_path: Path, module: ModuleType, stem: str, row: Callable[..., dict]) -> None:
    sound = "int twice(int x) {\n  // Doubles.\n  return x * 2;\n}"
    written = json.dumps(row(sound=sound, faulty=sound.replace("* 2", "+ 2"))).replace("```python", "```cpp")
    case = only(module, tmp_path, stem, json.loads(written))
    assert case.facets["language"] == "cpp"
    assert [(v.factual, v.counterfactual) for v in case.of_role(Role.MEDIATOR)] == [("x * 2", "x + 2")]
    # Where no language is named, nothing is known of its comments.
    bare = SOUND.replace("    # Add them up.\n", "")
    unnamed = json.loads(json.dumps(row(sound=bare)).replace("```python", "```"))
    assert only(module, tmp_path, stem, unnamed).facets["language"] == "unnamed"


@each_set
def test_a_repeated_row_is_rejected_and_the_same_code_is_one_cluster(
    tmp_path: Path, module: ModuleType, stem: str, row: Callable[..., dict]
) -> None:
    other = row(faulty=FAULTY.replace("total = 1", "total = 2"))
    write(tmp_path, stem, [row(), other, {**row(), "ID": 8}])
    cases, (reject,) = module.read(tmp_path)
    assert len(cases) == 2
    assert len({case.cluster for case in cases}) == 1
    assert reject.reason == "the same item occurs twice (line 3, first line 1)"
    assert reject.id in {case.id for case in cases}


@each_set
def test_the_sample_is_fixed_and_does_not_depend_on_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, stem: str, row: Callable[..., dict]
) -> None:
    monkeypatch.setattr(code_rows, "MOST_CASES", 5)
    rows = [row(faulty=FAULTY.replace("total = 1", f"total = {n}")) for n in range(1, 40)]
    write(tmp_path, stem, rows)
    cases, _ = module.read(tmp_path)
    assert len(cases) == 5
    assert [case.id for case in cases] == sorted(case.id for case in cases)
    write(tmp_path, stem, rows[::-1])
    assert module.read(tmp_path)[0] == cases
    # A row more changes the sample by that row at most.
    write(tmp_path, stem, [*rows, row(faulty=FAULTY.replace("total = 1", "total = 99"))])
    assert len({case.id for case in cases} & {case.id for case in module.read(tmp_path)[0]}) >= 4


@each_set
def test_malformed_files_are_named(tmp_path: Path, module: ModuleType, stem: str, row: Callable[..., dict]) -> None:
    with pytest.raises(DataError, match=r"no (Open-Critic|Code-Preference) file.*expected.*jsonl or"):
        module.read(tmp_path)
    with pytest.raises(DataError, match="no "):
        module.read(None)
    name = rf"\(.*{stem.split('/')[1]}\.jsonl line 2\)"
    path = write(tmp_path, stem, [row()])
    good = path.read_bytes()
    key = "Human" if module is open_critic else "accepted"
    for bad, message in (
        (b'{"Human": "cut o', "not valid JSON"),
        (b"[]", r"a list"),
        (b"\xff\xfe", "not UTF-8 text"),
        (json.dumps({**row(), key: None}).encode(), rf"field '{key}' is a NoneType"),
        (json.dumps({k: v for k, v in row().items() if k != key}).encode(), rf"no field '{key}'"),
    ):
        path.write_bytes(good + bad + b"\n")
        with pytest.raises(DataError, match=message + ".*" + name):
            module.read(tmp_path)
    path.unlink()
    write(tmp_path, stem, [row()], ".json").write_text('{"rows": []}', encoding="utf-8")
    with pytest.raises(DataError, match=r"a dict \(.*\.json\); expected a JSON list"):
        module.read(tmp_path)


@each_set
def test_parquet_needs_its_reader_and_a_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, stem: str, row: Callable[..., dict]
) -> None:
    path = tmp_path / f"{stem}.parquet"
    path.parent.mkdir()
    path.write_bytes(b"PAR1 and then nothing")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"Parquet files needs the package 'pyarrow'; .*counterpoise\[train\]"):
        module.read(tmp_path)
    monkeypatch.undo()
    pytest.importorskip("pyarrow")
    with pytest.raises(DataError, match=r"not a Parquet file \(.*\.parquet\)"):
        module.read(tmp_path)


@each_set
def test_the_gold_scores_full_marks(tmp_path: Path, module: ModuleType, stem: str, row: Callable[..., dict]) -> None:
    write(tmp_path, stem, [row(), row(faulty=FAULTY.replace("+= value", "-= value"))])
    cases, rejects = module.read(tmp_path)
    (checked,) = check_gold({module.DATASET.name: Loaded(tuple(cases), tuple(rejects))})
    assert set(checked["oracle"]) == {"variables", "graph", "intervention", "outcome", "answer"}
    assert set(checked["oracle"].values()) == {1.0}


@each_set
def test_what_is_downloaded_is_what_is_read(module: ModuleType, stem: str, row: Callable[..., dict]) -> None:
    (download,) = module.DATASET.downloads
    assert download.path == module.DATASET.files[0] == f"{stem}.jsonl"
    assert download.hub
    assert len(download.revision) == 40


# --- Open-Critic ------------------------------------------------------------------------------------------------------


def critic(folder: Path, row: dict[str, Any]) -> Case:
    return only(open_critic, folder, "open_critic/Open-Critic-GPT", row)


def test_the_account_of_flaws_turns_the_sound_code_into_the_faulty_one(tmp_path: Path) -> None:
    case = critic(tmp_path, critic_row())
    bare = SOUND.replace("    # Add them up.\n", "").replace("\n\n", "\n")
    assert (case.answer_kind, case.original, case.target) == ("edit", bare, bare.replace("= 0", "= 1"))
    assert bare in case.context
    assert "It starts at 1." in case.question
    assert "It starts at 1." not in case.context
    assert values(case)["explanation of the code"] == ("sound explanation", "account of flaws")
    # The fault is the only thing that an answer is scored by.
    assert edit_counts(bare, case.target, case.target) == (2, 0, 0)


def test_the_blocks_are_those_that_are_most_alike_and_differ(tmp_path: Path) -> None:
    row = critic_row(account=f"This line is wrong:\n\n{fence('total = 1')}\n\nYour code was:\n\n{fence(FAULTY)}")
    assert critic(tmp_path, row).original == critic(tmp_path, critic_row()).original


def test_a_code_without_a_request_has_the_answer_only(tmp_path: Path) -> None:
    case = critic(tmp_path, critic_row(request=""))
    assert case.stages == (Stage.ANSWER,)
    assert "(none)" in case.context


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"faulty": ""}, "there is no code block in the request"),
        ({"sound": ""}, "there is no code block in the answer"),
        ({"account": " "}, "there is no explanation"),
        (
            {"faulty": SOUND.replace("total = 0", "Total = 0")},
            "the codes differ in capital letters only, or after the last word that is compared",
        ),
        ({"account": "x " * 3001}, "a request or an explanation of more than 6000 characters"),
    ],
)
def test_critic_rows_that_cannot_be_used(tmp_path: Path, change: dict[str, str], said: str) -> None:
    assert reason(open_critic, tmp_path, "open_critic/Open-Critic-GPT", critic_row(**change)) == said


# --- Code-Preference --------------------------------------------------------------------------------------------------


def preference(folder: Path, row: dict[str, Any]) -> Case:
    return only(code_preference, folder, "code_preference/Code-Preference-Pairs", row)


def test_the_answer_is_the_line_that_is_new(tmp_path: Path) -> None:
    case = preference(tmp_path, preference_row())
    assert case.answer_kind == "choice"
    assert case.options["ABCD".index(case.target)] == "total = 1"
    assert "total = 0" in case.options
    assert len(case.options) == 4
    rejected = [line.strip() for line in FAULTY.splitlines()]
    accepted = [line.strip() for line in SOUND.splitlines()]
    new = [option for option in case.options if option in rejected and option not in accepted]
    assert new == ["total = 1"]
    assert values(case)["code that is written"] == ("accepted code", "rejected code")
    assert "total = 1" not in case.context
    assert "total = 1" in case.question


def test_the_right_line_has_no_place_of_its_own(tmp_path: Path) -> None:
    rows = [preference_row(faulty=FAULTY.replace("total = 1", f"total = {n}")) for n in range(1, 40)]
    write(tmp_path, "code_preference/Code-Preference-Pairs", rows)
    cases, _ = code_preference.read(tmp_path)
    assert {case.target for case in cases} == set("ABCD")


def test_the_task_is_the_instruction_where_there_is_no_input(tmp_path: Path) -> None:
    case = preference(tmp_path, preference_row(task=""))
    assert values(case)["task"] == ("You write code.", "You write code.")
    row = preference_row()
    del row["instruction"]
    assert preference(tmp_path, row).variable("task").factual == TASK


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"faulty": ""}, "there is no code block in the rejected answer"),
        ({"sound": ""}, "there is no code block in the accepted answer"),
        ({"sound": f"{SOUND}\n```\nRun it:\n```bash\npython mean.py"}, "the answers have 2 and 1 code blocks"),
        ({"faulty": SOUND.replace("        total += value\n", "")}, "no line of the rejected code explains alone"),
        ({"faulty": SOUND.replace("total += value", "total = 0")}, "no line of the rejected code explains alone"),
    ],
)
def test_preference_rows_that_cannot_be_used(tmp_path: Path, change: dict[str, str], said: str) -> None:
    assert reason(
        code_preference, tmp_path, "code_preference/Code-Preference-Pairs", preference_row(**change)
    ).startswith(said)


def test_preference_rows_with_two_faulty_blocks_or_no_task(tmp_path: Path) -> None:
    more = f"\n```\nand\n{fence('print(mean([1]))')[:-4]}"
    row = preference_row(sound=SOUND + more, faulty=FAULTY + more.replace("[1]", "[2]"))
    stem = "code_preference/Code-Preference-Pairs"
    assert reason(code_preference, tmp_path, stem, row) == "2 code blocks differ"
    assert reason(code_preference, tmp_path, stem, preference_row(task="") | {"instruction": " "}) == "there is no task"
    said = "a task of more than 6000 characters"
    assert reason(code_preference, tmp_path, stem, preference_row(task="x " * 3001)) == said
