"""What a published guard is: the prompt that it was trained on, and how its answer is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from counterpoise.lm.plain import plain
from counterpoise.lm.protocol import LanguageModel, Request
from counterpoise.safety.judges.judgement import Judgement

__all__ = ["Guard", "generated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A classifier of completions that is a language model with weights, prompt and answer of its own.

    Attributes:
        name: as users write it.
        version: raised whenever a verdict of the same weights may change.
        title: one line for lists.
        repository: where its weights are unless another place is named; ``owner/name`` on the hub.
        tells_refusals: it says whether a completion refuses, so that its judgements have labels.
        marks: strings by which its prompt tells its own parts apart; they are broken up in what it judges.
        prompt: from tokenizer, request and completion to the finished prompt.
        judge: from model and finished prompts to a judgement for each, in order.
    """

    name: str
    version: int
    title: str
    repository: str
    tells_refusals: bool
    marks: tuple[str, ...]
    prompt: Callable[[Any, str, str], str]
    judge: Callable[[LanguageModel, Sequence[str]], list[Judgement]]


def generated(
    lm: LanguageModel, prompts: Sequence[str], *, max_tokens: int, read: Callable[[str], Judgement | None]
) -> list[Judgement]:
    """Let a model answer finished prompts greedily, in one batch, and read the answers.

    Args:
        lm: the guard's model.
        prompts: the finished prompts.
        max_tokens: room for an answer.
        read: from an answer to the judgement; ``None`` where it is not of the published form.
    """
    requests = [Request(messages=plain(prompt), max_tokens=max_tokens) for prompt in prompts]
    judgements = []
    for (answer,) in lm.generate(requests) if requests else []:
        if answer.finish == "error":
            reason = " ".join(f"the guard failed: {answer.error}".split())
            judgements.append(Judgement(None, reason, failed=True))
        elif judgement := read(answer.text):
            judgements.append(judgement)
        else:
            shown = " ".join(answer.text.split())[:80]
            reason = f"the guard's answer is not of its published form: {shown!r}"
            judgements.append(Judgement(None, reason, failed=True))
    return judgements
