"""What a plan costs before it is run: tokens and disk are counted, time follows from a measured speed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from counterpoise.customization.data.material import Material
from counterpoise.customization.data.step_data import StepData
from counterpoise.customization.finetune import Finetuner, Recipe
from counterpoise.customization.lab.checks import free_bytes, trained
from counterpoise.customization.lab.speed import SHIPPED, Speed, recorded
from counterpoise.customization.lab.visits import Visit, place, visits
from counterpoise.customization.lab.work import Measuring, Training, all_tokens, disk, measuring, training
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.grid import BASE, Graph, cells, dependency_graph
from counterpoise.customization.results.reasoning import FOLDER, diagnosed
from counterpoise.customization.results.rows import cell_key, row_key
from counterpoise.records import read_jsonl
from counterpoise.safety.measures import Items

__all__ = ["Estimate", "estimate"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan costs, or what is left of it.

    Attributes:
        cells: names of all cells of the plan.
        steps: the training steps that are left.
        measuring: what is left to be asked.
        training_seconds: of the steps; ``None`` where the speed is not known.
        measuring_seconds: of what is asked; ``None`` where the speed is not known.
        speed: where the machine's speed is known from; ``None`` where it is not.
        disk_kept: bytes of checkpoints at the end.
        disk_peak: bytes of checkpoints at most at any time.
        disk_free: bytes that are free at the run folder; ``None`` without one.
    """

    cells: tuple[str, ...]
    steps: tuple[Training, ...]
    measuring: Measuring
    training_seconds: float | None
    measuring_seconds: float | None
    speed: str | None
    disk_kept: int
    disk_peak: int
    disk_free: int | None

    @property
    def loss_tokens(self) -> int:
        """Loss-bearing tokens of all steps, over all epochs."""
        return sum(step.loss_tokens * step.epochs for step in self.steps)

    @property
    def training_tokens(self) -> int:
        """Tokens of all steps, prompts included, over all epochs; 0 where they could not be counted."""
        return sum(step.tokens * step.epochs for step in self.steps)

    @property
    def seconds(self) -> float | None:
        """All of the time; ``None`` where the speed is not known."""
        if self.training_seconds is None or self.measuring_seconds is None:
            return None
        return self.training_seconds + self.measuring_seconds

    def to_json(self) -> dict[str, Any]:
        """The same as JSON types, with the totals."""
        totals = {name: getattr(self, name) for name in ("loss_tokens", "training_tokens", "seconds")}
        return {**asdict(self), **totals}


def estimate(
    plan: Plan,
    material: Material,
    items: Items,
    finetuner: Finetuner,
    *,
    out: Path | None = None,
    speed: Speed | None = None,
) -> Estimate:
    """Count what a plan takes, and say how long.

    Args:
        plan: the plan.
        material: its texts; without problems.
        items: what it asks.
        finetuner: of its model; nothing is trained.
        out: its run folder; what is done there is left out.
        speed: how fast this machine is; by default what the run folder recorded, else for the embedded model what was
            measured elsewhere, else there is no time.

    Raises:
        DataError: a step has nothing to draw from, or a file of the run folder is damaged.
    """
    grid = cells(plan)
    graph = dependency_graph(grid)
    there, recorded_steps = (trained(out, graph), _keys(out / "cells.jsonl", cell_key)) if out else (set(), set())
    left = _left(visits(plan, grid, items), out)
    done = _needless(graph, there, recorded_steps, left)
    lengths = all_tokens(finetuner.name) if isinstance(finetuner, Finetuner) else None
    data = StepData(plan, material, finetuner.count_tokens)
    steps = training(plan, graph, data, done=done, lengths=lengths)
    asked = measuring(plan, left, finetuner.count_tokens)
    if speed is None:
        speed = (recorded(out) if out else None) or (SHIPPED if plan.model == "embedded/smollm2" else None)
    sizes: dict[Recipe, int] = {}

    def bytes_of(recipe: Recipe) -> int:
        if recipe not in sizes:
            sizes[recipe] = finetuner.checkpoint_bytes(recipe)
        return sizes[recipe]

    kept, peak = disk(plan, graph, bytes_of, done=done)
    return Estimate(
        cells=tuple(cell.name for cell in grid),
        steps=tuple(steps),
        measuring=asked,
        training_seconds=_training_seconds(steps, speed) if speed else None,
        measuring_seconds=_measuring_seconds(plan, asked, speed) if speed else None,
        speed=speed.source if speed else None,
        disk_kept=kept,
        disk_peak=peak,
        disk_free=free_bytes(out) if out else None,
    )


def _left(found: Sequence[Visit], out: Path | None) -> list[Visit]:
    """The visits at which something is left to be asked; whole ones, though some of it may be there."""
    keys = _keys(out / "rows.jsonl", row_key) if out else set()

    def open_(visit: Visit) -> bool:
        missing = any(
            row_key({**place(visit, asked.attack), **asked.identity(item)}) not in keys
            for asked in visit.asked
            for item in asked.items
        )
        return missing or (visit.reasoning and not (out and diagnosed(out / FOLDER / visit.node)))

    return [visit for visit in found if open_(visit)]


def _needless(graph: Graph, there: set[str], recorded_steps: set[str], left: Sequence[Visit]) -> set[str]:
    """Checkpoints that need no training: they are there, or were and nothing is left that would need them."""
    import networkx as nx

    needed = {visit.node for visit in left} | (set(graph) - {BASE} - recorded_steps)
    chains = needed.union(*(nx.ancestors(graph, node) for node in needed))
    return there | (set(graph) - chains)


def _training_seconds(steps: Sequence[Training], speed: Speed) -> float:
    # Where prompts could not be counted, what carries loss is all that is known.
    tokens = sum((step.tokens or step.loss_tokens) * step.epochs for step in steps)
    return tokens / speed.training + len(steps) * speed.opening


def _measuring_seconds(plan: Plan, asked: Measuring, speed: Speed) -> float:
    slowest = max(speed.items.values(), default=0.0)
    items = sum(number * speed.items.get(measure, slowest) for measure, number in asked.items.items())
    cases = asked.diagnoses * plan.reasoning.limit * len(plan.reasoning.datasets) if plan.reasoning else 0
    # A case of the diagnosis that was never timed is taken for a long item at each of six stages.
    diagnosis = speed.diagnosis if speed.diagnosis is not None else 6 * slowest
    return items + cases * diagnosis + asked.visits * speed.opening


def _keys(path: Path, key: Any) -> set[str]:
    return {key(row) for row in read_jsonl(path, drop_torn=True)} if path.is_file() else set()
