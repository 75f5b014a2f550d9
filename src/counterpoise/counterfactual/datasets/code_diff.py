"""Two codes of which one is the other with a fault put in: what differs, as lines and as constructs.

Codes are compared, and shown, without comments and empty lines: the sets that this is for took the comments out of one
of the two, so that they would not tell where the fault is.
"""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from counterpoise.counterfactual.match import same_value

__all__ = [
    "LONGEST_CODE",
    "LONGEST_VALUE",
    "MOST_CHANGED",
    "MOST_PLACES",
    "Block",
    "Fault",
    "Place",
    "blocks",
    "fault",
    "fenced",
    "first_sentence",
    "prose",
]

LONGEST_CODE = 6000
"""Characters of a code."""
LONGEST_VALUE = 80
"""Characters of a value that a stage may be answered with."""
MOST_CHANGED = 0.3
"""Share of the lines that a fault may change; one line may always change."""
MOST_PLACES = 3
"""Changed lines up to which each of them has gold of its own."""


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a text.

    Attributes:
        language: as the fence names it, in lower case; empty where it does not.
        lines: without comments, empty lines and white space at their ends.
    """

    language: str
    lines: tuple[str, ...]

    @property
    def code(self) -> str:
        """The code as one text."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Place:
    """One line that differs.

    Attributes:
        line: in the sound code, without its indentation.
        faulty_line: in the faulty code.
        construct: the smallest piece of the line that differs, with what it needs to be read.
        faulty_construct: in the faulty code.
    """

    line: str
    faulty_line: str
    construct: str
    faulty_construct: str

    @property
    def usable(self) -> bool:
        """Whether lines and constructs can be values: short, with a word in each, and apart in more than spelling."""
        texts = (self.line, self.faulty_line, self.construct, self.faulty_construct)
        return all(_VALUE.fullmatch(text) and re.search(r"\w", text) for text in texts) and not any(
            same_value(first, second, "label")
            for first, second in ((self.line, self.faulty_line), (self.construct, self.faulty_construct))
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """How a faulty code differs from a sound one.

    Attributes:
        sound: the sound code.
        faulty: the faulty one.
        changed: indices of lines of the faulty code that the sound one has not there.
        places: the lines that differ one by one; ``None`` where lines were put in or left out, or where there are
            more than :data:`MOST_PLACES`.
    """

    sound: Block
    faulty: Block
    changed: tuple[int, ...]
    places: tuple[Place, ...] | None

    @property
    def facets(self) -> dict[str, str]:
        """Of a case: the language, and whether one line is another or several are."""
        return {
            "language": self.sound.language or self.faulty.language or "unnamed",
            "lines": "one" if len(self.changed) == 1 else "several",
        }


def blocks(text: str) -> list[Block]:
    """The fenced code blocks of a text, those without code left out."""
    found = []
    for fenced in _FENCED.finditer(text):
        language = (fenced["language"] or "").casefold()
        bare = _without_comments(textwrap.dedent(fenced["code"]), language)
        if lines := tuple(line.rstrip() for line in bare.splitlines() if line.strip()):
            found.append(Block(language, lines))
    return found


def fenced(block: Block) -> str:
    """The code in a fence, for a prompt."""
    return f"```{block.language}\n{block.code}\n```"


def first_sentence(text: str) -> str | None:
    """The first sentence of a text, where it is short enough for a value; else ``None``, because a part is no value.

    >>> first_sentence("Sort the list. Use no library.")
    'Sort the list.'
    """
    sentence = re.split(r"(?<=[.?!:])\s+|\s*\n\s*", text.strip(), maxsplit=1)[0].rstrip(":")
    return sentence if _VALUE.fullmatch(sentence) else None


def prose(text: str) -> str:
    """A text without its code blocks."""
    return re.sub(r"\n{3,}", "\n\n", _FENCED.sub("\n", text)).strip()


def fault(sound: Block, faulty: Block) -> Fault | str:
    """How the faulty code differs from the sound one, or why that cannot be used.

    >>> found = fault(Block("", ("for i in range(9):", "  f(i)")), Block("", ("for i in range(8):", "  f(i)")))
    >>> found.places[0].construct, found.places[0].faulty_construct
    ('9', '8')
    """
    if max(len(sound.code), len(faulty.code)) > LONGEST_CODE:
        return f"a code of more than {LONGEST_CODE} characters"
    if sound.lines == faulty.lines:
        return "the codes are equal"
    if sound.code.split() == faulty.code.split():
        return "the codes differ in white space only"
    before, after = list(sound.lines), list(faulty.lines)
    steps = [step for step in SequenceMatcher(None, before, after, autojunk=False).get_opcodes() if step[0] != "equal"]
    size = sum(max(i2 - i1, j2 - j1) for _, i1, i2, j1, j2 in steps)
    if size > max(1, MOST_CHANGED * max(len(before), len(after))):
        return f"the codes differ in {size} of {max(len(before), len(after))} lines"
    changed = tuple(index for _, _, _, j1, j2 in steps for index in range(j1, j2))
    paired = all(i2 - i1 == j2 - j1 for _, i1, i2, j1, j2 in steps)
    if not paired or len(changed) > MOST_PLACES:
        return Fault(sound, faulty, changed, None)
    places = [
        _place(old.strip(), new.strip())
        for _, i1, i2, j1, j2 in steps
        for old, new in zip(before[i1:i2], after[j1:j2], strict=True)
    ]
    return Fault(sound, faulty, changed, tuple(places))


def _place(old: str, new: str) -> Place:
    before, after = _tokens(old), _tokens(new)
    words, other = [token[0] for token in before], [token[0] for token in after]
    shorter = min(len(words), len(other))
    head = next((index for index in range(shorter) if words[index] != other[index]), shorter)
    tail = next((index for index in range(shorter - head) if words[-1 - index] != other[-1 - index]), shorter - head)
    # Both pieces are widened alike, by one shared token at a time, until both can be read by themselves.
    while True:
        pieces = [side[head : len(side) - tail] for side in (words, other)]
        if not all(pieces):
            head, tail = (head, tail - 1) if tail else (head - 1, tail)
        elif head and not all(_NAMED.match(piece[0]) for piece in pieces):
            head -= 1
        elif tail and not all(_NAMED.match(piece[-1]) or piece[-1] in _CLOSING for piece in pieces):
            tail -= 1
        elif head and any(_open(piece) < 0 for piece in pieces):
            head -= 1
        elif tail and any(_open(piece) > 0 for piece in pieces):
            tail -= 1
        else:
            return Place(old, new, _piece(old, before, head, tail), _piece(new, after, head, tail))


def _open(words: Sequence[str]) -> int:
    """Brackets that are opened and not closed; below 0 where one is closed that was not opened."""
    depth = lowest = 0
    for word in words:
        depth += (word in _OPENING) - (word in _CLOSING)
        lowest = min(lowest, depth)
    return lowest or depth


def _piece(line: str, tokens: Sequence[tuple[str, int, int]], head: int, tail: int) -> str:
    kept = tokens[head : len(tokens) - tail]
    return line[kept[0][1] : kept[-1][2]]


def _tokens(line: str) -> list[tuple[str, int, int]]:
    return [(found[0], found.start(), found.end()) for found in _TOKEN.finditer(line)]


def _without_comments(code: str, language: str) -> str:
    """The code without comments, as far as its language is known; what stands in quotation marks is no comment."""
    marks = next((marks for languages, marks in _COMMENTS if language in languages), None)
    if marks is None:
        return code
    return marks.sub(lambda found: found["kept"] or ("\n" * found[0].count("\n")), code)


_STRINGS = r"(?P<kept>\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
_COMMENTS = (
    (
        frozenset("python py ruby rb bash sh shell zsh r perl julia elixir powershell yaml yml coffeescript".split()),
        re.compile(rf"{_STRINGS}|(?:(?<=\s)|^)#(?!!)[^\n]*", re.MULTILINE),
    ),
    (
        frozenset(
            "c cpp c++ csharp c# cs java javascript js jsx typescript ts tsx go golang swift kotlin scala dart php "
            "groovy solidity objective-c objectivec".split()
        ),
        re.compile(rf"{_STRINGS}|(?<!:)//[^\n]*|/\*[\s\S]*?\*/"),
    ),
    (frozenset(("rust", "rs")), re.compile(r"(?P<kept>\"(?:\\.|[^\"\\])*\")|//[^\n]*|/\*[\s\S]*?\*/")),
    (frozenset(("sql", "lua", "haskell", "hs")), re.compile(r"(?P<kept>\"(?:\\.|[^\"\\\n])*\")|--[^\n]*")),
)
_FENCED = re.compile(
    r"^[ \t]*```[ \t]*(?P<language>[\w+#.-]*)[^\n`]*\n(?P<code>[\s\S]*?)(?<=\n)[ \t]*```[ \t]*$", re.MULTILINE
)
_TOKEN = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\w+(?:\.\w+)*|[-+*/%=<>!&|^~:?]{2,3}|\S")
_NAMED = re.compile(r"[\w\"']")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
# As the schemas of the stages have it: no value begins with a full stop, a "<" or white space.
_VALUE = re.compile(rf"[^<.\s].{{0,{LONGEST_VALUE - 1}}}")
