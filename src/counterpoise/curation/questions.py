"""Questions for texts that have none: a plain text becomes an answer once somebody asks."""

import re
from collections.abc import Sequence

from counterpoise.curation.prompts import prompt
from counterpoise.curation.revise import cleaned
from counterpoise.curation.words import words
from counterpoise.lm.protocol import Completion, LanguageModel, Request
from counterpoise.rng import seed_for

__all__ = ["generated_questions"]

_MAX_TOKENS = 64
_MAX_WORDS = 40
_TRIES = 3
"""Greedy first, then sampled."""
_TEMPERATURE = 0.7
_MARKS = re.compile(r"""^(question\s*:)?[\s"'“‘]*""", re.IGNORECASE)


def generated_questions(lm: LanguageModel, texts: Sequence[str], *, seed: int) -> list[str | None]:
    """One question that each text answers; ``None`` where the model wrote none in three tries.

    A question is the first line, up to its first question mark, of at most 40 words. All texts of a try go to the
    model in one batch.
    """
    found: list[str | None] = [None] * len(texts)
    for attempt in range(_TRIES):
        open_ones = [index for index, question in enumerate(found) if question is None]
        requests = [
            Request(
                messages=prompt("question").messages({"text": texts[index]}),
                temperature=_TEMPERATURE if attempt else 0.0,
                seed=seed_for(seed, "question", texts[index], attempt),
                max_tokens=_MAX_TOKENS,
            )
            for index in open_ones
        ]
        for index, (completion, *_) in zip(open_ones, lm.generate(requests) if requests else [], strict=True):
            found[index] = _question(completion)
    return found


def _question(completion: Completion) -> str | None:
    first, mark, _ = _MARKS.sub("", cleaned(completion.text)).split("\n", 1)[0].partition("?")
    return first + mark if mark and 2 <= len(words(first)) <= _MAX_WORDS else None
