"""The lab: train every checkpoint of a plan, measure it, write what happened.

A run folder of kind ``lab`` holds ``rows.jsonl`` (one line per checkpoint and item), ``cells.jsonl`` (one line per
trained step), ``checkpoints/`` (adapters) and, where the plan asks for it, ``reasoning/`` (a diagnosis of each of some
checkpoints). Checkpoints that cells share are trained once. A killed run goes on where it stopped: a checkpoint's
folder is complete or absent, and finished rows are kept.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx

from counterpoise.customization.data.material import Material, read_material
from counterpoise.customization.data.step_data import StepData
from counterpoise.customization.finetune import Finetuner, FinetuneResult, finished
from counterpoise.customization.lab.checks import open_finetuner, refuse
from counterpoise.customization.lab.visits import Asked, Visit, measure_settings, place, visits
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.grid import BASE, Cell, Graph, cells, chain_names, dependency_graph, training_order
from counterpoise.customization.plan.phases import Step
from counterpoise.customization.results.reasoning import (
    FOLDER,
    INDEX,
    ReasoningRow,
    diagnosed,
    index_key,
    reasoning_rows,
)
from counterpoise.customization.results.rows import CellRow, LabRow, cell_key, row_key
from counterpoise.customization.results.summary import summarise
from counterpoise.errors import UsageError
from counterpoise.lm.protocol import LanguageModel
from counterpoise.records import RunFolder
from counterpoise.rng import seed_for
from counterpoise.safety.judges import Judge
from counterpoise.safety.measures import Items, measure, open_judges, read_items

__all__ = ["CellRow", "Diagnose", "LabRow", "Progress", "run_lab"]

Progress = Callable[[int, int, str], None]
"""Called with units done, units in all and what they are."""

Diagnose = Callable[[LanguageModel, Path], Any]
"""Puts a model through the slice of the counterfactual diagnosis, into an ordinary run folder that can be resumed."""


def run_lab(
    plan: Plan,
    out: Path,
    *,
    data: Path | None = None,
    progress: Progress | None = None,
    finetuner: Finetuner | None = None,
    diagnose: Diagnose | None = None,
) -> dict[str, Any]:
    """Run a plan, or what is left of it.

    Args:
        plan: see :func:`~counterpoise.customization.plan.load_plan`.
        out: the run folder.
        data: folder with downloaded data, used instead of the plan's.
        progress: told of trained steps and measured checkpoints.
        finetuner: trains and opens checkpoints; by default one for the plan's model. Tests give their own.
        diagnose: needed where the plan has ``reasoning``.

    Returns:
        The summary that is also in the manifest's facts: see
        :func:`~counterpoise.customization.results.summary.summarise`.

    Raises:
        ConfigError: the plan would fail in the middle: texts that are missing, malformed, too few, or both trained on
            and evaluated, a model that cannot be trained, no disk. Names every problem; nothing is trained or written.
        UsageError: there is no such model, or the plan has ``reasoning`` and there is no ``diagnose``.
        MissingExtraError: the training libraries are not installed.
        OutputError: the folder belongs to another run or cannot be written.
    """
    if plan.reasoning is not None and diagnose is None:
        raise UsageError("the plan asks for a diagnosis of reasoning, but no way to diagnose was given")
    material = read_material(plan, data)
    finetuner = finetuner or open_finetuner(plan, material)
    refuse(plan, material, finetuner, out)
    items = read_items(measure_settings(plan), data or plan.data)
    judges = open_judges(measure_settings(plan)) if any(item.way == "judged" for item in items) else []
    config = _config(plan, material, items, finetuner, judges)
    with RunFolder.open(out, kind="lab", config=config, packages=finetuner.packages) as folder:
        for note in material.notes:
            folder.warn(note)
        _Run(plan, material, items, finetuner, judges, folder, progress or _silent, diagnose).run()
        summary = summarise(folder.rows(key=row_key).rows, reasoning=reasoning_rows(out))
        for note in summary["notes"]:
            folder.warn(note)
        folder.complete(summary=summary)
    return summary


class _Run:
    """One call of :func:`run_lab`: the files and what is known so far."""

    def __init__(
        self,
        plan: Plan,
        material: Material,
        items: Items,
        finetuner: Finetuner,
        judges: Sequence[Judge],
        folder: RunFolder,
        progress: Progress,
        diagnose: Diagnose | None,
    ) -> None:
        self.plan = plan
        self.finetuner = finetuner
        self.judges = judges
        self.folder = folder
        self.progress = progress
        self.diagnose = diagnose
        self.data = StepData(plan, material, finetuner.count_tokens)
        self.rows = folder.rows(key=row_key, keep=False)
        self.steps = folder.rows(key=cell_key, name="cells.jsonl", keep=False)
        self.diagnoses = folder.rows(key=index_key, name=INDEX, keep=False)
        self.checkpoints = folder.path / "checkpoints"
        grid = cells(plan)
        self.graph: Graph = dependency_graph(grid)
        self.visits = {visit.node: visit for visit in visits(plan, grid, items)}

    def run(self) -> None:
        order = training_order(self.graph)
        left = {node for node in order if not self._done(node)}
        for done, node in enumerate(order):
            self.progress(done, len(order), "checkpoints")
            if node in left:
                self._visit(node)
                left.remove(node)
            if self.plan.keep == "results":
                self._tidy(node, left)
        self.progress(len(order), len(order), "checkpoints")

    def _done(self, node: str) -> bool:
        """Whether a checkpoint was trained and everything that is asked of it was."""
        if node != BASE and node not in self.steps:
            return False
        visit = self.visits.get(node)
        return visit is None or not (self._unmeasured(visit) or self._undiagnosed(visit))

    def _visit(self, node: str) -> None:
        """Train a checkpoint and measure it; the model is opened once."""
        chain: list[Path] = []
        for name in chain_names(self.graph, node):
            chain.append(self._trained(name, chain))
        visit = self.visits.get(node)
        if visit is None or not (self._unmeasured(visit) or self._undiagnosed(visit)):
            return
        model = self.finetuner.open(chain)
        for asked in visit.asked:
            self._measure(model, visit, asked)
        if self._undiagnosed(visit) and self.diagnose is not None:
            self.diagnose(model, self._diagnosis(visit))
            if node not in self.diagnoses:
                self.diagnoses.append(ReasoningRow(folder=node, **place(visit, "")))

    def _trained(self, name: str, chain: Sequence[Path]) -> Path:
        """The folder of a checkpoint; trains it on top of the chain before it unless it is there."""
        out = self.checkpoints / name
        result = finished(out)
        if result is not None and name in self.steps:
            return out
        node = self.graph.nodes[name]
        step = node["path"][-1]
        examples, defence = self.data.of(step, node["seed"])
        if result is None:
            result = self.finetuner.train(
                chain,
                examples,
                self.plan.recipe_of(step),
                # By the step, not the arm: arms that are compared start from the same initialisation.
                seed=seed_for(node["seed"], "train", step.name, step.part[0]),
                out=out,
                on_step=lambda done, total: self.progress(done, total, f"train {name}"),
            )
        for note in result.notes:
            self.folder.warn(note)
        if name not in self.steps:
            defence_tokens = sum(self.data.count(defence))
            self.steps.append(_cell_row(node["cell"], node["path"], name, result, defence_tokens))
        return out

    def _measure(self, model: LanguageModel, visit: Visit, asked: Asked) -> None:
        measure(
            model,
            asked.items,
            asked.settings,
            done=self.rows,
            keep=self.rows.append,
            columns={"run": self.folder.run, "model": self.plan.model, **place(visit, asked.attack)},
            row_class=LabRow,
            key=row_key,
            judges=self.judges,
        )

    def _unmeasured(self, visit: Visit) -> bool:
        return any(
            row_key({**place(visit, asked.attack), **asked.identity(item)}) not in self.rows
            for asked in visit.asked
            for item in asked.items
        )

    def _undiagnosed(self, visit: Visit) -> bool:
        return visit.reasoning and not (visit.node in self.diagnoses and diagnosed(self._diagnosis(visit)))

    def _diagnosis(self, visit: Visit) -> Path:
        return self.folder.path / FOLDER / visit.node

    def _tidy(self, node: str, left: set[str]) -> None:
        """Delete the weights of a checkpoint and those before it, as far as nothing is left to be done with them."""
        for name in reversed(chain_names(self.graph, node)):
            if left & {name, *nx.descendants(self.graph, name)}:
                return
            shutil.rmtree(self.checkpoints / name, ignore_errors=True)


def _cell_row(cell: Cell, path: Sequence[Step], name: str, result: FinetuneResult, defence_tokens: int) -> CellRow:
    attack = next((step for step in reversed(path) if step.attack is not None), None)
    # The cell is the first that needs the step; what comes later in it does not belong to the step.
    arm = next((step.arm for step in path if step.arm is not None), None)
    return CellRow(
        cell=cell.name,
        step=str(path[-1]),
        checkpoint=name,
        phase=cell.phase if arm else "none",
        arm=arm or "nothing",
        seed=cell.seed,
        attack=attack.attack or "" if attack else "",
        ratio=attack.ratio if attack else 0.0,
        dose=cell.dose if arm else 0.0,
        examples=result.examples,
        loss_tokens=result.loss_tokens,
        defence_tokens=defence_tokens,
        epochs=result.epochs,
        learning_rate=result.learning_rate,
        loss_first=result.loss_first,
        loss_last=result.loss_last,
        losses=result.losses,
        tokens=result.tokens,
        seconds=result.seconds,
    )


def _config(
    plan: Plan, material: Material, items: Items, finetuner: Finetuner, judges: Sequence[Judge]
) -> Mapping[str, Any]:
    """Everything that determines the rows. Files count by their content, not by where they lie."""
    settings = plan.model_dump(
        mode="json", exclude={"curated": True, "data": True, "keep": True, "attacks": {"__all__": {"file"}}}
    )
    texts = {**material.digests, "items": items.hash}
    return {
        "plan": settings,
        "revision": finetuner.revision,
        # By name and version: another version judges otherwise.
        "judges": [judge.name for judge in judges],
        "texts": texts,
    }


def _silent(done: int, total: int, what: str) -> None:
    """Tell nobody."""
