"""The prompts of the rubric judges, one versioned file each: ``[role]`` lines, each followed by that turn's text."""

import json
import re
from functools import cache
from importlib import resources
from string import Template

from counterpoise.lm.protocol import Message

__all__ = ["PROMPT_VERSION", "messages", "quoted"]

PROMPT_VERSION = 1
"""Part of a judge's name; raised with every change of a prompt."""

# Written otherwise, they are still the same JSON string.
_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<[\x7f\x85\u2028\u2029"}


def quoted(text: str) -> str:
    r"""A text as a JSON string of one line without ``<`` and ``[``.

    So it can neither pass for a part of the prompt nor hold the marks by which chat templates tell turns apart.

    >>> print(quoted('so: "<|end|>"\n[INST]'))
    "so: \"\u003c|end|>\"\n\u005bINST]"
    """
    return json.dumps(text, ensure_ascii=False).translate(_ESCAPED)


def messages(name: str, prompt: str, completion: str) -> list[Message]:
    """The chat that asks about one completion; both texts are quoted."""
    values = {"prompt": quoted(prompt), "completion": quoted(completion)}
    # Template substitutes once, so a text that reads "$completion" is not filled in again.
    return [{"role": role, "content": text.substitute(values)} for role, text in _turns(name)]  # type: ignore[typeddict-item]


@cache
def _turns(name: str) -> tuple[tuple[str, Template], ...]:
    file = resources.files("counterpoise.safety.judges.rubric") / "prompts" / f"v{PROMPT_VERSION}" / f"{name}.txt"
    parts = re.split(r"^\[(system|user|assistant)\]\n", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return tuple((role, Template(text.strip())) for role, text in zip(parts[::2], parts[1::2], strict=True))
