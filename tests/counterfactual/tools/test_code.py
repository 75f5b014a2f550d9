import ast
import threading

import pytest

from counterpoise.counterfactual.tools.code import SyntaxTool
from counterpoise.counterfactual.tools.syntax import findings

FUNCTION = """
def irrigate(flow, seepage=2, *, worn=False):
    demand = max(flow - 3, 2)
    if worn:
        demand = seepage
    return demand
"""


@pytest.fixture(scope="module")
def syntax():
    return SyntaxTool()


def of_kind(found, kind):
    return [(one.text, one.detail) for one in found if one.kind == kind]


def test_a_function_in_a_block(syntax):
    found = syntax.run(f"This ran once.\n\n```python{FUNCTION}```\n\nWhat is it?")
    assert of_kind(found, "definition") == [("irrigate", "function, line 1"), ("demand", "variable, line 2")]
    assert of_kind(found, "parameter") == [
        ("flow", "of irrigate"),
        ("seepage", "of irrigate, by default 2"),
        ("worn", "of irrigate, by default False"),
    ]
    assert of_kind(found, "data flow") == [
        ("demand <- flow", "line 2"),
        ("demand <- seepage", "line 4, depends on the condition over worn"),
        ("return <- demand", "line 5"),
    ]
    assert of_kind(found, "call") == [("max(flow - 3, 2)", "line 2")]
    assert of_kind(found, "literal") == [("2", "line 1"), ("False", "line 1"), ("3", "line 2")]
    assert [text for text, _ in of_kind(found, "use")] == ["max", "flow", "worn", "seepage", "demand"]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("a = b + c", ["a <- b, c"]),
        ("a += b", ["a <- a, b"]),
        ("a: int = b", ["a <- b"]),
        ("a: int", []),
        ("a = 3", ["a <- constants only"]),
        ("a = f()", ["a <- calls only"]),
        ("a, (b, *c) = d", ["a <- d", "b <- d", "c <- d"]),
        ("a[i] = b", ["a <- i, a, b"]),
        ("a.b.c[0] = d", ["a <- a, d"]),
        ("if (a := b): pass", ["a <- b"]),
        ("for a, b in c: pass", ["a <- c", "b <- c"]),
        ("with a as b: pass", ["b <- a"]),
        ("d = [a for a in c]", ["d <- a, c", "a <- c"]),
        ("f(a)", []),
    ],
)
def test_data_flow(source, wanted):
    assert [one.text for one in findings(ast.parse(source)) if one.kind == "data flow"] == wanted


def test_conditions_hold_for_what_they_guard():
    source = "while a:\n    if b > c:\n        d = 1\n    else:\n        e = 2\n    f = 3\ng = 4\n"
    flows = {one.text.split()[0]: one.detail for one in findings(ast.parse(source)) if one.kind == "data flow"}
    assert flows == {
        "d": "line 3, depends on the condition over a, b, c",
        "e": "line 5, depends on the condition over a, b, c",
        "f": "line 6, depends on the condition over a",
        "g": "line 7",
    }


def test_other_things_that_are_defined():
    source = (
        "import os.path as p\nfrom a import b\nclass C:\n    def m(self): ...\nasync def g(*x, **y): ...\nlambda z: z"
    )
    found = list(findings(ast.parse(source)))
    assert [text for text, _ in of_kind(found, "definition")] == ["p", "b", "C", "m", "g"]
    assert of_kind(found, "parameter") == [("self", "of m"), ("x", "of g"), ("y", "of g"), ("z", "of a lambda")]
    assert of_kind(found, "literal") == []


def test_a_docstring_is_no_literal():
    found = list(findings(ast.parse('def f():\n    "Says so."\n    return "yes"')))
    assert of_kind(found, "literal") == [("'yes'", "line 3")]


def test_subscripts(syntax):
    assert of_kind(syntax.run("x = a[0][i:j]"), "subscript") == [("a[0][i:j]", "line 1"), ("a[0]", "line 1")]


def test_code_among_prose_without_a_fence(syntax):
    text = f"Here is a program. It ran\n\nWell\nNote: look{FUNCTION}\nWhat does irrigate(5) give?\nx = 1\n"
    assert syntax.run(text) == syntax.run(f"```{FUNCTION}```")


@pytest.mark.parametrize(
    "text",
    [
        "The keeper pulls the lever.\nWhy?",
        "Yes\nNo, never\n12",
        "well, then\nnote: this",
        "if only\nfor ever\nclass dismissed",
        "(a, b)\n'quoted'\n\"so\"",
        "",
    ],
)
def test_prose_is_no_code(syntax, text):
    assert syntax.run(text) == []


def test_code_between_backticks(syntax):
    found = syntax.run("Had `demand = flow` been there, what would `irrigate([1, 2])` be? It is ``not`` `half a`")
    assert of_kind(found, "data flow") == [("demand <- flow", "line 1")]
    assert of_kind(found, "call") == [("irrigate([1, 2])", "line 1")]


def test_blocks_that_are_not_whole(syntax):
    cut_off = syntax.run("```python\nx = 1\ny = x\nif y:")
    assert of_kind(cut_off, "data flow") == [("x <- constants only", "line 1"), ("y <- x", "line 2")]
    assert syntax.run("```\nsome words only\n```") == []
    indented = syntax.run("  ```\n    x = 1\n    y = x\n  ```")
    assert [text for text, _ in of_kind(indented, "data flow")] == ["x <- constants only", "y <- x"]


def test_code_is_never_run(syntax, tmp_path):
    mark = tmp_path / "mark"
    source = f"open({str(mark)!r}, 'w').close()\n__import__('os').system('touch {mark}')\nx = 9 ** 9 ** 9 ** 9"
    for text in (source, f"```\n{source}\n```", f"`open({str(mark)!r}, 'w')`"):
        assert of_kind(syntax.run(text), "call")
    assert not mark.exists()


@pytest.mark.parametrize(
    "source", ["x = 0x" + "f" * 9000, "x = " + "9" * 5000, r"x = '\d'", "x is 3\nf(x)", "f(a,\0b)"]
)
def test_code_that_python_warns_of_or_cannot_write(syntax, source, checked):
    checked(syntax.run(source))
    checked(syntax.run(f"```\n{source}\n```"))


def test_deep_code_in_a_thread_of_its_own(syntax, checked):
    """A thread's stack is smaller than the main one's."""
    found = []
    text = "x = a" + ".b" * 45_000 + "\ny = " + "not " * 500 + "x\nz = " + "f(" * 150 + ")" * 150
    thread = threading.Thread(target=lambda: found.append(syntax.run(f"```\n{text}\n```")))
    thread.start()
    thread.join()
    checked(found[0])
