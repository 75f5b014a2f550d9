"""When the defender's data is used, as lists of training steps.

Each step continues from the checkpoint of the one before. Lists that begin alike share those checkpoints, so
alignment and attack are trained once however many arms are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from counterpoise.customization.mixture import Arm

__all__ = ["PHASES", "Phase", "Step", "StepName", "checkpoint_name", "steps"]

Phase = Literal["none", "before", "during", "after"]
PHASES: tuple[Phase, ...] = ("none", "before", "during", "after")

StepName = Literal["align", "attack", "defend", "mixed"]


@dataclass(frozen=True, slots=True)
class Step:
    """One training run.

    Attributes:
        name: ``align`` (refusals and clean answers), ``attack``, ``defend`` (the arm's data) or ``mixed`` (attack and
            the arm's data together).
        arm: whose data is used; ``None`` for steps that all arms share.
    """

    name: StepName
    arm: Arm | None = None

    def __str__(self) -> str:
        return self.name if self.arm is None else f"{self.name}.{self.arm}"


def steps(phase: Phase, arm: Arm, *, align: bool = True) -> tuple[Step, ...]:
    """The training steps of a phase, in order.

    Args:
        phase: when the arm's data is used.
        arm: which data; ``nothing`` is the same as no phase.
        align: whether the model is aligned first; false for a model that refuses already.

    >>> [str(step) for step in steps("before", "curated")]
    ['align', 'defend.curated', 'attack']
    """
    first = (Step("align"),) if align else ()
    attack = Step("attack")
    if phase == "none" or arm == "nothing":
        return (*first, attack)
    if phase == "before":
        return (*first, Step("defend", arm), attack)
    if phase == "during":
        return (*first, Step("mixed", arm))
    return (*first, attack, Step("defend", arm))


def checkpoint_name(seed: int, path: Sequence[Step]) -> str:
    """Name of the checkpoint that the steps lead to.

    >>> checkpoint_name(0, steps("after", "curated"))
    's0-align-attack-defend.curated'
    """
    return "-".join([f"s{seed}", *map(str, path)])
