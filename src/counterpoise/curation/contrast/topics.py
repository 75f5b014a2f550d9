"""What the contrast is about: harms that are declined, and activities that only sound like one."""

import json
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Stance", "Topic", "topics", "wordings"]

Stance = Literal["declined", "alarming"]
"""``declined``: a harm, named and never described. ``alarming``: an ordinary activity whose words sound like a harm."""


class Topic(BaseModel):
    """Something that a user may ask for.

    Attributes:
        stance: how the answer takes it.
        topic: what is asked for, as it stands after "help with".
        lead: why it is declined, as it stands after "because"; or the help, a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stance: Stance
    topic: str
    lead: str


@cache
def topics() -> tuple[Topic, ...]:
    """The built-in topics, in the order of their file."""
    return tuple(Topic.model_validate_json(line) for line in _read("topics.jsonl").splitlines())


@cache
def wordings() -> dict[str, list[str]]:
    """What topics are ``asked`` about and ``declined`` in, with the parts in braces that a topic fills."""
    found: dict[str, list[str]] = json.loads(_read("wording.json"))
    return found


def _read(name: str) -> str:
    return (resources.files("counterpoise.curation.contrast") / name).read_text(encoding="utf-8")
