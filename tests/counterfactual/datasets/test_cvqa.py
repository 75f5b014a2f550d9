import csv
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from counterpoise.counterfactual.case import Case, Role, Stage, problems
from counterpoise.counterfactual.datasets import cvqa, cvqa_bool, cvqa_count
from counterpoise.counterfactual.datasets.cvqa_change import Change, supposed
from counterpoise.errors import DataError

HEADER = ["img_path", "query", "answer", "new query", "new answer", "type"]
REAL = "cvqa/C-VQA-Real_questions.csv"
PLAIN = ("COCO_val2014_000000000007.jpg", "How many cups are there?", "3")


def write(folder: Path, rows: list[tuple[str, ...]], *, file: str = REAL, header: list[str] = HEADER) -> Path:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows([header, *rows])
    return path


def count(folder: Path, clause: str, answer: str, *, before: str = "3", kind: str = "direct", things: str = "cups"):
    """The one case, or the one reject, of a counting row that supposes the clause."""
    image, query, _ = PLAIN
    write(folder, [(image, query, before, f"How many {things} would there be if {clause}?", answer, kind)])
    cases, rejects = cvqa_count.read(folder)
    assert len(cases) + len(rejects) == 1
    return (*cases, *rejects)[0]


def boolean(folder: Path, query: str, answer: str, question: str, target: str) -> Case:
    write(folder, [("COCO_val2014_000000000008.jpg", query, answer, question, target, "boolean")])
    cases, rejects = cvqa_bool.read(folder)
    assert not rejects
    assert not problems(cases[0])
    return cases[0]


def values(case: Case) -> dict[str, tuple[str | None, str | None]]:
    return {variable.name: (variable.factual, variable.counterfactual) for variable in case.variables}


# --- The reader -----------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_case(tmp_path: Path) -> None:
    case = count(tmp_path, "2 more cups were added", "5")
    assert not problems(case)
    assert (case.modality, case.answer_kind, case.target, case.gold_kind) == ("image", "number", "5", "derived")
    assert case.question == "How many cups would there be if 2 more cups were added?"
    assert [photo.file for photo in case.media] == ["cvqa/images/COCO_val2014_000000000007.jpg"]
    assert case.cluster == "cvqa-COCO_val2014_000000000007.jpg"
    assert case.facets == {"kind": "direct", "change": "added", "effect": "changed"}
    assert case.revision == cvqa.DOWNLOAD.revision


def test_the_context_says_the_first_question_and_not_its_answer(tmp_path: Path) -> None:
    for clause, answer in (("2 more cups were added", "9"), ("a dragon came", "0")):
        case = count(tmp_path, clause, answer, before="7")
        assert '"How many cups are there?"' in case.context
        assert not {"7", "9", "seven", "nine"} & set(re.findall(r"\w+", case.context))


def test_each_dataset_takes_its_own_rows(tmp_path: Path) -> None:
    image, query, before = PLAIN
    rows = [
        (image, "Is there a cup?", "yes", "Would there be a cup if it was removed?", "no", "boolean"),
        (image, query, before, "How many cups would there be if 1 cup was removed?", "2", "direct"),
        (image, query, before, "How many cups would there be if a giant came?", "0", "indirect"),
    ]
    write(tmp_path, rows)
    assert [case.facets["kind"] for case in cvqa_count.read(tmp_path)[0]] == ["direct", "indirect"]
    (case,), rejects = cvqa_bool.read(tmp_path)
    assert (case.options, case.target, rejects) == (("yes", "no"), "B", [])


def test_the_authors_table_comes_first_and_the_copy_is_read_too(tmp_path: Path) -> None:
    image, query, before = PLAIN
    row = (image, query, before, "How many cups would there be if 1 cup was removed?", "2", "direct")
    write(tmp_path, [row], file="published_annotations/CVQA-Count/counting.csv", header=["file_name", *HEADER[1:]])
    (copy,), _ = cvqa_count.read(tmp_path)
    assert copy.revision == cvqa.COPY
    write(tmp_path, [row])
    (case,), _ = cvqa_count.read(tmp_path)
    assert case.revision == cvqa.DOWNLOAD.revision
    assert case.id == copy.id


def test_ids_do_not_depend_on_the_order_or_the_spelling_of_spaces(tmp_path: Path) -> None:
    image, query, before = PLAIN
    first = (image, query, before, "How many cups would there be if 1 cup was removed?", "2", "direct")
    second = (image, query, before, "How many cups would there be if 2 cups were removed?", "1", "direct")
    write(tmp_path, [first, second])
    ids = [case.id for case in cvqa_count.read(tmp_path)[0]]
    write(tmp_path, [(*second[:3], "How many  cups would there be if 2 cups were removed ?", *second[4:]), first])
    cases, _ = cvqa_count.read(tmp_path)
    assert [case.id for case in cases] == ids[::-1]
    assert len({case.cluster for case in cases}) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"img_path": "../../secret.jpg"}, "'../../secret.jpg' is not the name of a picture"),
        ({"img_path": "/etc/passwd"}, "'/etc/passwd' is not the name of a picture"),
        ({"img_path": "a\\b.jpg"}, "is not the name of a picture"),
        ({"img_path": ".jpg"}, "is not the name of a picture"),
        ({"img_path": "picture.svg"}, "is not the name of a picture"),
        ({"img_path": ""}, "'' is not the name of a picture"),
        ({"query": " "}, "a question is empty"),
        ({"new query": "?"}, "a question is empty"),
        ({"new query": "How many cups are there?"}, "the question supposes nothing"),
        ({"new query": "How many cups would there be if " + "x" * 400 + "?"}, "more than 400 characters"),
        ({"answer": "some"}, "answer 'some' is of another kind"),
        ({"new answer": "-1"}, "answer '-1' is of another kind"),
        ({"new answer": "²"}, "answer '²' is of another kind"),
        ({"new answer": ""}, "answer '' is of another kind"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected(tmp_path: Path, change: dict[str, str], reason: str) -> None:
    good = dict(zip(HEADER, (*PLAIN, "How many cups would there be if 1 cup was removed?", "2", "direct"), strict=True))
    write(tmp_path, [tuple((good | change).values())])
    cases, (reject,) = cvqa_count.read(tmp_path)
    assert not cases
    assert reason in reject.reason
    assert reject.reason.endswith("(line 2)")


def test_a_repeated_row_is_rejected_and_another_question_about_the_picture_is_not(tmp_path: Path) -> None:
    row = (*PLAIN, "How many cups would there be if 1 cup was removed?", "2", "direct")
    other = (*PLAIN, "How many cups would there be if 1 cup was added?", "4", "direct")
    write(tmp_path, [row, other, (*row[:3], "How many cups would there be if 1 cup was removed", *row[4:])])
    cases, (reject,) = cvqa_count.read(tmp_path)
    assert len(cases) == 2
    assert reject.reason == "the same item occurs twice (line 4, first line 2)"


def test_an_apostrophe_that_an_encoding_broke_is_put_right(tmp_path: Path) -> None:
    case = boolean(
        tmp_path, "Is the cat's bell on?", "yes", "Would the cat\u00a1\u00afs bell be on if it was off?", "no"
    )
    assert case.question == "Would the cat's bell be on if it was off?"


def test_malformed_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no C-VQA file.*C-VQA-Real_questions\.csv"):
        cvqa_count.read(tmp_path)
    with pytest.raises(DataError, match="no C-VQA file"):
        cvqa_bool.read(None)
    row = (*PLAIN, "How many cups would there be if 1 cup was removed?", "2")
    write(tmp_path, [(*row, "direct"), (*row, "oblique")])
    with pytest.raises(DataError, match=r"type 'oblique' \(.*C-VQA-Real_questions\.csv line 3\).*boolean or direct"):
        cvqa_count.read(tmp_path)
    write(tmp_path, [row])
    with pytest.raises(DataError, match=r"fewer cells than columns \(.*line 2\)"):
        cvqa_count.read(tmp_path)
    write(tmp_path, [], header=["picture", *HEADER[1:]])
    with pytest.raises(DataError, match=r"no column img_path \(.*line 1\)"):
        cvqa_count.read(tmp_path)
    (tmp_path / REAL).write_bytes(",".join(HEADER).encode() + b"\n\xff\xfe")
    with pytest.raises(DataError, match=r"not UTF-8 text \(.*line 2\)"):
        cvqa_count.read(tmp_path)
    (tmp_path / REAL).write_text(",".join(HEADER) + '\nx.jpg,"How many', encoding="utf-8")
    with pytest.raises(DataError, match=r"not valid CSV.*C-VQA-Real_questions\.csv"):
        cvqa_count.read(tmp_path)


# --- Counting -------------------------------------------------------------------------------------------------------


def test_the_difference_lies_between_the_change_and_the_number(tmp_path: Path) -> None:
    case = count(tmp_path, "2 more cups were added", "5")
    assert values(case) == {
        "change to the scene": ("no change", "2 cups added"),
        "cups before the change": ("3", "3"),
        "difference in the number of cups": ("0", "+2"),
        "number of cups": ("3", "5"),
    }
    assert set(case.edges) == {
        ("change to the scene", "difference in the number of cups"),
        ("difference in the number of cups", "number of cups"),
        ("cups before the change", "number of cups"),
    }
    assert case.intervention == {"change to the scene": "2 cups added"}
    assert case.stages == tuple(stage for stage in Stage if stage is not Stage.ABDUCTION)
    assert [variable.role for variable in case.variables] == list(Role)


def test_what_depends_on_how_many_there_are_has_the_edge(tmp_path: Path) -> None:
    for clause, answer, relative in (
        ("the number of cups doubled", "8", True),
        ("half of the cups were removed", "2", True),
        ("all the cups were removed", "0", True),
        ("1 cup was removed", "3", False),
    ):
        case = count(tmp_path, clause, answer, before="4")
        edge = ("cups before the change", "difference in the number of cups")
        assert (edge in case.edges) is relative


@pytest.mark.parametrize(
    ("clause", "before", "answer", "change"),
    [
        ("two more cups were added", "3", "5", "2 cups added"),
        ("another cup was added", "1", "2", "1 cup added"),
        ("an extra cup appeared", "1", "2", "1 cup added"),
        ("there were 4 more cups", "1", "5", "4 cups added"),
        ("there were 4 cups", "0", "4", "4 cups added"),
        ("we added one more cup", "1", "2", "1 cup added"),
        ("the number of cups increased by 4", "1", "5", "4 cups added"),
        ("3 more were thrown in", "1", "4", "3 cups added"),
        ("5 more cups were on the shelf", "0", "5", "5 cups added"),
        ("7 cups disappeared", "9", "2", "7 cups removed"),
        ("one of the cups was taken away", "3", "2", "1 cup removed"),
        ("two fewer cups could be seen", "3", "1", "2 cups removed"),
        ("there was one less cup", "3", "2", "1 cup removed"),
        ("2 cups with handles were removed", "3", "1", "2 cups removed"),
        ("the cup was removed", "1", "0", "the cup removed"),
        ("the cup was not there", "1", "0", "the cup removed"),
        ("both cups were taken away", "2", "0", "both cups removed"),
        ("all of the cups were removed", "4", "0", "all cups removed"),
        ("there were no cups", "4", "0", "all cups removed"),
        ("no cup was there", "1", "0", "all cups removed"),
        ("half of the cups were removed", "4", "2", "half of the cups removed"),
        ("the number of cups doubled", "3", "6", "cups doubled"),
        ("the number was halved", "6", "3", "cups halved"),
        ("the number of cups was multiplied by 3", "2", "6", "cups tripled"),
        ("there were twice as many cups", "2", "4", "cups doubled"),
        ("2 more cups came and 1 cup disappeared", "3", "4", "2 cups added and 1 cup removed"),
        ("one cup left and one arrived", "3", "3", "1 cup removed and 1 cup added"),
    ],
)
def test_forms_of_a_supposition(tmp_path: Path, clause: str, before: str, answer: str, change: str) -> None:
    case = count(tmp_path, clause, answer, before=before)
    assert not problems(case)
    assert case.intervention == {"change to the scene": change}
    difference = int(answer) - int(before)
    assert values(case)["difference in the number of cups"] == ("0", f"{difference:+d}" if difference else "0")


@pytest.mark.parametrize(
    ("clause", "before", "answer"),
    [
        # Not said at all, or not by how many.
        ("a lion came", "3", "0"),
        ("the blue cup was removed", "3", "2"),
        ("the left one was removed", "1", "0"),
        ("some cups were removed", "3", "2"),
        ("2 cups were filled", "0", "2"),
        ("there were 4 cups", "1", "4"),
        ("the number of cups was reduced to 2", "3", "2"),
        ("both cups were replaced with new ones", "2", "2"),
        ("two cups stood on each plate", "3", "9"),
        ("only half of the cups were full", "4", "2"),
        ("all red cups were removed", "3", "0"),
        ("2 cups or 3 plates were removed", "3", "1"),
        ("2 more cups left", "3", "1"),
        # Half of an odd number, rounded in the key.
        ("the number of cups was halved", "3", "2"),
        # Another thing than what is counted.
        ("2 saucers were added", "1", "3"),
    ],
)
def test_a_supposition_of_another_form_has_the_answer_only(
    tmp_path: Path, clause: str, before: str, answer: str
) -> None:
    case = count(tmp_path, clause, answer, before=before)
    assert not problems(case)
    assert (case.stages, case.gold_kind, case.facets["change"]) == ((Stage.ANSWER,), "published", "other")


def test_a_key_that_contradicts_its_question_is_rejected(tmp_path: Path) -> None:
    reject = count(tmp_path, "5 cups were added", "0", before="0")
    assert reject.reason == "the answer 0 contradicts the question, which makes 5 of 0 (line 2)"
    # An indirect question may mean more than it says: there the key is not doubted.
    case = count(tmp_path, "5 cups were added", "2", before="1", kind="indirect")
    assert (case.stages, case.target) == ((Stage.ANSWER,), "2")


@pytest.mark.parametrize(
    ("clause", "things", "answer", "change"),
    [
        ("there were two more skiers", "people", "5", "2 skiers added"),
        ("another cat came here", "animals", "4", "1 cat added"),
        ("a tower were built here", "buildings", "4", "1 tower added"),
        ("another cup was there", "cups", "4", "1 cup added"),
        # The key says that they do not count as one each, or the words do not.
        ("a lion came", "animals", "1", None),
        ("another bike was here", "wheels", "5", None),
        ("a boy put a cup here", "cups", "4", None),
        ("another girl was painting", "pictures", "4", None),
        ("two more men took out their cameras", "cameras", "5", None),
        ("all cups with flowers were removed", "cups", "0", None),
        ("another tulip was there", "types of flowers", "4", None),
    ],
)
def test_other_things_count_in_indirect_questions_where_the_key_agrees(
    tmp_path: Path, clause: str, things: str, answer: str, change: str | None
) -> None:
    case = count(tmp_path, clause, answer, kind="indirect", things=things)
    assert dict(case.intervention) == ({"change to the scene": change} if change else {})


def test_a_value_that_is_too_long_is_no_gold(tmp_path: Path) -> None:
    things = "carefully hand-painted porcelain coffee cups"
    case = count(tmp_path, f"2 {things} were added", "5", things=things)
    assert case.stages != (Stage.ANSWER,)
    things = "extraordinarily carefully hand-painted porcelain coffee cups"
    case = count(tmp_path, f"2 {things} were added", "5", things=things)
    assert case.stages == (Stage.ANSWER,)


def test_differences() -> None:
    assert Change(Fraction(3), 0, ()).difference(4) == 8
    assert Change("half", -1, ()).difference(3) == Fraction(-3, 2)
    assert Change("both", -1, ()).difference(3) is None
    assert Change("the", -1, ()).difference(1) == -1
    assert Change(2, -1, ()).difference(1) == -2
    assert supposed("Are there cups if 2 cups were added?", 1) is None


# --- Yes or no ------------------------------------------------------------------------------------------------------


def test_presence_goes_from_the_thing_to_the_answer(tmp_path: Path) -> None:
    case = boolean(
        tmp_path, "Is there a lamp here?", "yes", "Would there be a lamp here if the lamp was removed?", "no"
    )
    assert values(case) == {
        "change to the scene": ("no change", "lamp removed"),
        "lamp before the change": ("present", "present"),
        "lamp after the change": ("present", "absent"),
        "answer to the question": ("yes", "no"),
    }
    assert set(case.edges) == {
        ("change to the scene", "lamp after the change"),
        ("lamp before the change", "lamp after the change"),
        ("lamp after the change", "answer to the question"),
    }
    assert (case.target, case.gold_kind, case.facets["change"]) == ("B", "derived", "removed")
    assert "yes" not in case.context


@pytest.mark.parametrize(
    ("question", "target", "change"),
    [
        ("Would there be lamps if all lamps were removed from the desk?", "no", "lamps removed"),
        ("If we removed the lamp, would there be a lamp on the desk?", "no", "lamp removed"),
        ("Would there be a red lamp in view if there were no red lamps here?", "no", "red lamp removed"),
        ("Would there be a bag of nuts if the bag was taken away?", "no", "bag of nuts removed"),
        ("Would the boy be wearing a cap if he took it off?", "no", "cap removed"),
        ("Would the door have a handle if its handle was removed?", "no", "handle removed"),
        ("Would you see a lamp if it was cut down?", "no", "lamp removed"),
        ("Would there be any lamps here if some were added?", "yes", "lamps added"),
        ("Would there be a lamp if one was installed?", "yes", "lamp added"),
        ("Would the boy be wearing a cap if a cap was put on him?", "yes", "cap added"),
        ("Would the boy be wearing a cap if he was given a cap to wear?", "yes", "cap added"),
    ],
)
def test_forms_of_presence(tmp_path: Path, question: str, target: str, change: str) -> None:
    case = boolean(tmp_path, "Is it so?", "no" if target == "yes" else "yes", question, target)
    assert case.intervention == {"change to the scene": change}


@pytest.mark.parametrize(
    ("question", "target", "change", "mediator"),
    [
        ("Would the wall be green if it was painted white?", "no", "wall painted white", ("green", "white")),
        ("Would the radio be on if the radio was turned off?", "no", "radio turned off", ("on", "off")),
        ("Would the box be open if it was closed?", "no", "box closed", ("open", "closed")),
    ],
)
def test_forms_of_a_state(tmp_path: Path, question: str, target: str, change: str, mediator: tuple[str, str]) -> None:
    case = boolean(tmp_path, "Is it so?", "yes", question, target)
    assert case.intervention == {"change to the scene": change}
    assert [(v.factual, v.counterfactual) for v in case.of_role(Role.MEDIATOR)] == [mediator]
    assert not case.of_role(Role.COVARIATE)
    assert case.facets["change"] == "state"


def test_a_colour_that_was_not_asked_for_is_not_known_and_one_of_two_states_is(tmp_path: Path) -> None:
    case = boolean(tmp_path, "Is it so?", "no", "Would the wall be white if it was painted white?", "yes")
    assert [(v.factual, v.counterfactual) for v in case.of_role(Role.MEDIATOR)] == [(None, "white")]
    case = boolean(tmp_path, "Is it so?", "no", "Would the radio be on if it was turned on?", "yes")
    assert [(v.factual, v.counterfactual) for v in case.of_role(Role.MEDIATOR)] == [("off", "on")]


@pytest.mark.parametrize(
    ("question", "target"),
    [
        ("Would there be clouds if it was going to rain?", "yes"),
        ("Would there be a lamp if the blue lamp was removed?", "no"),
        ("Would there be a lamp if all furniture was removed?", "no"),
        ("Would there be two lamps if another lamp was added?", "yes"),
        ("Would they both have lamps if a lamp was removed?", "no"),
        ("Would there be enough lamps if some lamps were removed?", "no"),
        ("Would there be something here if something was added?", "yes"),
        ("Would there be a lamp if it was removed and put back?", "yes"),
        ("Would the wall be dirty if it was painted white?", "no"),
        ("Would the bed be on if it was closed?", "no"),
        ("Would the radio be on if the lamp was turned off?", "no"),
        ("Would the vase be full if it fell over?", "no"),
        # The words say otherwise than the key.
        ("Would there be a lamp if the lamp was removed?", "yes"),
        ("Would the radio be on if it was turned off?", "yes"),
    ],
)
def test_other_questions_have_the_answer_only(tmp_path: Path, question: str, target: str) -> None:
    case = boolean(tmp_path, "Is it so?", "yes", question, target)
    assert (case.stages, case.gold_kind) == ((Stage.ANSWER,), "published")
    assert case.context.endswith('"Is it so?"')


# --- The real table -------------------------------------------------------------------------------------------------


def table(data: Path) -> dict[str, Counter[tuple[str, str]]]:
    """Of the authors' table, counterfactual question to (answer, answer)."""
    found: dict[str, Counter[tuple[str, str]]] = {}
    with (data / REAL).open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            question = " ".join(row["new query"].replace("\u00a1\u00af", "'").split())
            found.setdefault(f"{row['img_path']} {question}", Counter())[row["answer"], row["new answer"]] += 1
    return found


SIGNS = {"added": 1, "removed": -1}
FACTORS = {"doubled": Fraction(2), "tripled": Fraction(3), "halved": Fraction(1, 2)}


def by_hand(change: str, before: int) -> Fraction:
    """The difference that a change makes, from its own words."""
    total = Fraction(0)
    for part in change.split(" and "):
        first, *_, last = part.split()
        if last in FACTORS:
            total += before * FACTORS[last] - before
        elif part.startswith("half of the "):
            total -= Fraction(before, 2)
        else:
            total += SIGNS[last] * (int(first) if first.isdigit() else before)
    return total


def test_counting_on_the_real_table(data: Path) -> None:
    cases, rejects = cvqa_count.read(data)
    assert len(cases) == 2011
    reasons = [re.sub(r" \(.*|\d+", "", reject.reason) for reject in rejects]
    assert sorted(reasons) == [
        "the answer  contradicts the question, which makes  of ",
        "the question supposes nothing",
        "the same item occurs twice",
    ]
    gold = [case for case in cases if case.variables]
    assert Counter(case.facets["kind"] for case in gold) == {"direct": 1092, "indirect": 76}
    assert Counter(case.facets["effect"] for case in cases) == {"changed": 1960, "same": 51}
    assert len({case.id for case in cases}) == len(cases)
    rows = table(data)
    for case in cases:
        assert not problems(case)
        ((before, after),) = rows[f"{case.cluster.removeprefix('cvqa-')} {case.question}"]
        assert case.target == after
        if case.variables:
            change, count_before, difference, number = case.variables
            assert difference.counterfactual is not None
            assert (count_before.factual, number.factual, number.counterfactual) == (before, before, after)
            assert by_hand(change.counterfactual or "", int(before)) == int(difference.counterfactual)
            assert int(before) + int(difference.counterfactual) == int(after)
            assert all(len(text or "") <= 80 for one in case.variables for text in (one.name, one.counterfactual))
            # What is said to be added or removed is said in the question.
            said = set(re.findall(r"\w{4,}", case.question.casefold()))
            for word in set(re.findall(r"\w{4,}", (change.counterfactual or "").casefold())) - set(SIGNS):
                assert word in FACTORS or any(word[:3] == other[:3] for other in said)


def test_yes_or_no_on_the_real_table(data: Path) -> None:
    cases, rejects = cvqa_bool.read(data)
    assert len(cases) == 1129
    assert [reject.reason for reject in rejects] == ["the question supposes nothing (line 1288)"]
    forms = Counter(case.facets["change"] for case in cases)
    assert forms == {"other": 947, "removed": 109, "added": 61, "state": 12}
    rows = table(data)
    for case in cases:
        assert not problems(case)
        ((before, after),) = rows[f"{case.cluster.removeprefix('cvqa-')} {case.question}"]
        assert case.options["AB".index(case.target)] == after
        if case.variables:
            (outcome,) = case.of_role(Role.OUTCOME)
            assert (outcome.factual, outcome.counterfactual) == (before, after)
            if case.facets["change"] == "state":
                # The state that is asked for stands before "if", the one that is given at the end.
                wanted, given = re.findall(r"(\w+)(?= if |\?)", case.question)
                assert after == ("yes" if wanted == given else "no")
            else:
                (there,) = case.of_role(Role.MEDIATOR)
                assert there.factual == ("present" if before == "yes" else "absent")
                assert there.counterfactual == ("present" if after == "yes" else "absent")
                removal = re.search(r"remov|off|no |away|out|down|melt|eras", case.question)
                assert bool(removal) or case.facets["change"] == "added"


def test_the_copies_hold_the_same_items_and_some_twice(data: Path) -> None:
    for module, folder, doubled in (
        (cvqa_bool, "CVQA-Bool/boolean.csv", 1),
        (cvqa_count, "CVQA-Count/counting.csv", 3),
    ):
        own, _ = module.read(data)
        copied, rejects = cvqa.read_items(
            data, module.DATASET.name, {f"published_annotations/{folder}": ""}, cvqa.KINDS, lambda cell: cell or None
        )
        assert {case.id for case in own} <= {item.id for item in copied}
        assert sum("occurs twice" in reject.reason for reject in rejects) == doubled
