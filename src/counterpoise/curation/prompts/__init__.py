"""The prompts of the curation, one versioned file each: ``[role]`` lines, each followed by that turn's text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Template

from counterpoise.lm.protocol import Message
from counterpoise.records import content_hash

__all__ = ["PROMPT_VERSION", "Prompt", "prompt"]

PROMPT_VERSION = "v1"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A chat with ``$names`` to be filled in.

    Attributes:
        turns: role and text of each turn.
    """

    turns: tuple[tuple[str, Template], ...]

    @property
    def hash(self) -> str:
        """Identity of the text: a run with another prompt is another run."""
        return content_hash([[role, text.template] for role, text in self.turns])

    @property
    def examples(self) -> tuple[str, ...]:
        """The answers that it shows as examples; a weak model may give one of them back."""
        return tuple(text.template for role, text in self.turns if role == "assistant")

    def messages(self, values: Mapping[str, str]) -> list[Message]:
        """The chat with the values filled in; a value that reads like a name stays as it is.

        Raises:
            KeyError: a name has no value.
        """
        # Template substitutes once, so a question that reads "$answer" is not filled in again.
        return [{"role": role, "content": text.substitute(values).strip()} for role, text in self.turns]  # type: ignore[typeddict-item]


@cache
def prompt(name: str) -> Prompt:
    """The prompt of that name in the current version."""
    file = resources.files("counterpoise.curation") / "prompts" / PROMPT_VERSION / f"{name}.txt"
    parts = re.split(r"^\[(system|user|assistant)\]\n", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return Prompt(tuple((role, Template(text.strip())) for role, text in zip(parts[::2], parts[1::2], strict=True)))
