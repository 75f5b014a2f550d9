"""A matcher that asks a language model, which must answer in a fixed form."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from counterpoise.counterfactual.match.pair import Pair
from counterpoise.lm.protocol import Completion, LanguageModel, Request

__all__ = ["PROMPT_VERSION", "Judge"]

PROMPT_VERSION = "v1"
"""Version of the prompt; a new version is a new folder below ``prompts/``."""

_MAX_CHARS = 2000  # Of each text in the prompt; longer ones are cut.
_MAX_TOKENS = 220
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reasoning": {"type": "string", "minLength": 1, "maxLength": 400},
        "same": {"type": "string", "enum": ["yes", "no"]},
    },
    "required": ["reasoning", "same"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks a language model whether two texts mean the same; greedy, one request per pair, all in one batch.

    A reply that failed, was cut off or is not of the asked form gives no score: it is counted as unscored, never taken
    for a verdict.

    Attributes:
        model: the model; pin its version, for the verdicts are only as stable as it is.
    """

    model: LanguageModel
    name: str = "judge"
    threshold: float = 0.5

    @property
    def detail(self) -> str:
        """Which model it asks, and the version of the prompt."""
        return f"{self.model.name} {self.model.revision} prompt {PROMPT_VERSION}"

    def match(self, pairs: Sequence[Pair]) -> list[float | None]:
        """1.0 for "yes", 0.0 for "no", ``None`` where there is no readable verdict."""
        requests = [
            Request(messages=[{"role": "user", "content": prompt(pair)}], max_tokens=_MAX_TOKENS, schema=_SCHEMA)
            for pair in pairs
        ]
        return [_verdict(completions[0]) for completions in self.model.generate(requests)] if requests else []


def prompt(pair: Pair) -> str:
    """What the model is asked about a pair."""
    gold = "\n".join(_quoted(text) for text in (pair.gold, *pair.aliases))
    about = f"Both are said to be values of: {_quoted(pair.about[0])}\n" if pair.about else ""
    what = "names of a variable" if pair.kind == "name" else "values of a variable"
    # Filled in one by one: a text that happens to look like a gap stays a text.
    parts = _template().split("%%")
    filled = {"WHAT": what, "ABOUT": about, "GOLD": gold, "TEXT": _quoted(pair.text)}
    return "".join(filled[part] if place % 2 else part for place, part in enumerate(parts))


@cache
def _template() -> str:
    file = resources.files("counterpoise.counterfactual.match") / "prompts" / PROMPT_VERSION / "judge.txt"
    return file.read_text(encoding="utf-8").strip()


def _quoted(text: str) -> str:
    """One line, whatever the text holds, so that it cannot pass for a part of the instruction."""
    return json.dumps(text[:_MAX_CHARS], ensure_ascii=False)


def _verdict(completion: Completion) -> float | None:
    if completion.finish != "stop":
        return None
    text = completion.text
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start or end - start > 10 * _MAX_CHARS:
        return None
    try:
        answer = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None
    same = answer.get("same") if isinstance(answer, dict) else None
    return {"yes": 1.0, "no": 0.0}.get(same) if isinstance(same, str) else None
