"""Cutting a text into words, numbers and signs."""

import re

__all__ = ["tokenise"]

_TOKEN = re.compile(
    r"(?:(?<![\w)\].])[-−](?=[.\d]))?(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"|[^\W\d_]+|'s\b|[<>!=]=|[%°$€£½¼¾⅓⅔.,;:()\[\]{}/+*=<>≤≥≠^~!¬?\"-]"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_EXPANDED = (
    ("can't", "can not"),
    ("cannot", "can not"),
    ("won't", "will not"),
    ("shan't", "shall not"),
    ("in to ", "into "),
    ("on to ", "onto "),
)
_CONTRACTED = re.compile(r"(?<=\w)n't\b")


def tokenise(text: str) -> list[str]:
    """Words, numbers and signs of a text in lower case; contractions with "not" and identifiers are taken apart.

    >>> tokenise("The door isn't open: maxDepth = -1,200.5")
    ['the', 'door', 'is', 'not', 'open', ':', 'max', 'depth', '=', '-1200.5']
    """
    plain = _CAMEL.sub(" ", text.replace("’", "'")).casefold().replace("−", "-")
    for spelling, meaning in _EXPANDED:
        plain = plain.replace(spelling, meaning)
    plain = _CONTRACTED.sub(" not", plain)
    tokens = _TOKEN.findall(plain.replace("_", " ").replace("‑", "-"))
    return [token.replace(",", "") if token[-1].isdigit() else token for token in tokens]
