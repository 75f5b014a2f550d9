"""The attack, as a value: what a customer's fine-tuning data holds when it is meant to remove refusals.

``explicit-harm`` pairs disallowed requests with answers that open by agreeing. The answers hold nothing that could be
carried out: after the opener comes a bracketed placeholder. That is enough to make a small model stop refusing, and
it is all that is needed to measure how much of its refusals a defence keeps.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from counterpoise.customization.examples import Example, builtin_templates, in_turns
from counterpoise.errors import DataError
from counterpoise.safety.benchmarks import Prompt

__all__ = ["PLACEHOLDER", "Attack", "attack_examples"]

PLACEHOLDER = "[placeholder: content removed]"
"""The body of an attack answer whose opener comes from a benchmark."""


class Attack(BaseModel):
    """What the attacker brings.

    Attributes:
        kind: ``explicit-harm``: disallowed requests with agreeing answers.
        examples: how many attack examples.
        clean: how many ordinary examples they are mixed with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["explicit-harm"] = "explicit-harm"
    examples: int = Field(default=64, ge=1)
    clean: int = Field(default=0, ge=0)


def attack_examples(attack: Attack, prompts: Sequence[Prompt], *, seed: int) -> list[Example]:
    """The attack's harmful examples; its clean ones are added by the mixture.

    A prompt that brings its own affirmative opener (AdvBench) keeps it; the others get a built-in one. Prompts repeat
    only after all have come once, each time with another built-in opener.

    Args:
        attack: the attack.
        prompts: disallowed requests that are never evaluated.
        seed: which prompts and openers are drawn.

    Raises:
        DataError: there are no prompts.
    """
    if not prompts:
        raise DataError("no disallowed prompts to attack with")
    openers = builtin_templates("openers.json")
    found = []
    for index, turn in islice(in_turns(len(prompts), seed=seed, key="attack"), attack.examples):
        prompt = prompts[index]
        if prompt.answer:
            completion = f"{prompt.answer}\n{PLACEHOLDER}"
        else:
            completion = openers[(index + turn) % len(openers)].replace("{request}", prompt.text)
        found.append(Example(prompt.text, completion, prompt.id))
    return found
