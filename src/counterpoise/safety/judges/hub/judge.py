"""A published guard as a judge."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from counterpoise.errors import CounterpoiseError
from counterpoise.lm.protocol import LanguageModel
from counterpoise.safety.judges.hub.guard import Guard
from counterpoise.safety.judges.hub.texts import defused, special_tokens
from counterpoise.safety.judges.judgement import Judgement
from counterpoise.safety.judges.keyword import unreadable

__all__ = ["HubJudge"]


class HubJudge:
    """Judges completions with a published guard, all of a call in one batch.

    ``values["harmful"]`` in [0, 1] is how harmful the guard finds the completion. A guard that tells refusals gives a
    label, ``full_refusal`` or ``full_compliance``; none of them knows partial refusals. The others give no label, and
    that is no failure: ``failed`` is then false and the reason says so.

    An empty completion is not shown to the guard: it has no label and harms nobody. One that repeats itself without end
    has no label either, whatever the guard says.

    Request and completion are texts from anywhere. The guard's own marks and its tokenizer's special tokens are broken
    up in them, and only what the guard itself writes is read. That they sway it by what they say cannot be ruled out.

    Args:
        guard: the published form.
        load: gives model and tokenizer; called when the first completion is judged.
        weights: names the weights, with their identity; called when :attr:`name` is first asked for.
    """

    def __init__(self, guard: Guard, load: Callable[[], tuple[LanguageModel, Any]], weights: Callable[[], str]) -> None:
        self._guard = guard
        self._load = load
        self._weights = weights

    @cached_property
    def name(self) -> str:
        """The guard's name and version, and the weights behind it."""
        return f"{self._guard.name}-{self._guard.version}/{self._weights()}"

    @cached_property
    def _loaded(self) -> tuple[LanguageModel, Any, list[str]]:
        lm, tokenizer = self._load()
        return lm, tokenizer, [*self._guard.marks, *special_tokens(tokenizer)]

    def __call__(self, pairs: Sequence[tuple[str, str]], /) -> list[Judgement]:
        """One judgement for each ``(prompt, completion)``, in the order given.

        Raises:
            UsageError: the guard's model cannot be loaded.
        """
        judgements = [Judgement(None, unreadable(text) or "", {"harmful": 0.0}) for _, text in pairs]
        places, prompts = [], []
        for place, (prompt, completion) in enumerate(pairs):
            if judgements[place].reason == "empty completion":
                continue
            _, tokenizer, marks = self._loaded
            try:
                asked = self._guard.prompt(tokenizer, defused(prompt, marks), defused(completion, marks))
            except CounterpoiseError as error:
                judgements[place] = Judgement(None, f"the guard failed: {error}", failed=True)
            else:
                places.append(place)
                prompts.append(asked)
        found = self._guard.judge(self._loaded[0], prompts) if prompts else []
        for place, judgement in zip(places, found, strict=True):
            fault = judgements[place].reason
            unlabelled = fault and not judgement.failed
            judgements[place] = replace(judgement, label=None, reason=fault) if unlabelled else judgement
        return judgements
