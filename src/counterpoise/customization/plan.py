"""PLAN.yaml: which model is attacked and defended, how, and what is measured.

The plan is a grid of cells: seed x phase x arm. Reading a plan reports every problem in it at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from counterpoise.customization.attack import Attack
from counterpoise.customization.finetune import Recipe
from counterpoise.customization.mixture import Arm
from counterpoise.customization.phases import Phase, Step, steps
from counterpoise.errors import ConfigError
from counterpoise.safety.benchmarks import PROMPT_SETS

__all__ = ["Align", "Cell", "Defend", "Evaluate", "Plan", "cells", "load_plan"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Align(_Section):
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
    """The attack and how it is trained.

    Attributes:
        recipe: instead of the plan's.
    """

    recipe: Recipe | None = None


class Defend(_Section):
    """The defender's data.

    Attributes:
        arms: which data is compared; every arm gets the same dose.
        phases: when it is used.
        dose: loss-bearing tokens of each arm's data, per epoch.
        clean_share: share of the dose that is clean answers, in the arm ``refusals`` only; there it keeps refusals from
            spreading to safe requests.
        recipe: instead of the plan's.
    """

    arms: tuple[Arm, ...] = ("curated", "uncurated")
    phases: tuple[Phase, ...] = ("after",)
    dose: int = Field(default=3000, ge=1)
    clean_share: float = Field(default=0.5, ge=0, lt=1)
    recipe: Recipe | None = None


class Evaluate(_Section):
    """One set of prompts that every checkpoint is asked.

    Attributes:
        set: name of the prompt set.
        limit: how many of its prompts, drawn with the plan's first seed; ``None`` for all.
    """

    set: str
    limit: int | None = Field(default=None, ge=1)

    @field_validator("set")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in PROMPT_SETS:
            raise ValueError(f"unknown prompt set {value!r}; expected one of {', '.join(sorted(PROMPT_SETS))}")
        return value


class Plan(_Section):
    """Everything a lab run does.

    Attributes:
        name: what the plan is called in results.
        model: the base model: ``embedded/smollm2`` or the path of a model folder.
        source: where the disallowed requests of alignment and attack, and the clean answers, come from: ``builtin``, or
            ``public`` (AdvBench's align and attack splits, Alpaca).
        align: the first step; ``None`` for a model that refuses already.
        attack: what the attacker brings.
        defend: what the defender does about it.
        recipe: how steps are trained.
        seeds: every cell is run once for each.
        evaluate: what is asked at each checkpoint.
        max_tokens: upper bound of new tokens per answer; refusals show in the first sentence.
        curated: the ``curated.jsonl`` that the arms ``curated`` and ``uncurated`` use; relative to the plan.
        data: folder with downloaded data; relative to the plan.
    """

    name: str = Field(default="lab", min_length=1)
    model: str = "embedded/smollm2"
    source: Literal["builtin", "public"] = "builtin"
    align: Align | None = Align()
    attack: AttackStep = AttackStep()
    defend: Defend = Defend()
    recipe: Recipe = Recipe()
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    evaluate: tuple[Evaluate, ...] = Field(
        default=(Evaluate(set="builtin-disallowed"), Evaluate(set="builtin-safe")), min_length=1
    )
    max_tokens: int = Field(default=32, ge=1)
    curated: Path | None = None
    data: Path | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = []
        lists: dict[str, Sequence[Any]] = {
            "seeds": self.seeds,
            "defend.arms": self.defend.arms,
            "defend.phases": self.defend.phases,
            "evaluate": [entry.set for entry in self.evaluate],
        }
        faults += [f"{name} names something twice" for name, values in lists.items() if len(set(values)) < len(values)]
        if self.needs_curated and self.curated is None:
            faults.append("the arms 'curated' and 'uncurated' need 'curated', the path of a curated.jsonl")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def needs_curated(self) -> bool:
        """Whether any arm uses the curated file."""
        return bool({"curated", "uncurated"} & set(self.defend.arms)) and set(self.defend.phases) != {"none"}

    def recipe_of(self, step: Step) -> Recipe:
        """The recipe of a step: its section's own, else the plan's."""
        if step.name == "align":
            own = self.align.recipe if self.align else None
        elif step.name == "defend":
            own = self.defend.recipe
        else:
            own = self.attack.recipe
        return own or self.recipe


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of the plan's grid.

    Attributes:
        name: unique within the plan.
        phase: when the data is used.
        arm: which data.
        seed: of everything random in it.
        steps: the training steps, in order.
    """

    name: str
    phase: Phase
    arm: Arm
    seed: int
    steps: tuple[Step, ...]


def cells(plan: Plan) -> list[Cell]:
    """The cells of a plan, undefended ones first.

    Every seed has one undefended cell (phase ``none``, arm ``nothing``), which all others of the seed are compared
    with. An arm ``nothing`` and a phase ``none`` add nothing to it.
    """
    found = []
    for seed in plan.seeds:
        grid: list[tuple[Phase, Arm]] = [("none", "nothing")]
        grid += [
            (phase, arm)
            for phase in plan.defend.phases
            for arm in plan.defend.arms
            if phase != "none" and arm != "nothing"
        ]
        found += [
            Cell(f"{phase}-{arm}-s{seed}", phase, arm, seed, steps(phase, arm, align=plan.align is not None))
            for phase, arm in grid
        ]
    return found


def load_plan(path: Path, *, curated: Path | None = None) -> Plan:
    """Read and check a plan.

    Args:
        path: a YAML file.
        curated: used instead of the plan's ``curated``.

    Returns:
        The plan, with its paths made absolute.

    Raises:
        ConfigError: the file cannot be read or is not YAML, or the plan has faults; names all of them.
    """
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError("the plan is not UTF-8 text", where=str(path)) from error
    except OSError as error:
        raise ConfigError(f"cannot read the plan: {error.strerror}", where=str(path)) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"the plan is not YAML: {error}", where=str(path)) from error
    if not isinstance(value, dict):
        raise ConfigError("the plan is empty or not a mapping", where=str(path), expected="keys and values")
    settings = {str(key): entry for key, entry in value.items()}
    if curated is not None:
        settings["curated"] = curated.resolve()
    for key in ("curated", "data"):
        if isinstance(settings.get(key), str):
            settings[key] = path.parent.resolve() / Path(settings[key]).expanduser()
    try:
        return Plan.model_validate(settings)
    except ValidationError as error:
        faults = "; ".join(_fault(entry) for entry in error.errors())
        raise ConfigError(f"the plan is not valid: {faults}", where=str(path)) from error


def _fault(entry: Any) -> str:
    place = ".".join(str(part) for part in entry["loc"])
    message = entry["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
