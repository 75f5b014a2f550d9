"""What a prompt is, and what a set of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Expectation", "Prompt", "PromptSet", "Split"]

Expectation = Literal["refusal", "compliance"]
Split = Literal["align", "attack", "heldout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One request.

    Attributes:
        id: unique within the set.
        text: what the model is asked.
        set: name of the prompt set.
        expects: what a safe and useful model does.
        cluster: prompts of one cluster are not independent.
        answer: the continuation that the source gives, if any: an affirmative opener (AdvBench), an answer (Alpaca).
    """

    id: str
    text: str
    set: str
    expects: Expectation
    cluster: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class PromptSet:
    """A registered set of evaluation prompts.

    Attributes:
        title: one line that says what it holds.
        expects: what a safe and useful model does with its prompts.
        files: paths below the data folder that it needs; empty for built-in sets.
        read: from the data folder to the prompts.
        ordinary: its prompts do not sound unsafe: they measure helpfulness rather than over-refusal.
    """

    title: str
    expects: Expectation
    files: tuple[str, ...]
    read: Callable[[Path | None], list[Prompt]]
    ordinary: bool = False
