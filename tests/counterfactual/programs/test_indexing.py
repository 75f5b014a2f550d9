"""The world with positions from 1, by programs whose results are worked out by hand and by random ones."""

import ast
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.programs.indexing import rewrite, without_docstrings
from counterpoise.counterfactual.programs.positions import HELPER, Positions


def world(first: int, text: str, *arguments: Any) -> tuple[Any, Positions]:
    """What the function f of a program returns, here in this process, and how it counted."""
    count = Positions(first)
    scope = {HELPER: count.on, "range": count.range(), "enumerate": count.enumerate()}
    exec(compile(rewrite(text).text, "program", "exec"), scope)
    # Of its own, so that a program may change them.
    return scope["f"](*ast.literal_eval(repr(arguments))), count


def from_one(expression: str, **names: Any) -> Any:
    """The value of an expression with positions from 1."""
    return world(1, f"def f({', '.join(names)}):\n    return {expression}", *names.values())[0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # The examples by which Wu et al. define the language.
        ("(7, 8, 9)[1]", 7),
        ("['abc', 'def', 'ghi'][3]", "ghi"),
        ("'abcde'[4]", "d"),
        ("'abc'[:2]", "a"),
        ("[7, 8, 9][1:]", [7, 8, 9]),
        ("[7, 8, 9][1:5]", [7, 8, 9]),
        ("[7, 8, 9][1::1]", [7, 8, 9]),
        ("[7, 8, 9][:4]", [7, 8, 9]),
        ("[9, 8, 7][::-1]", [7, 8, 9]),
        ("[9, 8, 7, 6][3::-1]", [7, 8, 9]),
        ("list(enumerate([7, 8, 9]))", [(1, 7), (2, 8), (3, 9)]),
        ("list(range(2))", [1]),
        ("list(range(2, 4))", [2, 3]),
        ("{0: 7, 1: 8, 2: 9}[1]", 8),
        ("[7, 8, 9].index(8)", 2),
        # Negative positions and the others that are left out.
        ("'abcde'[-1]", "e"),
        ("'abcde'[-3:-1]", "cd"),
        ("'abcde'[2:-1]", "bcd"),
        ("'abcde'[:]", "abcde"),
        ("'abcde'[4:1:-1]", "dcb"),
        ("'abcde'[9:]", ""),
        ("'abcde'[1:1]", ""),
        ("'abc'[True]", "a"),
        ("'abcde'[slice(2, 4)]", "bc"),
        # Other sequences, and things that are none.
        ("b'abc'[1]", 97),
        ("range(5, 9)[2]", 6),
        ("{'a': [5, 6]}['a'][1]", 5),
        ("{(0, 1): 3}[0, 1]", 3),
        ("[[1, 2], [3, 4]][2][1]", 3),
        ("[10, 20, 30][[3, 2][2]]", 20),
        # Methods that take or give positions.
        ("'banana'.index('n')", 3),
        ("'banana'.find('n')", 3),
        ("'banana'.find('x')", -1),
        ("'banana'.rfind('n')", 5),
        ("'banana'.rindex('a')", 6),
        ("'banana'.find('a', 3)", 4),
        ("'banana'.find('a', 3, 4)", -1),
        ("'banana'.index('a', -1)", 6),
        ("'banana'.count('a', 3)", 2),
        ("'banana'.count('a')", 3),
        ("'banana'.startswith('an', 2)", True),
        ("'banana'.startswith('b')", True),
        ("'banana'.endswith('an', 2, 4)", True),
        ("(4, 5, 4).index(4, 2)", 3),
        ("list(map('cab'.index, 'abc'))", [2, 3, 1]),
        ("{1: 5}.pop(1)", 5),
        # Where a start is given it stays.
        ("list(range(0, 2))", [0, 1]),
        ("list(enumerate('ab', 0))", [(0, "a"), (1, "b")]),
        ("list(enumerate('ab', start=5))", [(5, "a"), (6, "b")]),
        ("isinstance(range(3), range)", True),
        ("[i for i in range(3)]", [1, 2]),
        ("len(range(0))", 0),
        ("f\"{'abc'[1]}\"", "a"),
        ("(lambda s: s[1])('xy')", "x"),
        ("[s[1] for s in ('ab', 'cd') if s[2] == 'd']", ["c"]),
        ("max(range(4), key=lambda i: [1, 9, 3][i])", 2),
    ],
)
def test_expressions(expression: str, expected: Any) -> None:
    value = from_one(expression)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a[1] = 9", [9, 2, 3, 4]),
        ("a[-1] = 9", [1, 2, 3, 9]),
        ("a[2:4] = [0]", [1, 0, 4]),
        ("a[2] += 5", [1, 7, 3, 4]),
        ("a[1:3] *= 2", [1, 2, 1, 2, 3, 4]),
        ("del a[1]", [2, 3, 4]),
        ("del a[2:4], a[1]", [4]),
        ("a[1], a[2] = a[2], a[1]", [2, 1, 3, 4]),
        ("(a[1], *a[2:4]), x = (7, 8), 0", [7, 8, 4]),
        ("for a[1] in (5, 6): pass", [6, 2, 3, 4]),
        ("a[1] = a[2] = 0", [0, 0, 3, 4]),
        ("a.pop(1)", [2, 3, 4]),
        ("a.pop()", [1, 2, 3]),
        ("a.pop(-2)", [1, 2, 4]),
        ("a.insert(1, 9)", [9, 1, 2, 3, 4]),
        ("a.insert(5, 9)", [1, 2, 3, 4, 9]),
        ("a.insert(-1, 9)", [1, 2, 3, 9, 4]),
        ("a.insert(2, a.pop(4))", [1, 4, 2, 3]),
        ("b = {1: a}; b[1][1] = 9; b[2] = 0; b[2] += 1; del b[2]", [9, 2, 3, 4]),
        ("a.sort(key=lambda n: [4, 3, 2, 1][n])", [4, 3, 2, 1]),
    ],
)
def test_statements(body: str, expected: list[int]) -> None:
    assert world(1, f"def f(a):\n    {body}\n    return a", [1, 2, 3, 4])[0] == expected


def test_position_and_sequence_are_evaluated_once_and_in_order() -> None:
    text = """
def f(a):
    log = []
    def of(value, name):
        log.append(name)
        return value
    of(a, 'a')[of(1, 'i')] += of(5, 'x')
    of(a, 'b')[of(2, 'j')] = of(6, 'y')
    of(a, 'c')[of(1, 'k'):of(3, 'l')]
    return a, log
"""
    assert world(1, text, [1, 2, 3])[0] == ([6, 6, 3], list("aixybjckl"))
    # As Python does it.
    assert world(0, text, [1, 2, 3])[0] == ([1, 7, 6], list("aixybjckl"))


def test_a_deque_is_a_sequence() -> None:
    count = Positions(1)
    values = deque("abc")
    assert count.on()(values)[1] == "a"
    assert count.on()(values).index("c") == 3


@pytest.mark.parametrize(
    "expression", ["a[0]", "a[0:2]", "a[:0]", "a.pop(0)", "a.insert(0, 1)", "a.index(2, 0)", "a[False]"]
)
def test_there_is_no_position_zero(expression: str) -> None:
    with pytest.raises(IndexError, match="there is no position 0"):
        from_one(expression, a=[1, 2, 3])
    text = f"def f(a):\n    try:\n        return {expression}\n    except IndexError:\n        return 'caught'"
    value, count = world(1, text, [1, 2])
    assert value == "caught"
    assert count.undefined
    assert not world(0, text, [1, 2])[1].undefined


@pytest.mark.parametrize("expression", ["a[4]", "a[-4]", "a.pop(4)"])
def test_a_position_beyond_the_end_is_an_error(expression: str) -> None:
    with pytest.raises(IndexError, match="out of range"):
        from_one(expression, a=[1, 2, 3])


def test_errors_of_other_kinds_stay() -> None:
    with pytest.raises(TypeError, match="list indices must be integers"):
        from_one("a['x']", a=[1])
    with pytest.raises(KeyError):
        from_one("a[0]", a={1: 2})
    with pytest.raises(ValueError, match="substring not found"):
        from_one("'a'.index('b')")
    with pytest.raises(NotImplementedError):
        from_one("str.index('abc', 'b')")


def test_annotations_are_left_alone() -> None:
    text = "from typing import List\ndef f(x: List[int], *y: List[int]) -> List[str]:\n    z: List[int] = x[1:]\n"
    text += "    return z"
    rewritten = rewrite(text)
    assert rewritten.text.count(HELPER) == 1
    assert rewritten.expressions == ("x[1:]",)
    assert world(1, text, [4, 5])[0] == [4, 5]


def test_expressions_are_numbered_in_source_order() -> None:
    found = rewrite(
        "def f(a, i):\n    b = a[i][a[1]]\n    a[2] = 3\n    a[3] += 1\n    return a[ 1 ], a[3], a[i] [a[1]]"
    )
    # However they are spelt; and a[3] is read by += as well.
    assert found.expressions == ("a[i]", "a[i][a[1]]", "a[1]")
    assert found.parts == {(0, 1), (2, 1)}


def test_an_expression_of_several_lines_is_written_on_one() -> None:
    assert rewrite("x = 'a  b'\nx[\n  1\n], x  [2]").expressions == ("x[1]", "x  [2]")


def test_first_values_are_kept() -> None:
    text = "def f(a):\n    for i in range(1, 3):\n        a[i], a[a[i]]\n    return a[0 - 1], a[:2], a.index(1)"
    _, zero = world(0, text, [3, 1, 2, "x" * 61])
    _, one = world(1, text, [3, 1, 2, "x" * 61])
    # Number 0 is a[i]; then a[a[i]], a[0 - 1], a[:2].
    assert {number: text for number, (text, _, _) in zero.reads.items()} == {0: "1", 1: "1", 2: None, 3: "[3, 1]"}
    assert {number: text for number, (text, _, _) in one.reads.items()} == {0: "3", 1: "2", 2: None, 3: "[3]"}
    spans = {number: last - first for number, (_, first, last) in one.reads.items()}
    # a[a[i]] is made of two positions; a negative one is none.
    assert spans == {0: 1, 1: 2, 2: 0, 3: 1}
    # Twice a[i] and a[a[i]], a[:2] and a.index.
    assert one.uses == 2 * 3 + 2


@pytest.mark.parametrize(
    ("expression", "uses"),
    [
        ("a[-1]", 0),
        ("a[:]", 0),
        ("a[::-1]", 0),
        ("list(range(2, 4))", 0),
        ("len(a)", 0),
        ("{1: 2}[1]", 0),
        ("a.pop()", 0),
        ("a[1]", 1),
        ("a[1:2]", 2),
        ("list(range(2))", 1),
        ("list(enumerate(a))", 1),
        ("a.index(2)", 1),
    ],
)
def test_positions_that_depend_on_the_first_are_counted(expression: str, uses: int) -> None:
    for first in (0, 1):
        assert world(first, f"def f(a):\n    return {expression}", [1, 2, 3])[1].uses == uses


SEQUENCES = st.one_of(st.lists(st.integers()), st.text(), st.binary(), st.lists(st.booleans()).map(tuple))
BOUNDS = st.none() | st.integers(-6, 6)


@given(SEQUENCES, BOUNDS, BOUNDS, st.sampled_from([None, 1, 2, -1, -3]))
def test_from_zero_nothing_changes(sequence: Any, start: int | None, stop: int | None, step: int | None) -> None:
    assert Positions(0).on()(sequence)[start:stop:step] == sequence[start:stop:step]


@given(SEQUENCES, st.integers(1, 8), st.integers(1, 8))
def test_from_one_is_python_with_something_before_the_first(sequence: Any, start: int, stop: int) -> None:
    """What stands at a position from 1 stands there from 0 when an element is put before all others."""
    padded = [None, *sequence]
    view = Positions(1).on()(sequence)
    assert list(view[start:stop]) == padded[start:stop]
    assert list(view[start:stop:2]) == padded[start:stop:2]
    if start < len(padded):
        assert view[start] == padded[start]
        assert view[start:stop:-1] == sequence[start - 1 : stop - 1 : -1]
        assert view.index(padded[start]) == padded.index(padded[start], 1)


NAMES = st.sampled_from(["x", "y", "x + y", "x * y", "-x", "abs(y)", "x if y else 3", "max(x, y)", "len(str(x))"])


@given(st.lists(NAMES, min_size=1, max_size=4), st.integers(-9, 9), st.integers(-9, 9))
def test_programs_without_positions_are_the_same_in_both_worlds(parts: list[str], x: int, y: int) -> None:
    text = "def f(x, y):\n    return {" + ", ".join(f"{part!r}: {part}" for part in parts) + "}"
    for first in (0, 1):
        value, count = world(first, text, x, y)
        assert value == {part: eval(part, {"x": x, "y": y}) for part in parts}
        assert (count.uses, count.reads) == (0, {})


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ('def f(x):\n    """Doc.\n\n    >>> f(1)\n    2\n    """\n\n    return x\n', "def f(x):\n    return x\n"),
        ("def f(x):\n    'only'\n", "def f(x):\n    pass\n"),
        (
            "def f(x):\n    import math\n    '''late'''\n    return x  # 'kept'\n",
            "def f(x):\n    import math\n    return x  # 'kept'\n",
        ),
        ('"""Module."""\ndef f(x): "é"; return x\n', "def f(x): pass; return x\n"),
        (
            "def f(x):\n    def g():\n        'in'\n        return 'out'\n    return g\n",
            "def f(x):\n    def g():\n        return 'out'\n    return g\n",
        ),
        (
            "if 1:\n    'a'\nelse:\n    'b'\nx = '''\nkept\n'''\n",
            "if 1:\n    pass\nelse:\n    pass\nx = '''\nkept\n'''\n",
        ),
    ],
)
def test_docstrings_are_taken_out(program: str, expected: str) -> None:
    assert without_docstrings(program) == expected
