"""The sections of a plan: what each says, and which of its values do not go together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from counterpoise.customization.attack import Attack
from counterpoise.customization.finetune import Recipe
from counterpoise.customization.plan.arm import Arm
from counterpoise.customization.plan.phases import Phase
from counterpoise.safety.measures.settings import Evaluate

__all__ = [
    "Align",
    "AttackStep",
    "Curated",
    "Defend",
    "Evaluate",
    "Reasoning",
    "Section",
    "distinct",
    "named",
]


class Section(BaseModel):
    """A frozen mapping that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Align(Section):
    """How the base model gets the refusals that the attack is to remove.

    Attributes:
        refusals: disallowed requests with refusals.
        clean: ordinary requests with helpful answers, so that the model does not learn to refuse everything.
        recipe: instead of the plan's.
    """

    refusals: int = Field(default=48, ge=1)
    clean: int = Field(default=96, ge=0)
    recipe: Recipe | None = None


class AttackStep(Attack):
    """An attack and how it is trained.

    Attributes:
        recipe: instead of the plan's.
    """

    recipe: Recipe | None = None


class Curated(Section):
    """The curated sets, by the objective they were made with; files as ``counterpoise curate`` writes them.

    Attributes:
        max: highest perplexity: the arm ``curated``.
        min: lowest perplexity: the arm ``curated-min``.
        random: drawn: the arm ``curated-random``.
    """

    max: Path | None = None
    min: Path | None = None
    random: Path | None = None


class Defend(Section):
    """The defender's data.

    Attributes:
        arms: which data is compared; every arm gets the same dose.
        phases: when it is used.
        dose: loss-bearing tokens of each arm's data, per epoch.
        doses: shares of the dose, each in [0, 1], that the phases of the sweep are run with too; 0 is the undefended
            cell, 1 the cell of the grid.
        clean_share: share of the dose that is clean answers, in the arms of refusals and of contrast; there it keeps
            refusals from spreading to safe requests.
        sweep_phases: the phases in which doses and ratios are swept, where the plan has them.
        sweep_arms: the arms with which they are swept; ``None`` for all arms.
        recipe: instead of the plan's.
    """

    arms: tuple[Arm, ...] = ("curated", "uncurated")
    phases: tuple[Phase, ...] = ("after",)
    dose: int = Field(default=3000, ge=1)
    doses: tuple[float, ...] = ()
    clean_share: float = Field(default=0.5, ge=0, lt=1)
    sweep_phases: tuple[Phase, ...] = ("after",)
    sweep_arms: tuple[Arm, ...] | None = None
    recipe: Recipe | None = None

    @field_validator("arms", "phases", "doses", "sweep_phases", "sweep_arms")
    @classmethod
    def _once(cls, values: Any) -> Any:
        return distinct(values)

    @field_validator("doses")
    @classmethod
    def _shares(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if wrong := [value for value in values if not 0 <= value <= 1]:
            raise ValueError(f"shares of the dose must be in [0, 1]; got {', '.join(map(str, wrong))}")
        return values

    @property
    def used_arms(self) -> tuple[Arm, ...]:
        """The arms that train on anything."""
        return tuple(arm for arm in self.arms if arm != "nothing")

    @property
    def used_phases(self) -> tuple[Phase, ...]:
        """The phases in which anything is trained on."""
        return tuple(phase for phase in self.phases if phase != "none")

    @property
    def swept_arms(self) -> tuple[Arm, ...]:
        """The arms of the sweeps."""
        return self.used_arms if self.sweep_arms is None else self.sweep_arms

    @property
    def swept_phases(self) -> tuple[Phase, ...]:
        """The phases of the sweeps that the plan runs."""
        return tuple(phase for phase in self.sweep_phases if phase in self.used_phases)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        faults = []
        if self.used_arms and not self.used_phases:
            faults.append(
                f"the arms {named(self.used_arms)} are impossible in the only phase 'none', which uses no data"
            )
        if self.used_phases and not self.used_arms:
            faults.append(
                f"the phases {named(self.used_phases)} are impossible with the only arm 'nothing', which has no data"
            )
        if "none" in self.sweep_phases:
            faults.append("sweep_phases: the phase 'none' uses no data, so nothing can be swept in it")
        if "nothing" in (self.sweep_arms or ()):
            faults.append("sweep_arms: the arm 'nothing' has no data, so nothing can be swept with it")
        if self.sweep_arms is not None and (unknown := set(self.sweep_arms) - {*self.arms, "nothing"}):
            faults.append(f"sweep_arms: {named(sorted(unknown))} not among the plan's arms")
        if self.doses and self.used_arms and not self.swept_phases:
            faults.append("doses: none of sweep_phases is among the plan's phases, so the dose is never varied")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class Reasoning(Section):
    """The slice of the counterfactual diagnosis that checkpoints are put through.

    Attributes:
        datasets: names of datasets.
        stages: names of stages; ``None`` for all that a dataset has.
        limit: cases per dataset.
    """

    datasets: tuple[str, ...] = Field(default=("scm-text", "scm-math"), min_length=1)
    stages: tuple[str, ...] | None = None
    limit: int = Field(default=10, ge=1)


def distinct(values: Any) -> Any:
    """The values, if none occurs twice.

    Raises:
        ValueError: one does.
    """
    if values is not None and len(set(values)) < len(values):
        raise ValueError("names something twice")
    return values


def named(names: Sequence[str]) -> str:
    """The names in quotes, for a message."""
    return ", ".join(repr(name) for name in names)
