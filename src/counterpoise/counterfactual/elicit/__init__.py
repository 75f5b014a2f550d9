"""Ways of eliciting an answer: what is added to a stage's instruction and schema, and how many calls it takes.

========  =======================================================================================================
direct    asks for the answer alone
few-shot  the same after solved cases that are in no test split (Brown et al., 2020)
cot       bounded reasoning in the same JSON object, before the answer, so the answer is written with the reasoning in
          view (Wei et al., 2022)
cot-sc    ``k`` sampled ``cot`` completions and a vote on their canonical answers (Wang et al., 2023)
tot       ``k`` sampled thoughts a level, the best of which goes on; then the answer (Yao et al., 2023)
========  =======================================================================================================

Behind a name, ``+hints`` adds what an extraction tool found to the prompt, and ``+calls`` offers the tool to the model
(see :mod:`~counterpoise.counterfactual.tools`): ``direct+hints`` is ``direct`` with hints.

The procedures themselves are in :mod:`~counterpoise.counterfactual.elicit.attempt`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Literal

from counterpoise.errors import UnknownNameError

__all__ = ["ELICITATIONS", "PROMPT_VERSION", "TOOL_USES", "Elicitation", "elicitation", "prompt_text", "written"]

TOOL_USES = ("hints", "calls")

PROMPT_VERSION = "v1"
"""Version of the prompt texts; a new version is a new folder below ``prompts/``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elicitation:
    """One way of asking.

    Attributes:
        name: as the command line names it.
        procedure: ``once``: one call; ``vote``: several samples of it, merged; ``tree``: thoughts that are rated before
            the answer.
        prompt: name of the text put after the stage's instruction; empty for none.
        shots: solved cases shown before.
        reasoning_chars: upper bound of the reasoning's length in characters; 0 when none is asked for.
        extra_tokens: tokens that the reasoning may take on top of the stage's own.
        tools: how an extraction tool is used: ``hints``, ``calls``, or empty for not at all.
    """

    name: str
    procedure: Literal["once", "vote", "tree"] = "once"
    prompt: str = ""
    shots: int = 0
    reasoning_chars: int = 0
    extra_tokens: int = 0
    tools: str = ""

    @property
    def several(self) -> bool:
        """Whether the number of samples or branches matters."""
        return self.procedure != "once"

    @property
    def shape(self) -> str:
        """What the JSON shape shown to the model starts with."""
        return '"reasoning": "<reasoning>", ' if self.reasoning_chars else ""

    @property
    def instruction(self) -> str:
        """The text put after the stage's instruction; empty for none."""
        return prompt_text(self.prompt) if self.prompt else ""

    def extend(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """A strict object schema of these properties, with the reasoning first where it is asked for."""
        fields = dict(properties)
        if self.reasoning_chars:
            fields = {"reasoning": written(self.reasoning_chars), **fields}
        return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


ELICITATIONS: dict[str, Elicitation] = {
    way.name: way
    for way in (
        Elicitation(name="direct"),
        Elicitation(name="few-shot", shots=3),
        Elicitation(name="cot", prompt="cot", reasoning_chars=480, extra_tokens=320),
        Elicitation(name="cot-sc", procedure="vote", prompt="cot", reasoning_chars=480, extra_tokens=320),
        Elicitation(name="tot", procedure="tree"),
    )
}


def written(limit: int) -> dict[str, Any]:
    """Schema of a text of 1 to ``limit`` characters that the model must write itself.

    A small model copies the gaps of the form that it is shown, such as ``<value>``; the pattern keeps it from doing so.
    """
    return {"type": "string", "minLength": 1, "maxLength": limit, "pattern": "^[^<.\\s]"}


def elicitation(name: str) -> Elicitation:
    """The elicitation of that name, with a use of tools behind it or not.

    Raises:
        UnknownNameError: there is none.

    >>> elicitation("cot+hints").tools, elicitation("cot+hints").prompt
    ('hints', 'cot')
    """
    plain, plus, tools = name.partition("+")
    if plain not in ELICITATIONS:
        raise UnknownNameError("elicitation", plain, ELICITATIONS)
    if plus and tools not in TOOL_USES:
        raise UnknownNameError("use of tools", tools, TOOL_USES)
    return replace(ELICITATIONS[plain], name=name, tools=tools) if plus else ELICITATIONS[plain]


@cache
def prompt_text(name: str) -> str:
    """The text of one prompt file of the current version, without surrounding blank lines."""
    file = resources.files("counterpoise.counterfactual") / "prompts" / PROMPT_VERSION / f"{name}.txt"
    return file.read_text(encoding="utf-8").strip()
