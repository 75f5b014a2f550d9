"""An arm's data as a file: for a fine-tuning workflow that stays as it is."""

from pathlib import Path
from typing import Any

from counterpoise.customization.data.arms import dose_faults
from counterpoise.customization.data.material import Material
from counterpoise.customization.data.mixture import CountTokens
from counterpoise.customization.data.step_data import StepData
from counterpoise.customization.examples import Example
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.arm import Arm
from counterpoise.customization.plan.phases import Step
from counterpoise.errors import ConfigError
from counterpoise.records import canonical_json, write_atomic

__all__ = ["write_arm"]


def write_arm(
    plan: Plan, arm: Arm, seed: int, material: Material, count_tokens: CountTokens, out: Path
) -> dict[str, Any]:
    """Write what a lab run of the plan trains on in the phase *after*, in the order in which it does.

    One line per example: ``messages``, and the ``source`` of its text where it has one.

    Args:
        plan: gives the dose and the share of helpful answers.
        arm: one that has data.
        seed: the cell's seed.
        material: the plan's texts.
        count_tokens: loss-bearing tokens of examples.
        out: file of JSON lines; it is replaced.

    Returns:
        ``out``, ``arm``, ``seed``, ``examples``, ``distinct`` (different ones of them) and ``loss_tokens``.

    Raises:
        ConfigError: the material has problems, or is too little for the dose; names all of them.
        DataError: there is nothing to draw from.
        OutputError: the file cannot be written.
    """
    material.require()
    defend = plan.defend
    if faults := dose_faults(arm, defend.dose, material, clean_share=defend.clean_share, count_tokens=count_tokens):
        raise ConfigError("; ".join(faults))
    examples, _ = StepData(plan, material, count_tokens).of(Step("defend", arm=arm), seed)
    write_atomic(out, "".join(f"{canonical_json(_line(example))}\n" for example in examples))
    return {
        "out": str(out),
        "arm": arm,
        "seed": seed,
        "examples": len(examples),
        "distinct": len({(one.prompt, one.completion, one.system) for one in examples}),
        "loss_tokens": sum(count_tokens(examples)),
    }


def _line(example: Example) -> dict[str, Any]:
    turns = (("system", example.system), ("user", example.prompt), ("assistant", example.completion))
    line: dict[str, Any] = {"messages": [{"role": role, "content": text} for role, text in turns if text]}
    return {**line, "source": example.source} if example.source else line
