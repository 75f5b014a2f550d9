"""How much of an answer's help survives a revision, judged by a language model in a fixed form."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from counterpoise.curation.helpfulness.rating import Rating
from counterpoise.curation.prompts import PROMPT_VERSION, prompt
from counterpoise.lm.protocol import Completion, LanguageModel, Request
from counterpoise.records import content_hash
from counterpoise.rng import seed_for

__all__ = ["CRITERIA", "ModelJudge"]

CRITERIA = {"relevance": 0.25, "clarity": 0.25, "comprehensiveness": 0.25, "knowledge": 0.25}
"""The criteria and their weights: every one counts the same, as in the source."""

_LOWEST, _HIGHEST = 1, 5
# A list of values, because not every provider takes bounds of an integer.
_NUMBER = {"type": "integer", "enum": list(range(_LOWEST, _HIGHEST + 1))}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": dict.fromkeys(CRITERIA, _NUMBER),
    "required": list(CRITERIA),
    "additionalProperties": False,
}
_SECOND_TEMPERATURE = 0.5
"""A greedy model would write the very same again."""


class ModelJudge:
    """Judge of revisions that asks a language model for whole numbers from 1 to 5.

    The criteria are relevance to the question, clarity, comprehensiveness (measured against the original answer, which
    the model sees) and usefulness of knowledge. A criterion's value is ``(number - 1) / 4``, the total their weighted
    mean by :data:`CRITERIA`: a revision that gets 4 throughout has 0.75. What a revision says about safety counts
    neither for nor against it as such.

    All items go to the model in one batch, greedily, in a forced JSON form. The instruction comes first, then question
    and original, then the revision, so that an engine that reads common beginnings once reads little more than the
    revisions. A reply that is cut off or not of the asked form is asked for once more, with another seed and a
    temperature of 0.5; if that fails too, or the model gives an error, the rating says why.

    Texts are put into the prompt as JSON strings of one line without ``<`` and ``[``, so they can neither pass for a
    part of the instruction nor hold the marks by which chat templates tell turns apart; and whatever they say, the
    reply has the fixed form. This cannot keep a text from swaying the model by what it says: the instruction warns of
    that, and weak models do not heed it. Ratings of one model are not comparable with those of another.

    Args:
        lm: the model; another one than the reviser, or it rates its own work.
        seed: of the second attempts.
        max_tokens: room for the reply; more for models that think before they answer.

    Attributes:
        lm: the model.

    Source: criteria from arXiv 2410.02220; the prompt is this project's.
    """

    def __init__(self, lm: LanguageModel, *, seed: int = 0, max_tokens: int = 256) -> None:
        self.lm = lm
        self.name = f"judge/{lm.name}"
        self._seed = seed
        self._max_tokens = max_tokens
        self.revision = f"{lm.revision}+{content_hash(self.identity())}"

    def identity(self) -> dict[str, Any]:
        """All that ratings depend on: model, prompt, weights, settings."""
        return {
            "model": {"name": self.lm.name, "revision": self.lm.revision},
            "prompt_version": PROMPT_VERSION,
            "prompt": prompt("judge").hash,
            "weights": CRITERIA,
            "seed": self._seed,
            "max_tokens": self._max_tokens,
        }

    def __call__(self, items: Sequence[tuple[str, str, str]]) -> list[Rating]:
        """Rate triples of question, original answer and revision, in order."""
        requests = [self.request(*item) for item in items]
        attempts = [[completion] for completion in self._asked(requests)]
        # Whether an error is worth another attempt, the model's own layer has decided already.
        again = [
            place for place, (first,) in enumerate(attempts) if first.finish != "error" and _criteria(first) is None
        ]
        seed = seed_for(self._seed, "second attempt")
        second = [replace(requests[place], temperature=_SECOND_TEMPERATURE, seed=seed) for place in again]
        for place, completion in zip(again, self._asked(second), strict=True):
            attempts[place].append(completion)
        return [_rating(completions) for completions in attempts]

    def request(self, question: str, original: str, revised: str) -> Request:
        """What the model is asked about one revision; estimates of a run's tokens need it too."""
        values = {"question": _quoted(question), "original": _quoted(original), "revised": _quoted(revised)}
        return Request(
            messages=prompt("judge").messages(values), seed=self._seed, max_tokens=self._max_tokens, schema=_SCHEMA
        )

    def _asked(self, requests: Sequence[Request]) -> list[Completion]:
        return [completion for (completion,) in self.lm.generate(requests)] if requests else []


# Written otherwise, they are still the same JSON string.
_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<[\x85\u2028\u2029"}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(_ESCAPED)


def _rating(attempts: Sequence[Completion]) -> Rating:
    read = sum(attempt.input_tokens for attempt in attempts)
    written = sum(attempt.output_tokens for attempt in attempts)
    criteria = _criteria(attempts[-1])
    if criteria is None:
        return Rating(failed=_reason(attempts[-1]), input_tokens=read, output_tokens=written)
    return Rating.of(criteria, CRITERIA, input_tokens=read, output_tokens=written)


def _criteria(completion: Completion) -> dict[str, float] | None:
    """The numbers of a reply, mapped to [0, 1]; ``None`` unless it has all of them."""
    if completion.finish != "stop":
        return None
    text = completion.text
    try:
        reply = json.loads(text[text.find("{") : text.rfind("}") + 1])
    except (ValueError, RecursionError):
        return None
    if not isinstance(reply, dict):
        return None
    numbers: dict[str, Any] = {name: reply.get(name) for name in CRITERIA}
    # Not isinstance: true is an int as well.
    if not all(type(number) is int and _LOWEST <= number <= _HIGHEST for number in numbers.values()):
        return None
    return {name: (number - _LOWEST) / (_HIGHEST - _LOWEST) for name, number in numbers.items()}


def _reason(completion: Completion) -> str:
    if completion.finish == "error":
        return f"the judge failed: {completion.error}"
    if completion.finish == "length":
        return f"the judge's reply was cut off after {completion.output_tokens} tokens"
    return f"the judge's reply is not of the asked form: {' '.join(completion.text.split())[:80]!r}"
