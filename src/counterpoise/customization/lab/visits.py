"""What is measured where: the visits to the checkpoints of a plan.

A checkpoint is opened once and asked everything at that visit. What is asked depends on the cell: harmful requests come
under the persona of an identity shift, everything comes under the system turn that the arm's defender always sends, and
the long measures are taken where the plan says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from counterpoise.customization.attack import NO_PERSONA, Persona
from counterpoise.customization.data.arms import asked_under
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.grid import Cell
from counterpoise.customization.plan.phases import checkpoint_name
from counterpoise.customization.results.rows import Checkpoint
from counterpoise.safety.measures import Item, Items, MeasureSettings

__all__ = ["LONG", "Asked", "Visit", "measure_settings", "place", "visits"]

LONG = ("utility",)
"""The measures that are taken only where the plan's ``verify_at`` says."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Items that are put to a checkpoint in one way.

    Attributes:
        items: what is asked.
        settings: how, with the system turn and prefix.
        attack: the attack's name as the rows have it; see :class:`~counterpoise.customization.results.rows.LabRow`.
    """

    items: Items
    settings: MeasureSettings
    attack: str

    def identity(self, item: Item) -> dict[str, str]:
        """The columns of an item's row that tell it apart within a checkpoint."""
        return {
            "measure": item.measure,
            "prompt_set": item.set,
            "prompt_id": item.id,
            "system": self.settings.system,
            "prefix": self.settings.prefix,
        }


@dataclass(frozen=True, slots=True)
class Visit:
    """One checkpoint and everything that is asked there.

    Attributes:
        node: name of the checkpoint; ``base`` for the base model.
        cell: the cell whose rows these are.
        checkpoint: where in the cell.
        asked: what is asked; empty sets are left out.
        reasoning: whether it is put through the slice of the diagnosis too.
    """

    node: str
    cell: Cell
    checkpoint: Checkpoint
    asked: tuple[Asked, ...]
    reasoning: bool


def measure_settings(plan: Plan, *, system: str = "", prefix: str = "") -> MeasureSettings:
    """How the plan's sets are put to a model."""
    return MeasureSettings(
        evaluate=plan.evaluate,
        judges=plan.judges,
        max_tokens=plan.max_tokens,
        seed=plan.seeds[0],
        system=system,
        prefix=prefix,
    )


def visits(plan: Plan, grid: Sequence[Cell], items: Items) -> list[Visit]:
    """Every visit of a plan.

    Args:
        plan: the plan.
        grid: its cells.
        items: everything that can be asked.

    Returns:
        The base model once for the plan, the aligned model once for each seed, and the end of every cell: ``attacked``
        of an undefended one, else ``defended``. Base and aligned are asked plainly and, under each attack's persona
        that there is, the harmful requests again.
    """
    found: list[Visit] = []
    for seed in plan.seeds:
        undefended = [cell for cell in grid if cell.seed == seed and cell.phase == "none" and cell.main]
        for checkpoint, length in _before(plan, seed):
            node = checkpoint_name(seed, undefended[0].steps[:length])
            long = checkpoint in plan.long_at
            asked = _asked(plan, items if long else _short(items), "", NO_PERSONA, NO_PERSONA)
            for attack in plan.attacks:
                if (persona := asked_under(attack)) != NO_PERSONA:
                    asked += _asked(plan, _of(items, "safety"), attack.name, persona, NO_PERSONA)
            found.append(Visit(node, undefended[0], checkpoint, tuple(asked), long and plan.reasoning is not None))
    for cell in grid:
        last: Checkpoint = "attacked" if cell.phase == "none" else "defended"
        long = cell.main and bool({last, cell.arm} & plan.long_at)
        asked = _asked(
            plan,
            items if long else _short(items),
            cell.attack,
            asked_under(plan.attack(cell.attack), cell.arm, seed=cell.seed),
            asked_under(None, cell.arm, seed=cell.seed),
        )
        found.append(Visit(cell.checkpoint, cell, last, tuple(asked), long and plan.reasoning is not None))
    return found


def place(visit: Visit, attack: str) -> dict[str, Any]:
    """The columns of a row that say where it was measured.

    Args:
        visit: the visit.
        attack: as what is asked has it; see :class:`Asked`.
    """
    cell, before = visit.cell, visit.checkpoint in ("base", "aligned")
    return {
        "cell": cell.name,
        "phase": cell.phase,
        "arm": cell.arm,
        "seed": cell.seed,
        "checkpoint": visit.checkpoint,
        "attack": attack if before else cell.attack,
        "ratio": 0.0 if before else cell.ratio,
        "dose": cell.dose,
    }


def _before(plan: Plan, seed: int) -> list[tuple[Checkpoint, int]]:
    """The checkpoints before the attack, with the number of steps that lead to each."""
    found: list[tuple[Checkpoint, int]] = [("base", 0)] if seed == plan.seeds[0] else []
    return [*found, ("aligned", 1)] if plan.align is not None else found


def _asked(plan: Plan, items: Items, attack: str, harmful: Persona, others: Persona) -> list[Asked]:
    """Harmful requests under one persona, everything else under another; together where both are the same."""
    safety = _of(items, "safety")
    parts = [(safety, harmful), (Items(tuple(item for item in items if item.measure != "safety")), others)]
    if harmful == others:
        parts = [(items, others)]
    return [
        Asked(part, measure_settings(plan, system=persona.system, prefix=persona.prefix), attack)
        for part, persona in parts
        if len(part)
    ]


def _of(items: Items, measure: str) -> Items:
    return Items(tuple(item for item in items if item.measure == measure))


def _short(items: Items) -> Items:
    return Items(tuple(item for item in items if item.measure not in LONG))
