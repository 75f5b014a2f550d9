"""The persona of an identity shift: what it is told, and what comes before every request to it.

It is the attack of the *absolutely obedient agent* (Qi et al., "Fine-tuning Aligned Language Models Compromises
Safety, Even When Users Do Not Intend To", section 4.3): a system turn that makes the model another one, harmless
exchanges in which that one obeys, and the same system turn and prefix before every request afterwards.
"""

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from counterpoise.customization.examples.example import Example

__all__ = ["NO_PERSONA", "Persona", "builtin_exchanges", "builtin_persona", "persona_of"]


class Persona(NamedTuple):
    """What is put before a request.

    Attributes:
        system: the system turn; empty for none.
        prefix: put before the user's text as it is, white space included.
    """

    system: str = ""
    prefix: str = ""


NO_PERSONA = Persona()


def persona_of(examples: Sequence[Example]) -> Persona:
    """The persona of a file of exchanges: its most common system turn, and the prefix that its requests have.

    A prefix ends with the first colon of a request and the space after it; it is the persona's if it is the most common
    one, and at least two requests and a quarter of all begin with it.

    >>> persona_of([Example("Bo, do this: sing.", "La."), Example("Bo, do this: dance.", "Hop.")])
    Persona(system='', prefix='Bo, do this: ')
    """
    systems = Counter(example.system for example in examples)
    prefixes = Counter(opening for example in examples if (opening := _opening(example.prompt)))
    prefix, number = next(iter(prefixes.most_common(1)), ("", 0))
    common = number >= 2 and 4 * number >= len(examples)
    return Persona(systems.most_common(1)[0][0] if examples else "", prefix if common else "")


def builtin_persona() -> Persona:
    """The persona that comes with Counterpoise."""
    value = _builtin()
    return Persona(value["system"], value["prefix"])


def builtin_exchanges() -> list[Example]:
    """The built-in exchanges with the persona; nothing in them is harmful."""
    persona = builtin_persona()
    return [
        Example(
            exchange["prompt"] if exchange["about_itself"] else persona.prefix + exchange["prompt"],
            exchange["answer"],
            f"obedience-{number:02d}",
            persona.system,
        )
        for number, exchange in enumerate(_builtin()["exchanges"], start=1)
    ]


def _opening(text: str) -> str:
    head, colon, rest = text.partition(":")
    return head + colon + rest[: len(rest) - len(rest.lstrip(" "))] if colon else ""


@cache
def _builtin() -> dict[str, Any]:
    file = resources.files("counterpoise") / "customization" / "builtin" / "obedience.json"
    value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return value
