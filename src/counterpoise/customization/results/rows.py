"""The rows of a lab run: what was measured at each checkpoint, and what each training step did."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from counterpoise.customization.plan.arm import Arm
from counterpoise.customization.plan.phases import Phase
from counterpoise.safety.measures import MeasureRow, measure_key

__all__ = ["CHECKPOINTS", "CellRow", "Checkpoint", "LabRow", "cell_key", "row_key"]

Checkpoint = Literal["base", "aligned", "attacked", "defended"]
"""Where a cell is measured.

``base``: as it came. ``aligned``: after alignment. ``attacked``: after alignment and attack, without a defence.
``defended``: at the end of a cell that uses the defender's data, whatever the phase. The first three are the same for
all arms of a seed and attack and are measured once, in the undefended cell (``base``: of the first seed).
"""
CHECKPOINTS: tuple[Checkpoint, ...] = ("base", "aligned", "attacked", "defended")


class LabRow(MeasureRow):
    """One item of one measure at one checkpoint; what the columns of the measurement hold is said there.

    Attributes:
        kind: always ``lab``.
        cell: the cell's name.
        phase: when the arm's data was used; ``none`` at base, aligned and attacked.
        arm: which data; ``nothing`` there.
        seed: the cell's seed.
        checkpoint: see :data:`Checkpoint`.
        attack: name of the attack. At base and aligned, which come before any, it is empty, except where the model was
            asked under the attack's own persona: then it names the attack whose persona that is.
        ratio: share of the attack's examples that are its own; 0 at base and aligned.
        dose: share of the plan's dose that the arm got; 0 without a defence.
    """

    kind: str = "lab"
    cell: str
    phase: Phase
    arm: Arm
    seed: int
    checkpoint: Checkpoint
    attack: str = ""
    ratio: float = 0.0
    dose: float = 0.0


class CellRow(BaseModel):
    """One trained step.

    Attributes:
        cell: the first cell of the grid that needs it; later ones share it.
        step: the step as :class:`~counterpoise.customization.plan.phases.Step` writes itself.
        checkpoint: folder of its weights below ``checkpoints/``.
        phase: the cell's phase.
        arm: the cell's arm.
        seed: the cell's seed.
        attack: the cell's attack; empty in a step that comes before any.
        ratio: share of the attack's examples that are its own; 0 in such a step.
        dose: share of the plan's dose that the cell's arm gets in all its steps.
        examples: number of training examples.
        loss_tokens: tokens that carried loss, per epoch.
        defence_tokens: those of them that belong to the arm's data. Over the steps of a cell their sum is equal for all
            arms and phases of a plan, up to half of one example.
        tokens: tokens of the examples in all, prompts included, per epoch; 0 where they were not counted.
        epochs: passes over the examples.
        learning_rate: peak learning rate.
        loss_first: mean loss over the first tenth of the optimizer steps.
        loss_last: mean loss over the last tenth.
        losses: loss of every optimizer step.
        seconds: wall time of training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cell: str
    step: str
    checkpoint: str
    phase: Phase
    arm: Arm
    seed: int
    attack: str = ""
    ratio: float = 0.0
    dose: float = 0.0
    examples: int
    loss_tokens: int
    defence_tokens: int
    tokens: int = 0
    epochs: int
    learning_rate: float
    loss_first: float
    loss_last: float
    losses: tuple[float, ...]
    seconds: float


def row_key(row: Mapping[str, Any]) -> str:
    """Identity of a lab row."""
    return f"{row['cell']}|{row['checkpoint']}|{row['attack']}|{measure_key(row)}"


def cell_key(row: Mapping[str, Any]) -> str:
    """Identity of a trained step."""
    return str(row["checkpoint"])
