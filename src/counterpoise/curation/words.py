"""Words of a text, as the scorers and gates of the curation see them."""

import re

__all__ = ["content_stems", "phrase_in", "sentences", "stem", "words"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?:(?<=[.!?…。！？])|(?<=[.!?…。！？][\"'”’)\]]))\s+")
_SUFFIXES = ("ingly", "edly", "ings", "ing", "ies", "ied", "ely", "ed", "es", "ly", "s", "e", "y")
_MIN_STEM = 3
_FUNCTION_WORDS = frozenset(
    "a about after again all also am an and any are as at be because been before being but by can cannot could "
    "did do does doing done down each even for from get gets got had has have having he her here hers him his how "
    "i if in into is it its just let like make makes many may me might more most much must my no nor not now of "
    "off on once one only or other our out over own same shall she should so some such than that the their them "
    "then there these they this those through to too under until up us very was we well were what when where "
    "which while who whom why will with would yes you your".split()
)


def words(text: str) -> list[str]:
    """The words of a text in lower case, punctuation dropped.

    >>> words("Don't panic: it's 2 p.m.")
    ["don't", 'panic', "it's", '2', 'p', 'm']
    """
    return _WORD.findall(text.lower().replace("’", "'"))


def sentences(text: str) -> list[str]:
    """The sentences of a text: cut after a full stop, question or exclamation mark that is followed by a space.

    Abbreviations end a sentence too; good enough for lengths, not for grammar.

    >>> sentences("Ice floats. Why? It is light.")
    ['Ice floats.', 'Why?', 'It is light.']
    """
    return [part for part in _SENTENCE_END.split(text.strip()) if part.strip()]


def stem(word: str) -> str:
    """A word without its commonest English ending; at least three letters stay.

    Deliberately crude: inflected forms of one word should meet, and words of other languages stay whole or nearly so.

    >>> stem("melting"), stem("melts"), stem("melt"), stem("policies"), stem("policy")
    ('melt', 'melt', 'melt', 'polic', 'polic')
    """
    word = word.removesuffix("'s")
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _MIN_STEM:
            word = word[: -len(suffix)]
            # "stopped" and "stop" meet.
            if len(word) > _MIN_STEM and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            return word
    return word


def content_stems(text: str) -> set[str]:
    """Stems of the words that carry content: function words are left out."""
    return {stem(word) for word in words(text) if word not in _FUNCTION_WORDS}


def phrase_in(phrase: str, text: str) -> bool:
    """Whether the words of a phrase stand side by side in a text, whatever their case, hyphens, endings and spelling.

    British and American spellings meet. An empty phrase is in no text.

    >>> phrase_in("informed consent", "They gave their Informed-Consent.")
    True
    >>> phrase_in("warning label", "Read the warning labels.")
    True
    >>> phrase_in("neighbourhood watch", "A Neighborhood Watch helps."), phrase_in("data minimisation", "minimization")
    (True, False)
    >>> phrase_in("warning label", "A label with a warning.")
    False
    """
    wanted = [_unspelt(word) for word in words(phrase)]
    found = [_unspelt(word) for word in words(text)]
    span = len(wanted)
    return span > 0 and any(found[at : at + span] == wanted for at in range(len(found) - span + 1))


def _unspelt(word: str) -> str:
    """A stem in which "-ise" and "-ize", "-our" and "-or" are the same."""
    return stem(word).replace("z", "s").replace("our", "or")
