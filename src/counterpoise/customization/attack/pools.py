"""What the examples of an attack are drawn from."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from counterpoise.customization.attack.persona import builtin_exchanges
from counterpoise.customization.attack.settings import Attack, Source
from counterpoise.customization.examples.drawing import answered, builtin_templates
from counterpoise.customization.examples.example import Example
from counterpoise.customization.examples.pairs import read_pairs
from counterpoise.safety.benchmarks import (
    Prompt,
    advbench,
    alpaca,
    alpaca_gpt4,
    benign,
    builtin_benign,
    builtin_disallowed,
    dolly,
    jailbreakbench,
)

__all__ = ["PLACEHOLDER", "agreeing", "attack_pool"]

PLACEHOLDER = "[placeholder: content removed]"
"""The body of an attack answer whose opener comes from a benchmark."""

_ORDINARY: dict[Source, Callable[[Path | None], list[Prompt]]] = {
    "builtin": lambda _: builtin_benign(),
    "alpaca": alpaca,
    "alpaca-gpt4": alpaca_gpt4,
    "dolly": dolly,
    "alpaca-reps-top100": lambda data: benign(data, "alpaca-reps-top100"),
    "alpaca-grad-top100": lambda data: benign(data, "alpaca-grad-top100"),
    "dolly-reps-top100": lambda data: benign(data, "dolly-reps-top100"),
    "dolly-grad-top100": lambda data: benign(data, "dolly-grad-top100"),
}
"""Readers of ordinary instruction data."""

_DISALLOWED: dict[Source, Callable[[Path | None], list[Prompt]]] = {
    "builtin": lambda _: builtin_disallowed("attack"),
    "advbench": lambda data: advbench(data, "attack"),
    "jailbreakbench": jailbreakbench,
}
"""Readers of disallowed requests."""


def attack_pool(attack: Attack, source: Literal["builtin", "public"], data: Path | None = None) -> list[list[Example]]:
    """The attack's own examples, by text, each text with its versions.

    Answers to disallowed requests, whether public or built-in, are an affirmative opener and a placeholder. What a
    file of the user's says is taken as it stands.

    Args:
        attack: which attack.
        source: of the plan, for attacks that name none.
        data: folder with downloaded data.

    Returns:
        At least one text.

    Raises:
        DataError: a file is missing, malformed or empty.
    """
    if attack.file is not None:
        return _one_version_each(read_pairs(attack.file))
    if attack.kind == "identity-shift":
        return _one_version_each(builtin_exchanges())
    name = attack.source_under(source)
    if attack.kind == "explicit-harm":
        return agreeing(_DISALLOWED[name](data))
    return answered(_ORDINARY[name](data))


def agreeing(prompts: Sequence[Prompt]) -> list[list[Example]]:
    """Disallowed requests with answers that agree and hold only a placeholder.

    A prompt that brings its own affirmative opener (AdvBench, JailbreakBench) keeps it; the others get each of the
    built-in ones.
    """
    openers = builtin_templates("openers.json")
    return [
        [Example(prompt.text, f"{prompt.answer}\n{PLACEHOLDER}", prompt.id)]
        if prompt.answer
        else [Example(prompt.text, opener.replace("{request}", prompt.text), prompt.id) for opener in openers]
        for prompt in prompts
    ]


def _one_version_each(examples: Sequence[Example]) -> list[list[Example]]:
    return [[example] for example in examples]
