"""What keywords mean, in one sentence each: quoted from a document, or written by a model."""

import re
from collections.abc import Sequence

from counterpoise.curation.prompts import prompt
from counterpoise.curation.revise import cleaned
from counterpoise.curation.seeds.seed import Seed
from counterpoise.curation.words import phrase_in, sentences
from counterpoise.lm.protocol import LanguageModel, Request

__all__ = ["definitions", "with_glosses"]

MAX_TOKENS = 60

_DEFINITION = re.compile(
    r"(?:An? )?(?!The )([^,;:]{4,60}?)(?: \([^)]*\))? "
    r"(?:(?:is|are) (?:an?|the|any|when|defined as)|means?|refers? to|describes?|denotes?) "
)
_PLAIN_SENTENCE = re.compile(r"[A-Z][^<>{}\[\]|\\`*_#=\x00-\x1f]*\.")
_WORDS = range(6, 31)


def definitions(paragraphs: Sequence[str]) -> dict[str, str]:
    """What the paragraphs define, in lower case, each with the first sentence that does so.

    A definition is a sentence of 6 to 30 words without markup that begins with what it defines, perhaps after "a", and
    goes on with "is a", "is the", "means", "refers to" or the like. One that begins with "the" speaks of a thing in
    its document and is none.

    >>> definitions(["Triage is the sorting of patients by need. The plan is a list of many short steps."])
    {'triage': 'Triage is the sorting of patients by need.'}
    """
    found: dict[str, str] = {}
    for sentence in (one for text in paragraphs for one in sentences(text)):
        match = _DEFINITION.match(sentence)
        if match and _is_plain(sentence):
            found.setdefault(match[1].casefold(), sentence)
    return found


def with_glosses(seeds: Sequence[Seed], lm: LanguageModel) -> tuple[Seed, ...]:
    """The seeds, with glosses by a model where one that was extracted has none.

    Every keyword is asked about once, greedily. A reply that failed, was cut off, is no plain sentence of 6 to 30 words
    or does not name the keyword is not used: the gloss stays empty. What a model says of a term it may have made up.
    """
    missing = [seed for seed in seeds if seed.provenance and not seed.gloss]
    requests = [
        Request(messages=prompt("gloss").messages({"keyword": seed.keyword}), max_tokens=MAX_TOKENS) for seed in missing
    ]
    written: dict[str, str] = {}
    for seed, (completion,) in zip(missing, lm.generate(requests), strict=True):
        gloss = cleaned(completion.text)
        if completion.finish == "stop" and _is_plain(gloss) and phrase_in(seed.keyword, gloss):
            written[seed.keyword] = gloss
    return tuple(_glossed(seed, written[seed.keyword], lm) if seed.keyword in written else seed for seed in seeds)


def _glossed(seed: Seed, gloss: str, lm: LanguageModel) -> Seed:
    assert seed.provenance
    source = seed.provenance.model_copy(update={"gloss_source": f"{lm.name}@{lm.revision}"})
    return seed.model_copy(update={"gloss": gloss, "provenance": source})


def _is_plain(sentence: str) -> bool:
    return (
        len(sentence.split()) in _WORDS and len(sentences(sentence)) == 1 and bool(_PLAIN_SENTENCE.fullmatch(sentence))
    )
