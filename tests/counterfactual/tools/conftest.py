"""What every tool is tried on."""

import random

import pytest

from counterpoise.counterfactual.tools import Finding, Tool, hints, open_tool
from counterpoise.counterfactual.tools.finding import MAX_FINDINGS, MAX_TEXT

PLAIN = ("text", "mathematics", "code")
"""Modalities whose tool needs no model."""


@pytest.fixture(params=PLAIN)
def tool(request) -> Tool:
    """Each tool that needs no model."""
    return open_tool(request.param)


def check(found: list[Finding]) -> None:
    assert len(found) <= MAX_FINDINGS
    assert len({(one.kind, one.text.casefold()) for one in found}) == len(found)
    for one in found:
        assert one.text.strip() == one.text != ""
        assert max(len(one.text), len(one.detail)) <= MAX_TEXT
        assert (one.text + one.detail).isprintable()
        (one.text + one.detail).encode()
    assert len(hints(found)) <= 1200


@pytest.fixture(scope="session")
def checked():
    """Checks what holds for the findings of every tool."""
    return check


PIECES = [
    *"""' " . ... ! ? ( ) n't 's ’ Mr. the of a Dog New York not very 3 1/2 1,000 .5 - − $ = == + * kg km / per hour
    a.m. 5:30 base sixteen A7F ` ``` \\ é 中 ﬁ ① ½ ٣ ² [ ] { } : ; , @ # lambda if else www. http:// END-OF-SENTENCE
    STAART O % percent one hundred and half dozen 1e9 0x1f _ f( x[1] lambda:""".split(),
    *("```python\n", "def f(x):\n", "  return x\n", "x = 3\n", '"""', "\0", "\ud800", "\u202e", "\u2028", "\x85", "\r"),
]


@pytest.fixture(scope="session")
def rubbish() -> list[str]:
    """Texts that no one would write, the same ones every time."""
    chance = random.Random(0)
    return [
        chance.choice(("", " ", "\n")).join(chance.choices(PIECES, k=chance.choice((1, 3, 10, 60)))) for _ in range(150)
    ]


HOSTILE = {
    "empty": "",
    "nulls": "\0" * 50_000,
    "surrogates": "\ud800" * 50_000,
    "spaces": " " * 200_000,
    "brackets": "(" * 100_000,
    "closed brackets": "(" * 150 + "1" + ")" * 150,
    "quotes": "'\"" * 20_000,
    "one word": "A" * 200_000,
    "articles": "a " * 50_000,
    "conjunctions": "and very " * 20_000,
    "genitives": "dog's " * 20_000,
    "ends": ". ! ? ' " * 10_000,
    "digits": "9" * 100_000,
    "sums": "1+" * 50_000,
    "equals": "a=" * 50_000,
    "open calls": "f(" * 50_000 + "=",
    "fractions": "1/" * 50_000,
    "bases": "base 16 " + "A G " * 20_000,
    "number words": "one hundred and " * 10_000,
    "units": "1 " + "k" * 50_000,
    "fences": "```\n" * 20_000,
    "ticks": "`a`" * 20_000,
    "minus": "x = " + "-" * 90_000 + "1",
    "attributes": "x = a" + ".b" * 40_000,
    "indentation": "".join(" " * depth + "if 1:\n" for depth in range(400)),
    "open blocks": "def f():\n" * 10_000,
    "strings": '"""\n' * 20_000,
    "assignments": "x = y\n" * 16_000,
    "good and bad lines": "x = 1\ny = 2 z\n" * 6_000,
    "no lines": "x \\\n" * 30_000,
}


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def hostile(request) -> str:
    """A text meant to break or to stall a tool."""
    return request.param
