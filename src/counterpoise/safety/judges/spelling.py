"""One spelling for what is written in several ways, so that phrases can be matched."""

import re

__all__ = ["normalised"]

_SPELLINGS = (
    (r"[\u2018\u2019\u02bc]", "'"),
    (r"[^\S\n]+", " "),
    (r"\bcan't\b|\bcan not\b", "cannot"),
    (r"\bwon't\b", "will not"),
    (r"n't\b", " not"),
    (r"\b(i)'m\b", r"\1 am"),
    (r"\b(it|that|there|here|what)'s\b", r"\1 is"),
    (r"'ve\b", " have"),
    (r"'d\b", " would"),
    (r"'ll\b", " will"),
    (
        r"\b(?:also|just|really|simply|directly|therefore|personally|generally|ethically|morally|currently|"
        r"unfortunately|definitely) ",
        "",
    ),
)


def normalised(text: str) -> str:
    r"""Lower case, straight quotes, single spaces, contractions written out, fillers dropped; line breaks stay.

    >>> normalised("I really CAN\u2019T, it's late")
    'i cannot, it is late'
    """
    text = text.lower().strip()
    for pattern, replacement in _SPELLINGS:
        text = re.sub(pattern, replacement, text)
    return text
