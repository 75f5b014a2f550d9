import pytest

from counterpoise.counterfactual.programs.admission import MAX_CHARACTERS, parsed, refusal


def verdict(text: str) -> str | None:
    tree = parsed(text)
    return tree if isinstance(tree, str) else refusal(tree, "f")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import os", "imports os"),
        ("import os.path as math", "imports os.path"),
        ("from sys import exit", "imports sys"),
        ("from . import x", "imports ."),
        ("import threading", "imports threading"),
        ("import random", "imports random"),
        ("from math import *", "imports every name of a module"),
        ("from itertools import islice", "uses islice, which counts positions"),
        ("import itertools; itertools.islice([], 1)", "uses islice, which counts positions"),
        ("import re; re.search('a', x).start()", "uses start, which counts positions"),
        ("open('x', 'w')", "uses open"),
        ("return eval('1')", "uses eval"),
        ("exec('x = 1')", "uses exec"),
        ("return globals()", "uses globals"),
        ("input()", "uses input"),
        ("exit()", "uses exit"),
        ("return x.__class__", "uses the name __class__"),
        ("return __builtins__", "uses the name __builtins__"),
        ("def __on__(x): pass", "uses the name __on__"),
        ("return (i for i in x).gi_frame", "uses the name gi_frame"),
        ("class A: pass", "defines a class"),
        ("with x: pass", "uses a context manager"),
        ("match x:\n        case [1]: pass", "matches patterns"),
        ("return '{0[1]}'.format(x)", "uses format with fields that may index"),
        ("return '{0.real}'.format(x)", "uses format with fields that may index"),
        ("return x.format(1)", "uses format with fields that may index"),
    ],
)
def test_what_stays_out(body: str, reason: str) -> None:
    assert verdict(f"def f(x):\n    {body}") == reason


@pytest.mark.parametrize(
    "body",
    [
        "import math; return math.pi",
        "from typing import List; y: List[int] = x; return y",
        "return '{} {}'.format(x, 1)",
        "open = x; return open",
        "input = x; return max(input)",
        "start = x; return start",
        "return x.start",
        "global g; g = x",
        "try:\n        return x[1]\n    except IndexError as error:\n        return None",
        "def g(y): return lambda z: y\n    return g(x)",
    ],
)
def test_what_comes_in(body: str) -> None:
    assert verdict(f"def f(x):\n    {body}") is None


def test_what_is_no_program() -> None:
    assert verdict("def f(:") == "is no program: invalid syntax"
    assert (verdict("x = '\0'") or "").startswith("is no program: ")
    assert verdict("#" * (MAX_CHARACTERS + 1)) == f"is longer than {MAX_CHARACTERS} characters"
    assert verdict("f = 1") == "has no function f"
    assert verdict("def g():\n    def f(): pass") == "has no function f"
