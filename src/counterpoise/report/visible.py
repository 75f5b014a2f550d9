"""Text that a stranger wrote, made safe to show: every character can be seen, none acts on its surroundings.

Escaping for HTML is the template engine's work. What is done here comes before it: control characters, lone surrogates
(which no UTF-8 file can hold), and the invisible format characters that reorder or hide their neighbours are
replaced by something a reader can see. The chart renderer needs the same: a control character aborts it.
"""

import unicodedata

__all__ = ["clip", "one_line", "visible"]

_JOINERS = "\u200c\u200d"  # part of ordinary spelling in several scripts, and of emoji; they move nothing
_MARKS_PER_LETTER = 4  # real orthographies stack fewer; more of them paint over the lines above and below


def visible(text: str) -> str:
    r"""The text with every control, format, surrogate, private and unassigned character written out.

    Line feeds and tabs stay; a carriage return before a line feed is dropped. Combining marks after the fourth on one
    letter are written out too. The result can be encoded as UTF-8 and is valid XML character data. Visible
    characters are kept as they are, so ordinary text is returned unchanged.

    >>> visible("tab\tand\x00null\x1b[31m")
    'tab\tand⟨U+0000⟩null⟨U+001B⟩[31m'
    >>> visible("abc\u202egnp.exe \ud800")
    'abc⟨U+202E⟩gnp.exe ⟨U+D800⟩'
    """
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for char in text.replace("\r\n", "\n"):
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if char in "\n\t" or char in _JOINERS:
            shown.append(char)
        elif category[0] == "C" or category in ("Zl", "Zp") or marks > _MARKS_PER_LETTER:
            shown.append(f"⟨U+{ord(char):04X}⟩")
        else:
            shown.append(char)
    return "".join(shown)


def one_line(text: str, limit: int = 200) -> str:
    r"""Visible text with runs of white space as single spaces, cut to ``limit`` characters with an ellipsis.

    >>> one_line("  a\n b ", 10), one_line("abcdefgh", 5)
    ('a b', 'abcd…')
    """
    # The cut comes first so that a huge text is not worked through; a space run can only make the result shorter.
    line = " ".join(visible(text[: 4 * limit]).split())
    return line if len(line) <= limit and len(text) <= 4 * limit else line[: limit - 1] + "…"


def clip(text: str, limit: int) -> tuple[str, int]:
    """The first ``limit`` characters of the text made visible, and how many characters of the text are not shown.

    >>> clip("abcdef", 4)
    ('abcd', 2)
    """
    return visible(text[:limit]), max(0, len(text) - limit)
