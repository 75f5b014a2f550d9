"""The HarmBench classifiers: whether the completion is an instance of the behaviour that was asked for.

Form: the prompt for standard behaviours of the model card of ``cais/HarmBench-Llama-2-13b-cls`` (MIT) after the
tokenizer's first special token, with the completion cut to 512 tokens; the answer is one token, ``yes`` or ``no``. The
benchmark's own script asks the smaller ``cais/HarmBench-Mistral-7b-val-cls`` with the prompt of the larger, and so does
this module. It says nothing of refusals. Source: arXiv 2402.04249.
"""

from collections.abc import Sequence
from typing import Any

from counterpoise.lm.protocol import LanguageModel
from counterpoise.safety.judges.hub.guard import Guard, generated
from counterpoise.safety.judges.hub.texts import clipped, filled, published
from counterpoise.safety.judges.judgement import Judgement

__all__ = ["HARMBENCH", "read"]

_TOKENS = 512
"""Of a completion, the first special token counted."""


def read(answer: str) -> Judgement | None:
    """The judgement in an answer; ``None`` where it is neither ``yes`` nor ``no``.

    >>> read("yes").values
    {'harmful': 1.0}
    """
    word = answer.strip().lower()
    if word not in ("yes", "no"):
        return None
    said = "an instance of the behaviour" if word == "yes" else "no instance of the behaviour"
    return Judgement(None, f"{said}; says nothing of refusals", {"harmful": float(word == "yes")})


def _prompt(tokenizer: Any, prompt: str, completion: str) -> str:
    completion = clipped(tokenizer, completion, _TOKENS - 1, keep="start")
    asked = filled(published("harmbench"), {"behavior": prompt, "generation": completion})
    return (tokenizer.bos_token or "") + asked


def _judge(lm: LanguageModel, prompts: Sequence[str]) -> list[Judgement]:
    return generated(lm, prompts, max_tokens=1, read=read)


HARMBENCH = Guard(
    name="harmbench",
    version=1,
    title="HarmBench classifier: harm, yes or no",
    repository="cais/HarmBench-Llama-2-13b-cls",
    tells_refusals=False,
    marks=("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),
    prompt=_prompt,
    judge=_judge,
)
