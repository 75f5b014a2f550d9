"""One key for all forms of a word: "closes", "closed" and "closing" are "close"."""

import re
from functools import cache, lru_cache
from importlib import resources

__all__ = ["DETERMINERS", "phrase_key", "root", "stem", "word_lines"]

Key = tuple[str, ...]

DETERMINERS = frozenset("a an the his her their its my your our".split())
"""Articles and what stands in their place."""

_MAX_CHARS = 40  # No word to be stemmed is longer.
_VOWEL = re.compile(r"[aeiouy]")
_NO_SUFFIX = frozenset(
    """indeed naked hundred sacred wicked rugged hardly lately nearly barely scarcely shortly early only family reply
    supply apply july italy likely unlikely friendly unfriendly lonely lovely ugly holy daily weekly monthly yearly
    hourly elderly really rarely fly jelly belly bully ally rely butterfly anomaly assembly monopoly comply multiply
    imply costly deadly cowardly nothing something anything everything evening morning during ceiling string spring
    wedding lightning king ring thing wing sibling gas bus plus lens news mars venus always perhaps sometimes series
    species mathematics physics united scissors""".split()
)


def word_lines(name: str) -> list[str]:
    """The lines of one word list, without comments and blank lines."""
    file = resources.files("counterpoise.counterfactual.match.reading") / "words" / f"{name}.txt"
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


@cache
def _irregular() -> dict[str, str]:
    """From a form that no rule gives to its base."""
    forms = {}
    for line in word_lines("irregular"):
        base, *others = line.split()
        forms.update({other: base for other in (base, *others)})
    return forms


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A key that the forms of one word share; not itself a word. Words of more than 40 letters are their own key.

    >>> stem("closed") == stem("closes") == stem("closing") == stem("close")
    True
    >>> stem("broke") == stem("broken") == stem("breaks"), stem("hard") == stem("hardly")
    (True, False)
    """
    if len(word) <= 2 or len(word) > _MAX_CHARS or not word.isalpha():
        return word
    base = _base(word)
    if base != word and len(base) > 2:
        base = _irregular().get(base, base)
    if len(base) > 5 and base.endswith("ll"):
        base = base[:-1]
    if len(base) > 3 and base.endswith("e") and not base.endswith("ee"):
        base = base[:-1]
    if len(base) > 3 and base.endswith("y") and base[-2] not in "aeou":
        base = base[:-1] + "i"
    # British and American spellings meet: "colour" and "color", "realise" and "realize".
    if len(base) > 5 and base.endswith("our"):
        return base[:-3] + "or"
    if base.endswith("isation"):
        return base[:-6] + "zation"
    return base[:-1] + "z" if len(base) > 5 and base.endswith(("is", "ys")) else base


def _base(word: str) -> str:
    irregular = _irregular().get(word)
    if irregular is not None or word in _NO_SUFFIX:
        return irregular or word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "zzes", "ches", "shes", "oes")) and len(word) > 5:
        return word[:-2]
    if word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is")):
        # The rest may itself be a form: "paintings", "closings".
        return _base(word[:-1])
    if word.endswith("ied") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("eed"):
        return word
    for suffix in ("ed", "ing"):
        rest = word.removesuffix(suffix)
        if rest != word and len(rest) > 2 and _VOWEL.search(rest):
            return _single(rest)
    if word.endswith("ly") and len(word) > 5:
        return word[:-3] + "y" if word.endswith("ily") else word[:-2]
    return word


def _single(word: str) -> str:
    """The doubled letter before an ending taken back: "stopp" to "stop", but "fall" stays."""
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] in "bdgmnprt" else word


@lru_cache(maxsize=65536)
def phrase_key(phrase: str) -> Key:
    """The stems of a phrase's words, determiners left out.

    >>> phrase_key("out of the order")
    ('out', 'of', 'order')
    """
    words = re.findall(r"\.\.|[^\W_]+", phrase.casefold())
    return tuple(stem(word) for word in words if word not in DETERMINERS)


_ENDINGS = (
    ("ational", "at"),
    ("iness", "i"),
    ("ness", ""),
    ("ment", ""),
    ("ation", ""),
    ("ition", ""),
    ("ion", ""),
    ("anc", ""),
    ("enc", ""),
    ("ant", ""),
    ("ent", ""),
    ("abiliti", ""),
    ("ibiliti", ""),
    ("abl", ""),
    ("ibl", ""),
    ("iti", ""),
    ("al", ""),
    ("ful", ""),
    ("iv", ""),
    ("ous", ""),
    ("hood", ""),
    ("ship", ""),
)


@lru_cache(maxsize=65536)
def root(key: str) -> str:
    """What the stems of words with one root and different endings share, where a rule finds it.

    >>> root(stem("kindness")) == root(stem("kind")), root(stem("refusal")) == root(stem("refuse"))
    (True, True)
    """
    for ending, rest in _ENDINGS:
        if key.endswith(ending) and len(key) - len(ending) >= 4:
            return key[: -len(ending)] + rest
    return key
