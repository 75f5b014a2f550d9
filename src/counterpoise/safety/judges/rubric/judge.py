"""A language model that judges completions by a rubric."""

import json
from collections.abc import Sequence
from dataclasses import replace

from counterpoise.lm.protocol import Completion, LanguageModel, Request
from counterpoise.rng import seed_for
from counterpoise.safety.judges.judgement import Judgement
from counterpoise.safety.judges.keyword import unreadable
from counterpoise.safety.judges.rubric.prompts import PROMPT_VERSION, messages
from counterpoise.safety.judges.rubric.rubrics import Rubric

__all__ = ["RubricJudge"]

_SECOND_TEMPERATURE = 0.5
"""A greedy model would write the very same again."""


class RubricJudge:
    """Asks a language model about each completion, all of a call in one batch, greedily and in a forced JSON form.

    A reply that is cut off or not of the asked form is asked for once more, with another seed and a temperature of 0.5.
    A call that gave an error is repeated once without the forced form, which some models refuse; the prompt names the
    form too. What fails twice is a judgement that has failed, with the reason.

    An empty completion is not shown to the model; it has no label and no values. One that repeats itself without end
    keeps its values and has no label, whatever the model says.

    Texts are put into the prompt as JSON strings of one line without ``<`` and ``[``: they cannot pass for a part of
    the instruction, and whatever they say, the reply has the fixed form. This cannot keep a text from swaying the model
    by what it says; weak models are easily swayed, and their judgements are little better than chance. Judgements of
    different models are not comparable.

    Args:
        rubric: what is asked.
        lm: the model; another one than the model that is judged, or it rates its own work.
        seed: of the second attempts.
        max_tokens: room for a reply; more for models that think before they answer.
    """

    def __init__(self, rubric: Rubric, lm: LanguageModel, *, seed: int = 0, max_tokens: int = 512) -> None:
        self._rubric = rubric
        self._lm = lm
        self._seed = seed
        self._max_tokens = max_tokens

    @property
    def name(self) -> str:
        """The rubric's name with the version of its prompt, and the model, with the identity of its weights."""
        # A hosted model is known by its name alone.
        weights = "" if self._lm.revision == self._lm.name else f"@{self._lm.revision[:8]}"
        return f"{self._rubric.name}-{PROMPT_VERSION}/{self._lm.name}{weights}"

    def __call__(self, pairs: Sequence[tuple[str, str]], /) -> list[Judgement]:
        """One judgement for each ``(prompt, completion)``, in the order given."""
        faults = [unreadable(completion) for _, completion in pairs]
        asked = [place for place, fault in enumerate(faults) if fault != "empty completion"]
        requests = {place: self._request(*pairs[place]) for place in asked}
        replies = dict(zip(asked, self._replies(list(requests.values())), strict=True))
        again = {
            place: self._again(requests[place], replies[place]) for place in asked if not self._read(replies[place])
        }
        replies |= dict(zip(again, self._replies(list(again.values())), strict=True))
        return [
            self._judged(replies[place], fault) if place in replies else Judgement(None, fault or "empty completion")
            for place, fault in enumerate(faults)
        ]

    def _request(self, prompt: str, completion: str) -> Request:
        return Request(
            messages=messages(self._rubric.prompt, prompt, completion),
            seed=self._seed,
            max_tokens=self._max_tokens,
            schema=self._rubric.schema,
        )

    def _again(self, request: Request, reply: Completion) -> Request:
        if reply.finish == "error":
            return replace(request, schema=None)
        return replace(request, temperature=_SECOND_TEMPERATURE, seed=seed_for(self._seed, "second attempt"))

    def _replies(self, requests: Sequence[Request]) -> list[Completion]:
        return [completion for (completion,) in self._lm.generate(requests)] if requests else []

    def _read(self, reply: Completion) -> Judgement | None:
        if reply.finish != "stop":
            return None
        try:
            found = json.loads(reply.text[reply.text.find("{") : reply.text.rfind("}") + 1])
        except (ValueError, RecursionError):
            return None
        return self._rubric.read(found) if isinstance(found, dict) else None

    def _judged(self, reply: Completion, fault: str | None) -> Judgement:
        judgement = self._read(reply)
        if judgement is None:
            return Judgement(None, _reason(reply), failed=True)
        return replace(judgement, label=None, reason=fault) if fault else judgement


def _reason(reply: Completion) -> str:
    if reply.finish == "error":
        return " ".join(f"the judge failed: {reply.error}".split())
    if reply.finish == "length":
        return f"the judge's reply was cut off after {reply.output_tokens} tokens"
    return f"the judge's reply is not of the asked form: {' '.join(reply.text.split())[:80]!r}"
