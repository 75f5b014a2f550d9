import re
from difflib import unified_diff

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.datasets.code_diff import Block, Place, blocks, fault, first_sentence, prose

MEAN = Block(
    "python", ("def mean(xs):", "    total = 0", "    for x in xs:", "        total += x", "    return total / len(xs)")
)


def block(*lines: str) -> Block:
    return Block("", lines)


def place(old: str, new: str) -> Place:
    found = fault(block("a = 1", "b = 2", old), block("a = 1", "b = 2", new))
    assert not isinstance(found, str)
    assert found.places is not None
    return found.places[0]


# --- Blocks -----------------------------------------------------------------------------------------------------------


def test_blocks_and_the_words_around_them() -> None:
    text = "Here:\n\n```Python\nx = 1\n\n```\n\nand\n\n~ ```js\n\n  ```js\n  f();\n  ```\nend"
    assert [(one.language, one.lines) for one in blocks(text)] == [("python", ("x = 1",)), ("js", ("f();",))]
    assert prose("Here:\n```python\nx = 1\n```\nIt adds.") == "Here:\n\nIt adds."


@pytest.mark.parametrize(
    "text", ["no code", "```python\nx = 1", "``` x = 1 ```", "```python\n# only a comment\n```", "```\n\n```"]
)
def test_what_is_no_code_block(text: str) -> None:
    assert blocks(text) == []


@pytest.mark.parametrize(
    ("language", "code", "bare"),
    [
        ("python", "x = \"#\"  # why\n# all of it\ny = 'a # b'", ['x = "#"', "y = 'a # b'"]),
        (
            "python",
            'def f():\n    """Keep # this."""\n    return 1',
            ["def f():", '    """Keep # this."""', "    return 1"],
        ),
        ("bash", "#!/bin/sh\necho ${#x} # length", ["#!/bin/sh", "echo ${#x}"]),
        ("js", "a(); // b\n/* c\n   d */\nlet u = 'http://x';", ["a();", "let u = 'http://x';"]),
        ("rust", 'let x: &\'a str = "//"; // y\n/* z */ f();', ['let x: &\'a str = "//";', " f();"]),
        ("sql", "SELECT '--'; -- all", ["SELECT '"]),
        # Of another language nothing is known.
        ("cobol", "x # y // z", ["x # y // z"]),
    ],
)
def test_comments_are_left_out(language: str, code: str, bare: list[str]) -> None:
    assert list(blocks(f"```{language}\n{code}\n```")[0].lines) == bare


# --- Faults -----------------------------------------------------------------------------------------------------------


def test_one_line_differs() -> None:
    faulty = Block("python", (*MEAN.lines[:3], "        total = x", MEAN.lines[4]))
    found = fault(MEAN, faulty)
    assert not isinstance(found, str)
    assert found.changed == (3,)
    assert found.places == (Place("total += x", "total = x", "total += x", "total = x"),)
    assert found.facets == {"language": "python", "lines": "one"}


def test_lines_that_are_put_in_or_left_out_have_no_places() -> None:
    for faulty in (Block("python", (*MEAN.lines, "    pass")), Block("python", MEAN.lines[:4])):
        found = fault(MEAN, faulty)
        assert not isinstance(found, str)
        assert found.places is None


@pytest.mark.parametrize(
    ("faulty", "reason"),
    [
        (MEAN, "the codes are equal"),
        (Block("", tuple(line.strip() for line in MEAN.lines)), "the codes differ in white space only"),
        (block("print(1)", "print(2)"), "the codes differ in 5 of 5 lines"),
        (
            Block("python", (*MEAN.lines[:3], "        total = x", "    return total")),
            "the codes differ in 2 of 5 lines",
        ),
        (Block("python", (*MEAN.lines[:4], "    return " + "x" * 6000)), "a code of more than 6000 characters"),
    ],
)
def test_what_is_no_localised_fault(faulty: Block, reason: str) -> None:
    assert fault(MEAN, faulty) == reason


def test_one_line_may_always_change() -> None:
    assert not isinstance(fault(block("print(1)"), block("print(2)")), str)


@pytest.mark.parametrize(
    ("old", "new", "construct", "faulty"),
    [
        ("if i < n:", "if i <= n:", "i < n", "i <= n"),
        ("while (lo < hi) {", "while (lo <= hi) {", "lo < hi", "lo <= hi"),
        ("for i in range(10):", "for i in range(1, 10):", "10", "1, 10"),
        ("return a[i]", "return a[i + 1]", "a[i]", "a[i + 1]"),
        ("total += x", "total -= x", "total += x", "total -= x"),
        ("if not x:", "if x:", "not x", "x"),
        ("return x", "return x + 1", "x", "x + 1"),
        ("y = max(a, b)", "y = min(a, b)", "max", "min"),
        ('print("one two")', 'print("one")', '"one two"', '"one"'),
        ("x = f(a)", "y = g(b)", "x = f(a)", "y = g(b)"),
    ],
)
def test_the_construct_is_the_smallest_piece_that_can_be_read(old: str, new: str, construct: str, faulty: str) -> None:
    found = place(old, new)
    assert (found.construct, found.faulty_construct) == (construct, faulty)
    assert found.usable


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("f(" + "a" * 80 + ")", "f(b)"),
        ("<p>one</p>", "<p>two</p>"),
        (".one", ".two"),
        ("}", "})"),
        ("f();", "f()"),
        ("x = names", "x = name"),
    ],
)
def test_what_no_value_can_be(old: str, new: str) -> None:
    assert not place(old, new).usable


TOKENS = ["a", "b", "f", "(", ")", "[", "]", "+", "<", "<=", "=", "1", "2", ",", ";", '"s"']


@given(
    st.lists(st.sampled_from(TOKENS), min_size=1, max_size=8), st.lists(st.sampled_from(TOKENS), min_size=1, max_size=8)
)
def test_exchanging_the_constructs_makes_the_faulty_line(first: list[str], second: list[str]) -> None:
    old, new = " ".join(first), " ".join(second)
    if first == second:
        return
    found = place(old, new)
    # Where it may stand, one place overlapping another or not.
    starts = [match.start() for match in re.finditer(f"(?={re.escape(found.construct)})", old)]
    assert any(old[:at] + found.faulty_construct + old[at + len(found.construct) :] == new for at in starts)


LINES = st.lists(st.sampled_from(["a = 1", "b = 2", "c = 3", "f()", "g()"]), min_size=1, max_size=12)


@given(LINES, LINES)
def test_changed_lines_are_those_of_a_diff(before: list[str], after: list[str]) -> None:
    found = fault(block(*before), block(*after))
    if isinstance(found, str):
        return
    added = [line[1:] for line in unified_diff(before, after, n=0, lineterm="") if re.match(r"\+(?!\+)", line)]
    assert len(found.changed) <= max(1, 0.3 * max(len(before), len(after)))
    kept = [line for index, line in enumerate(after) if index not in found.changed]
    remaining = iter(before)
    assert all(line in remaining for line in kept)
    if len(added) == len(found.changed):
        assert sorted(after[index] for index in found.changed) == sorted(added)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Sort a list. In place.", "Sort a list."),
        ("Sort a list:\n1, 2", "Sort a list"),
        ("Is 7 a prime? Say so.", "Is 7 a prime?"),
        ("Use version 1.5 of it", "Use version 1.5 of it"),
        ("x" * 81, None),
        ("", None),
        ("<b>", None),
    ],
)
def test_first_sentence(text: str, sentence: str | None) -> None:
    assert first_sentence(text) == sentence
