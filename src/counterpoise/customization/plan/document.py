"""PLAN.yaml: which model is attacked and defended, how, and what is measured.

Reading a plan reports every problem in it at once. The cells that it asks for are in
:mod:`counterpoise.customization.plan.grid`.
"""

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from counterpoise.customization.finetune import Recipe
from counterpoise.customization.plan.arm import Arm
from counterpoise.customization.plan.phases import Step
from counterpoise.customization.plan.sections import (
    Align,
    AttackStep,
    Curated,
    Defend,
    Evaluate,
    Reasoning,
    Section,
    distinct,
    named,
)
from counterpoise.errors import ConfigError
from counterpoise.safety.measures import DEFAULT_JUDGE

__all__ = ["Align", "AttackStep", "Curated", "Defend", "Evaluate", "Plan", "Reasoning", "load_plan"]

_OBJECTIVES: dict[str, str] = {"curated": "max", "curated-min": "min", "curated-random": "random", "contrast": "max"}
"""The arms that train on a curated set, and by which objective it was made."""


class Plan(Section):
    """Everything a lab run does.

    Attributes:
        name: what the plan is called in results.
        model: the base model: ``embedded/smollm2`` or the path of a model folder.
        source: where the disallowed requests of alignment and attack, and the clean answers, come from: ``builtin``, or
            ``public`` (AdvBench's align and attack splits, Alpaca).
        align: the first step; ``None`` for a model that refuses already.
        attacks: what the attacker brings; a plan may say ``attack`` where there is one.
        defend: what the defender does about it.
        recipe: how steps are trained.
        seeds: every cell is run once for each.
        evaluate: what is asked at each checkpoint.
        judges: who labels completions; the first gives the label, the others are measured beside it.
        max_tokens: upper bound of new tokens per answer; refusals show in the first sentence.
        reasoning: the slice of the diagnosis; ``None`` for none.
        verify_at: where the long measures (utility and reasoning) are taken: ``base``, ``aligned``, ``attacked``,
            ``defended`` (every arm) or the name of an arm (its defended checkpoints). By default base, aligned,
            attacked and the first arm. Never in sweeps.
        processes: how many processes train together, through ``accelerate``.
        keep: ``adapters`` keeps the weights of every checkpoint; ``results`` deletes those that nothing is left to be
            asked of.
        curated: the curated sets; one path is that of ``max``. Relative to the plan.
        data: folder with downloaded data; relative to the plan.
    """

    name: str = Field(default="lab", min_length=1)
    model: str = "embedded/smollm2"
    source: Literal["builtin", "public"] = "builtin"
    align: Align | None = Align()
    attacks: tuple[AttackStep, ...] = Field(default=(AttackStep(),), min_length=1)
    defend: Defend = Defend()
    recipe: Recipe = Recipe()
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    evaluate: tuple[Evaluate, ...] = Field(
        default=(Evaluate(set="builtin-disallowed"), Evaluate(set="builtin-safe")), min_length=1
    )
    judges: tuple[str, ...] = Field(default=(DEFAULT_JUDGE,), min_length=1)
    max_tokens: int = Field(default=32, ge=1)
    reasoning: Reasoning | None = None
    verify_at: tuple[str, ...] | None = None
    processes: int = Field(default=1, ge=1, le=1024)
    keep: Literal["adapters", "results"] = "adapters"
    curated: Curated | None = None
    data: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        settings = dict(value)
        if "attack" in settings:
            if "attacks" in settings:
                raise ValueError("'attack' and 'attacks' are both given; 'attacks' is the list of all")
            settings["attacks"] = [settings.pop("attack")]
        if isinstance(settings.get("curated"), str | Path):
            settings["curated"] = {"max": settings["curated"]}
        return settings

    @field_validator("seeds", "judges", "verify_at")
    @classmethod
    def _once(cls, values: Any) -> Any:
        return distinct(values)

    @field_validator("evaluate")
    @classmethod
    def _sets_once(cls, values: tuple[Evaluate, ...]) -> tuple[Evaluate, ...]:
        distinct([entry.set for entry in values])
        return values

    @field_validator("attacks")
    @classmethod
    def _attack_names(cls, values: tuple[AttackStep, ...]) -> tuple[AttackStep, ...]:
        distinct([attack.name for attack in values])
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = []
        for arm, objective in _OBJECTIVES.items():
            if arm in self.needs_curated and self.curated_file(arm) is None:
                faults.append(f"the arm {arm!r} needs 'curated', the path of a curated.jsonl (objective {objective})")
        if "uncurated" in self.needs_curated and self.curated_file("uncurated") is None:
            faults.append("the arm 'uncurated' needs 'curated', the path of a curated.jsonl whose originals it takes")
        places = {"base", "aligned", "attacked", "defended", *self.defend.used_arms}
        if unknown := [place for place in self.verify_at or () if place not in places]:
            faults.append(f"verify_at: unknown {named(unknown)}; expected some of {', '.join(sorted(places))}")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def needs_curated(self) -> tuple[Arm, ...]:
        """The arms that use a curated file."""
        if not self.defend.used_phases:
            return ()
        return tuple(arm for arm in self.defend.arms if arm in _OBJECTIVES or arm == "uncurated")

    def curated_file(self, arm: Arm) -> Path | None:
        """The curated file of an arm; of ``uncurated``, the first there is, whose originals it uses."""
        if self.curated is None:
            return None
        if arm in _OBJECTIVES:
            found: Path | None = getattr(self.curated, _OBJECTIVES[arm])
            return found
        return self.curated.max or self.curated.min or self.curated.random

    @property
    def long_at(self) -> frozenset[str]:
        """Where the long measures are taken: names of checkpoints and arms."""
        if self.verify_at is not None:
            return frozenset(self.verify_at)
        return frozenset({"base", "aligned", "attacked", *self.defend.used_arms[:1]})

    def attack(self, name: str) -> AttackStep:
        """The attack of that name."""
        return next(attack for attack in self.attacks if attack.name == name)

    def recipe_of(self, step: Step) -> Recipe:
        """The recipe of a step: its section's own, else the plan's."""
        if step.name == "align":
            own = self.align.recipe if self.align else None
        elif step.name == "defend" or step.attack is None:
            own = self.defend.recipe
        else:
            own = self.attack(step.attack).recipe
        return own or self.recipe


def load_plan(path: Path, *, curated: Path | None = None) -> Plan:
    """Read and check a plan.

    Args:
        path: a YAML file.
        curated: used instead of the plan's ``curated.max``.

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
    settings = _absolute({str(key): entry for key, entry in value.items()}, path.parent.resolve())
    if curated is not None:
        others = settings.get("curated")
        settings["curated"] = {**(others if isinstance(others, dict) else {}), "max": curated.resolve()}
    try:
        return Plan.model_validate(settings)
    except ValidationError as error:
        faults = "; ".join(map(_fault, [*_causes(error), *_further(settings, error)]))
        raise ConfigError(f"the plan is not valid: {faults}", where=str(path)) from error


def _causes(error: ValidationError) -> list[Any]:
    """The faults, without a list that is called too short only because something in it is wrong."""
    entries = error.errors()
    inner = {entry["loc"][:depth] for entry in entries for depth in range(1, len(entry["loc"]))}
    return [entry for entry in entries if not (entry["type"] == "too_short" and entry["loc"] in inner)]


def _further(settings: dict[str, Any], error: ValidationError) -> list[Any]:
    """Faults between sections, which are looked for only once every section is right by itself."""
    wrong = {entry["loc"][0] for entry in error.errors() if entry["loc"]}
    if "attacks" in wrong:
        wrong.add("attack")  # the same section, written for one
    if not wrong or wrong & {"curated", "defend", "verify_at"}:
        return []
    try:
        Plan.model_validate({key: value for key, value in settings.items() if key not in wrong})
    except ValidationError as second:
        return list(second.errors())
    return []


def _absolute(settings: dict[str, Any], base: Path) -> dict[str, Any]:
    """The settings with every path in them resolved against the plan's folder."""

    def resolved(value: Any) -> Any:
        return base / Path(value).expanduser() if isinstance(value, str) else value

    for key in ("curated", "data"):
        if isinstance(settings.get(key), dict):
            settings[key] = {name: resolved(entry) for name, entry in settings[key].items()}
        elif key in settings:
            settings[key] = resolved(settings[key])
    single = [settings["attack"]] if isinstance(settings.get("attack"), dict) else []
    several = settings["attacks"] if isinstance(settings.get("attacks"), list) else []
    for attack in (*single, *several):
        if isinstance(attack, dict) and "file" in attack:
            attack["file"] = resolved(attack["file"])
    return settings


def _fault(entry: Any) -> str:
    place = ".".join(str(part) for part in entry["loc"])
    message = entry["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
