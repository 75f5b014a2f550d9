"""When the defender's data is used, as lists of training steps.

Each step continues from the checkpoint of the one before. Lists that begin alike share those checkpoints, so
alignment and attack are trained once however many arms are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from counterpoise.customization.plan.arm import Arm

__all__ = ["PHASES", "Phase", "Step", "StepName", "checkpoint_name", "percent", "steps"]

Phase = Literal["none", "before", "during", "after", "every"]
"""``every`` is before, during and after: a third of the dose at each, so that all phases cost the same tokens."""
PHASES: tuple[Phase, ...] = ("none", "before", "during", "after", "every")

StepName = Literal["align", "attack", "defend", "mixed"]


@dataclass(frozen=True, slots=True)
class Step:
    """One training run.

    Attributes:
        name: ``align`` (refusals and clean answers), ``attack``, ``defend`` (the arm's data) or ``mixed`` (attack and
            the arm's data together).
        attack: name of the attack; ``None`` where its data is not used.
        ratio: share of the attack's examples that are the attack's own, in [0, 1].
        arm: whose data is used; ``None`` for steps that all arms share.
        dose: share of the plan's dose that the arm gets over the whole cell, in (0, 1].
        part: which of so many equal parts of that dose this step uses; ``(1, 1)`` for all of it.
    """

    name: StepName
    attack: str | None = None
    ratio: float = 1.0
    arm: Arm | None = None
    dose: float = 1.0
    part: tuple[int, int] = (1, 1)

    def __str__(self) -> str:
        attack = "" if self.attack is None else f"+{self.attack}"
        if self.attack is not None and self.ratio != 1:
            attack += f"+r{percent(self.ratio)}"
        arm = "" if self.arm is None else f".{self.arm}"
        if self.arm is not None and self.dose != 1:
            arm += f"+d{percent(self.dose)}"
        if self.part[1] > 1:
            arm += f"+{self.part[0]}of{self.part[1]}"
        return f"{self.name}{attack}{arm}"


def steps(
    phase: Phase, arm: Arm, *, attack: str = "attack", ratio: float = 1.0, dose: float = 1.0, align: bool = True
) -> tuple[Step, ...]:
    """The training steps of a phase, in order.

    Args:
        phase: when the arm's data is used.
        arm: which data; ``nothing`` is the same as no phase, and so is a dose of 0.
        attack: name of the attack.
        ratio: share of the attack's examples that are its own.
        dose: share of the plan's dose.
        align: whether the model is aligned first; false for a model that refuses already.

    >>> [str(step) for step in steps("before", "curated", attack="harm")]
    ['align', 'defend.curated', 'attack+harm']
    >>> [str(step) for step in steps("every", "curated", attack="harm")]
    ['align', 'defend.curated+1of3', 'mixed+harm.curated+2of3', 'defend.curated+3of3']
    """
    first = (Step("align"),) if align else ()
    attacked = Step("attack", attack, ratio)
    if phase == "none" or arm == "nothing" or dose == 0:
        return (*first, attacked)
    defended = Step("defend", arm=arm, dose=dose)
    if phase == "before":
        return (*first, defended, attacked)
    if phase == "during":
        return (*first, Step("mixed", attack, ratio, arm, dose))
    if phase == "after":
        return (*first, attacked, defended)
    return (
        *first,
        Step("defend", arm=arm, dose=dose, part=(1, 3)),
        Step("mixed", attack, ratio, arm, dose, (2, 3)),
        Step("defend", arm=arm, dose=dose, part=(3, 3)),
    )


def checkpoint_name(seed: int, path: Sequence[Step]) -> str:
    """Name of the checkpoint that the steps lead to; of the base model, which has none, ``base``.

    >>> checkpoint_name(0, steps("after", "curated", attack="harm"))
    's0-align-attack+harm-defend.curated'
    """
    return "-".join([f"s{seed}", *map(str, path)]) if path else "base"


def percent(share: float) -> str:
    """A share as percent that may stand in a file name.

    >>> percent(0.25), percent(0.125)
    ('25', '12_5')
    """
    return f"{100 * share:.6g}".replace(".", "_")
