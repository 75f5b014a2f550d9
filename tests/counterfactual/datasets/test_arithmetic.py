from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.case import Role, Stage, problems
from counterpoise.counterfactual.datasets import arithmetic
from counterpoise.counterfactual.datasets.arithmetic import addition_case
from counterpoise.errors import DataError

DIGITS = "0123456789ABCDEF"
PLACES = ["units", "tens", "hundreds", "thousands"]


def numeral(value: int, base: int) -> str:
    digits = ""
    while value:
        value, digit = divmod(value, base)
        digits = DIGITS[digit] + digits
    return digits or "0"


def by_hand(first: str, second: str, base: int) -> dict[str, str]:
    """Digit sums, carries and sum by the school method, on plain integers."""
    places = max(len(first), len(second))
    values = {"sum": numeral(int(first, base) + int(second, base), base)}
    carry = 0
    for place in range(places):
        if place:
            values[f"carry into {PLACES[place]}"] = str(carry)
        column = carry + sum(int(operand.rjust(4, "0")[3 - place], base) for operand in (first, second))
        values[f"{PLACES[place]} digit sum"] = numeral(column, base)
        carry = int(column >= base)
    return values


@st.composite
def additions(draw: st.DrawFn) -> tuple[str, str, int]:
    base = draw(st.sampled_from([*arithmetic.BASES, 2, 12]))
    operand = st.integers(0, base**4 - 1).map(lambda value: numeral(value, base))
    return draw(operand), draw(operand), base


@given(additions())
def test_gold_equals_addition_by_hand(addition: tuple[str, str, int]) -> None:
    first, second, base = addition
    case = addition_case(first, second, base)
    assert not problems(case)
    expected = by_hand(first, second, base)
    assert case.target == expected["sum"]
    readable = (first + second).isdecimal()
    factual = by_hand(first, second, 10) if readable else {}
    for variable in case.of_role(Role.MEDIATOR, Role.OUTCOME):
        assert variable.counterfactual == expected[variable.name]
        assert variable.factual == factual.get(variable.name)
    carries = sum(len(value) > 1 for name, value in expected.items() if name.endswith("digit sum"))
    assert case.facets["carries"] == str(carries)


def test_base_nine() -> None:
    case = addition_case("76", "14", 9)
    assert case.target == "101"
    assert case.id == "arithmetic-b9-76+14"
    assert case.variable("sum").factual == "90"
    assert dict(case.intervention) == {"number base": "9"}
    # The addition has no unseen cause.
    assert case.stages == tuple(stage for stage in Stage if stage is not Stage.ABDUCTION)
    assert "76 + 14 = 90" in case.context
    assert "101" not in case.context + case.question
    assert case.facets == {"base": "9", "digits": "2", "carries": "2", "same_as_base_10": "no"}


def test_letters_have_no_factual_sum() -> None:
    case = addition_case("EC", "DD", 16)
    assert case.target == "1C9"
    assert case.variable("first operand").factual == "EC"
    assert all(variable.factual is None for variable in case.of_role(Role.MEDIATOR, Role.OUTCOME))
    assert case.facets["same_as_base_10"] == "undefined"
    assert "no value" in case.context


def test_where_nothing_is_carried_the_base_changes_nothing() -> None:
    case = addition_case("11", "22", 8)
    assert (case.target, case.facets["carries"], case.facets["same_as_base_10"]) == ("33", "0", "yes")
    assert all(variable.factual == variable.counterfactual for variable in case.of_role(Role.MEDIATOR, Role.OUTCOME))


def test_the_base_acts_through_the_digit_sums() -> None:
    case = addition_case("7604", "3764", 8)
    children = {child for parent, child in case.edges if parent == "number base"}
    assert children == {f"{place} digit sum" for place in PLACES}
    assert len(case.variables) == 11
    assert {role: len(case.of_role(role)) for role in Role} == {
        Role.EXPOSURE: 1,
        Role.COVARIATE: 2,
        Role.MEDIATOR: 7,
        Role.OUTCOME: 1,
    }


def test_setting_the_base_to_ten_returns_the_factual_world() -> None:
    case = addition_case("760", "587", 9)
    assert case.execution is not None
    evidence = {name: case.variable(name).factual or "" for name in case.execution.observed}
    world = case.execution.scm.counterfactual(evidence, {"number base": "10"})
    assert {name: set(values) for name, values in world.items()} == {v.name: {v.factual} for v in case.variables}


def test_names_and_aliases_do_not_clash() -> None:
    case = addition_case("7604", "3764", 8)
    names = [name for variable in case.variables for name in (variable.name, *variable.aliases)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("first", "second", "base", "message"),
    [
        ("78", "14", 8, "digit 8 is not valid in base 8"),
        ("76", "1G", 16, "digit G is not valid in base 16"),
        ("76", "1²", 9, "digit ² is not valid in base 9"),
        ("", "14", 8, "an operand is empty"),
        ("12345", "1", 8, "more than 4 digits"),
        ("076", "14", 8, "leading zero"),
    ],
)
def test_a_wrong_operand_is_refused(first: str, second: str, base: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        addition_case(first, second, base)


def write(folder: Path, text: str, name: str = "0shot_2digits_base8.txt") -> None:
    (folder / "arithmetic").mkdir(exist_ok=True)
    (folder / "arithmetic" / name).write_text(text, encoding="utf-8")


def test_lines_that_cannot_be_used_are_rejected_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path, "76+14\r\n 14 + 57 \n\n78+11\n76+14\n07+11")
    cases, rejects = arithmetic.read(tmp_path)
    assert {case.id for case in cases} == {"arithmetic-b8-76+14", "arithmetic-b8-14+57"}
    assert [(reject.id, reject.reason) for reject in rejects] == [
        ("arithmetic-b8-78+11", "digit 8 is not valid in base 8 (0shot_2digits_base8.txt line 4)"),
        ("arithmetic-b8-76+14", "the same item occurs twice (0shot_2digits_base8.txt line 5, first line 1)"),
        ("arithmetic-b8-07+11", "operand 07 has a leading zero (0shot_2digits_base8.txt line 6)"),
    ]


def test_the_same_numerals_in_two_bases_are_one_cluster(tmp_path: Path) -> None:
    write(tmp_path, "76+14\n")
    write(tmp_path, "76+14\n", "0shot_2digits_base9.txt")
    cases, rejects = arithmetic.read(tmp_path)
    assert not rejects
    assert [case.target for case in cases] == ["112", "101"]
    assert len({case.cluster for case in cases}) == 1


@pytest.mark.parametrize("line", ["76+", "76-14", "7 6+14", "76+14+1", '{"x": 1}'])
def test_a_malformed_line_is_named(tmp_path: Path, line: str) -> None:
    write(tmp_path, f"76+14\n{line}\n")
    with pytest.raises(DataError, match=r"is not an addition \(.*0shot_2digits_base8\.txt line 2\)"):
        arithmetic.read(tmp_path)


def test_wrong_encoding_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no arithmetic file"):
        arithmetic.read(tmp_path)
    write(tmp_path, "")
    (tmp_path / "arithmetic" / "0shot_2digits_base8.txt").write_bytes(b"76+14\n\xff\xfe")
    with pytest.raises(DataError, match=r"not UTF-8 text \(.*base8\.txt line 2\)"):
        arithmetic.read(tmp_path)


def test_the_sample_is_fixed_and_does_not_depend_on_line_order(tmp_path: Path) -> None:
    lines = [
        f"{first}+{second}" for first in range(10, 28) for second in range(10, 28) if "8" not in f"{first}{second}"
    ]
    lines = [line for line in lines if "9" not in line]
    write(tmp_path, "\n".join(lines))
    cases, _ = arithmetic.read(tmp_path)
    assert len(lines) > len(cases) == arithmetic.PER_FILE
    write(tmp_path, "\n".join(reversed(lines)))
    assert arithmetic.read(tmp_path)[0] == cases


def test_real_files(data: Path) -> None:
    cases, rejects = arithmetic.read(data)
    assert len(cases) == 12 * arithmetic.PER_FILE
    assert len({case.id for case in cases}) == len(cases)
    assert all("occurs twice" in reject.reason for reject in rejects)
    assert len({(case.facets["base"], case.facets["digits"]) for case in cases[:12]}) == 12
    assert Counter(case.facets["base"] for case in cases) == {"8": 300, "9": 300, "11": 300, "16": 300}
    for case in cases:
        assert not problems(case)
        base = int(case.facets["base"])
        first, second = case.id.rsplit("-", 1)[1].split("+")
        assert case.target == numeral(int(first, base) + int(second, base), base)
