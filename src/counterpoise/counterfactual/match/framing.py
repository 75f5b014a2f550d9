"""What stands around a name or value without claiming anything: "the answer would have been ...", a reason, a gloss."""

import re
from collections.abc import Sequence

from counterpoise.counterfactual.match.pair import Pair
from counterpoise.counterfactual.match.spelling import normalise, without_subject

__all__ = ["candidates", "code_differs", "core"]

_MAX_CHARS = 600  # Longer texts are left as they are.
_WOULD = r"(?:is|was|are|were|(?:would|will)\s+(?:be|have\s+been)|has\s+been|had\s+been|becomes?|became)"
_FRAME = re.compile(
    r"(?:(?:well|so|then|therefore|in\s+that\s+case)\s*,\s*)?"
    r"(?:the\s+|this\s+|its?\s+)?(?:name\s+of\s+the\s+)?(?:(?:correct|right|new|counterfactual|resulting)\s+)?"
    r"(?:variable|answer|value|state|outcome|result|name|it|that)(?:\s+(?:here|then|now))?\s+" + _WOULD + r"\s*:?\s+",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?:answer|value|variable|result|outcome|name)\s*[:=]\s*", re.IGNORECASE)
_COPULA = re.compile(r"(?:would\s+(?:have\s+)?|will\s+|it'?s\s+)?(?:be|been|is|was|are|were)\s+(?=\w)", re.IGNORECASE)
_GLOSS = re.compile(r",\s*(?:(?:which|that|who)\s+(?:is|was|are|were)\s+)?an?\s[^,;]*$", re.IGNORECASE)
_THAT_IS = re.compile(r"\s*,\s*(?:i\.\s?e\.|that\s+is(?:\s+to\s+say)?,|namely|in\s+other\s+words)\W.*$", re.IGNORECASE)
_REASON = re.compile(
    r"[,;]?\s+(?:because|since|due\s+to|owing\s+to|thanks\s+to|on\s+account\s+of|given\s+that)\s.*$|[,;]\s*(?:as|for)\s.*$",
    re.IGNORECASE,
)
_SEEN = re.compile(r"\b(?:that\s+|which\s+)?can\s+be\s+seen\b", re.IGNORECASE)
_YES = re.compile(r"(?:yes|no|right|indeed|sure|certainly|correct)\s*[,;:.-]\s*(?=\w)", re.IGNORECASE)
_WHETHER = re.compile(r"^\s*whether(?:\s+or\s+not)?\s+|\s+or\s+not\s*$", re.IGNORECASE)
_NAME_VALUE = re.compile(r"\s*(?::|=|\().*$", re.DOTALL)
_POLES = re.compile(
    r"^\s*(?:the\s+)?(?:presence\s+(?:or|and)\s+absence|presence\s*/\s*absence|absence\s+or\s+presence)\s+of\s+",
    re.IGNORECASE,
)
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}
_CODE = re.compile(r"[\[\]{}]|[=!]=|->|::|\w\(")
_CODE_TOKEN = re.compile(r"\w+(?:\.\d+)?|\S")
_QUOTED_NUMBER = re.compile(r"\s*([\"'])[+-]?\d+(?:\.\d+)?\1\s*")
_BARE_NUMBER = re.compile(r"\s*[+-]?\d+(?:\.\d+)?\s*")


def core(text: str, pair: Pair) -> str:
    """The part of a text that names or claims something; never empty for a text that is not.

    >>> core("The answer would have been open.", Pair("value", "open", ""))
    'open'
    >>> core("whether the tap runs", Pair("name", "tap", "")), core("mood: cheerful", Pair("name", "mood", ""))
    ('the tap runs', 'mood')
    """
    if len(text) > _MAX_CHARS:
        return text
    kept = text.strip().strip("\"'`“”‘’*").rstrip(".!")
    kept = _shortened(kept, _SEEN.sub("", kept))
    for pattern in (_LABEL, _FRAME, _COPULA):
        kept = _shortened(kept, pattern.sub("", kept, count=1) if pattern.match(kept) else kept)
    if pair.kind == "name":
        for pattern in (_POLES, _WHETHER, _NAME_VALUE, _GLOSS, _THAT_IS):
            kept = _shortened(kept, pattern.sub("", kept))
        return kept
    if _YES.match(kept):
        kept = _shortened(kept, _YES.sub("", kept, count=1))
    for pattern in (_GLOSS, _THAT_IS):
        kept = _shortened(kept, pattern.sub("", kept))
    return _without_label(kept, pair.about)


def _shortened(text: str, shorter: str) -> str:
    return shorter if normalise(shorter) else text


def _without_label(text: str, about: Sequence[str]) -> str:
    """The text without its variable's name before it: "door: open", "the door would be open"."""
    label, colon, rest = text.partition(":")
    if colon and normalise(rest) and normalise(label) in {normalise(name) for name in about}:
        return rest.strip()
    if without_subject(about, text) != normalise(text):
        for name in sorted(about, key=len, reverse=True):
            words = [re.escape(word) for word in re.findall(r"\w+", name)]
            said = (
                re.match(r"(?:the\s+|an?\s+)?" + r"\W+".join(words) + r"\s+(?=\w)", text, re.IGNORECASE)
                if words
                else None
            )
            if said:
                rest = text[said.end() :]
                return _shortened(text, _COPULA.sub("", rest, count=1) if _COPULA.match(rest) else rest)
    return text


def candidates(pair: Pair) -> list[tuple[str, str]]:
    """The (gold, text) cores to compare: one for the gold and each alias; more where a value is a yes or a no.

    A reason is left out where only one side gives one. "Yes" is also the statement that the variable's name asks about.
    """
    found = []
    text = core(pair.text, pair)
    for accepted in (pair.gold, *pair.aliases):
        gold = core(accepted, pair)
        found.append(_with_subject(*_without_reasons(gold, text), pair.about) if pair.kind == "value" else (gold, text))
    if pair.kind == "value" and pair.about:
        statement = _WHETHER.sub("", pair.about[0]).strip()
        truth, said = _TRUTH.get(normalise(pair.gold)), _TRUTH.get(normalise(text))
        if truth is not None and said is None:
            found.append((statement if truth else f"not {statement}", text))
        elif said is not None and truth is None:
            found.append((core(pair.gold, pair), statement if said else f"not {statement}"))
    return found


def _with_subject(gold: str, text: str, about: Sequence[str]) -> tuple[str, str]:
    """Both sides as statements about the variable's holder, where just one of them names it or says "it".

    Of the position of the cup, "left of the plate" and "the plate is to the left of it" are opposed.
    """
    subject = re.split(r"\bof\s+", about[0])[-1].strip() if about else ""
    if not subject or max(len(gold), len(text)) > _MAX_CHARS:
        return gold, text
    pronoun = r"(?<=\w )(?:it|him|her|them|he|she|they)(?:\s+(?:is|was|are|were|does|did|has))?"
    word = re.compile(rf"\b(?:{re.escape(subject.removeprefix('the '))}|{pronoun})(?=\W*$|\W+(?:by|to|from)\b)", re.I)
    said = [bool(word.search(side)) for side in (gold, text)]
    if said[0] == said[1]:
        return gold, text
    whole = [
        word.sub(lambda _: subject, side) if there else f"{subject} is {side}"
        for side, there in zip((gold, text), said, strict=True)
    ]
    return whole[0], whole[1]


def _without_reasons(gold: str, text: str) -> tuple[str, str]:
    if len(gold) > _MAX_CHARS or len(text) > _MAX_CHARS:
        return gold, text
    first, second = (_shortened(side, _REASON.sub("", side)) for side in (gold, text))
    return (gold, text) if (first == gold) == (second == text) else (first, second)


def code_differs(pair: Pair) -> bool:
    """Whether the pair is written as code and not the same code: a list is no tuple, and "8" in quotes is no number.

    >>> code_differs(Pair("value", "[1, 2]", "[1,2]")), code_differs(Pair("value", "[1, 2]", "(1, 2)"))
    (False, True)
    """
    if pair.kind == "name" or max(len(pair.gold), len(pair.text)) > _MAX_CHARS:
        return False
    for one, other in ((pair.gold, pair.text), (pair.text, pair.gold)):
        if _QUOTED_NUMBER.fullmatch(one) and _BARE_NUMBER.fullmatch(other):
            return True
    if not _CODE.search(pair.gold):
        return False
    gold = _code_tokens(pair.gold)
    return all(_code_tokens(text) != gold for text in (pair.text, core(pair.text, pair)))


def _code_tokens(text: str) -> list[str]:
    return [token.replace('"', "'") for token in _CODE_TOKEN.findall(text.strip("` \n"))]
