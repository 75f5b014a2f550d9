"""The lab: train every cell of a plan, ask every checkpoint, write what happened.

A run folder of kind ``lab`` holds ``rows.jsonl`` (one line per checkpoint and prompt), ``cells.jsonl`` (one line per
trained step) and ``checkpoints/``. Checkpoints that cells share are trained once. A killed run goes on where it
stopped: a checkpoint's folder is complete or absent, and finished rows are kept.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from counterpoise.customization.finetune import Finetuner, FinetuneResult, finished
from counterpoise.customization.material import Material, read_material, step_examples
from counterpoise.customization.phases import Step, checkpoint_name
from counterpoise.customization.plan import Cell, Plan, cells
from counterpoise.customization.rows import CellRow, Checkpoint, LabRow, cell_key, judged_row, row_key
from counterpoise.customization.summary import summarise
from counterpoise.lm.protocol import Message, Request
from counterpoise.records import RunFolder, content_hash
from counterpoise.rng import seed_for
from counterpoise.safety.benchmarks import Prompt
from counterpoise.safety.judges.keyword import KEYWORD_JUDGE, KeywordJudge

__all__ = ["CellRow", "LabRow", "Progress", "run_lab"]

Progress = Callable[[int, int, str], None]
"""Called with units done, units in all and what they are."""


def run_lab(
    plan: Plan,
    out: Path,
    *,
    data: Path | None = None,
    progress: Progress | None = None,
    finetuner: Finetuner | None = None,
) -> dict[str, Any]:
    """Run a plan, or what is left of it.

    Args:
        plan: see :func:`~counterpoise.customization.plan.load_plan`.
        out: the run folder.
        data: folder with downloaded data, used instead of the plan's.
        progress: told of trained steps and asked checkpoints.
        finetuner: trains and opens checkpoints; by default one for the plan's model. Tests give their own.

    Returns:
        The summary that is also in the manifest's facts: see :func:`~counterpoise.customization.summary.summarise`.

    Raises:
        DataError: input data is missing or malformed, or a prompt is both trained on and evaluated.
        MissingExtraError: the training libraries are not installed.
        OutputError: the folder belongs to another run or cannot be written.
    """
    material = read_material(plan, data)
    finetuner = finetuner or Finetuner(plan.model)
    config = _config(plan, material, finetuner)
    with RunFolder.open(out, kind="lab", config=config, packages=finetuner.packages) as folder:
        if overlaps := material.overlaps():
            named = ", ".join(f"{prompt.set}/{prompt.id}" for prompt in overlaps[:5])
            folder.warn(f"{len(overlaps)} evaluation prompts are worded much like training prompts: {named}")
        _Run(plan, material, finetuner, folder, progress or _silent).run()
        summary = summarise(folder.rows(key=row_key).rows)
        for note in summary["notes"]:
            folder.warn(note)
        folder.complete(summary=summary)
    return summary


class _Run:
    """One call of :func:`run_lab`: the files and what is known so far."""

    def __init__(
        self, plan: Plan, material: Material, finetuner: Finetuner, folder: RunFolder, progress: Progress
    ) -> None:
        self.plan = plan
        self.material = material
        self.finetuner = finetuner
        self.folder = folder
        self.progress = progress
        self.rows = folder.rows(key=row_key)
        self.steps = folder.rows(key=cell_key, name="cells.jsonl")
        self.checkpoints = folder.path / "checkpoints"

    def run(self) -> None:
        grid = cells(self.plan)
        measured = [(cell, *entry) for cell in grid for entry in _measured(cell, self.plan)]
        for done, (cell, checkpoint, path) in enumerate(measured):
            self.progress(done, len(measured), "checkpoints")
            missing = self._missing(cell, checkpoint)
            prefixes = [path[: number + 1] for number in range(len(path))]
            if not missing and all(checkpoint_name(cell.seed, prefix) in self.steps for prefix in prefixes):
                continue  # Checkpoints that nothing is left to be asked of may have been deleted.
            chain: list[Path] = []
            for prefix in prefixes:
                chain.append(self._trained(cell, prefix, chain))
            if missing:
                self._ask(cell, checkpoint, chain, missing)
        self.progress(len(measured), len(measured), "checkpoints")

    def _trained(self, cell: Cell, path: Sequence[Step], chain: Sequence[Path]) -> Path:
        """The checkpoint that the steps lead to; trains it on top of the chain before it unless it is there."""
        name = checkpoint_name(cell.seed, path)
        out = self.checkpoints / name
        result = finished(out)
        if result is not None and name in self.steps:
            return out
        step = path[-1]
        examples, defence = step_examples(self.plan, self.material, step, cell.seed, self.finetuner.count_tokens)
        if result is None:
            result = self.finetuner.train(
                chain,
                examples,
                self.plan.recipe_of(step),
                # By the step, not the arm: arms that are compared start from the same initialisation.
                seed=seed_for(cell.seed, "train", step.name),
                out=out,
                on_step=lambda done, total: self.progress(done, total, f"train {name}"),
            )
        if name not in self.steps:
            defence_tokens = sum(self.finetuner.count_tokens(defence))
            self.steps.append(_cell_row(cell, step, name, result, defence_tokens))
        return out

    def _missing(self, cell: Cell, checkpoint: Checkpoint) -> list[Prompt]:
        """The prompts that have no row yet."""
        columns = {"cell": cell.name, "checkpoint": checkpoint}
        return [
            prompt
            for prompt in self.material.evaluated
            if row_key({**columns, "prompt_set": prompt.set, "prompt_id": prompt.id}) not in self.rows
        ]

    def _ask(self, cell: Cell, checkpoint: Checkpoint, chain: Sequence[Path], missing: Sequence[Prompt]) -> None:
        model, judge = self.finetuner.open(chain), KeywordJudge()
        requests = [
            Request(messages=[Message(role="user", content=prompt.text)], max_tokens=self.plan.max_tokens)
            for prompt in missing
        ]
        for prompt, (completion,) in zip(missing, model.generate(requests), strict=True):
            self.rows.append(
                judged_row(
                    prompt,
                    completion,
                    judge,
                    run=self.folder.run,
                    model=self.plan.model,
                    phase=cell.phase,
                    arm=cell.arm,
                    seed=cell.seed,
                    cell=cell.name,
                    checkpoint=checkpoint,
                )
            )


def _measured(cell: Cell, plan: Plan) -> list[tuple[Checkpoint, tuple[Step, ...]]]:
    """The checkpoints at which a cell is measured, and the steps that lead to each."""
    if cell.phase != "none":
        return [("defended", cell.steps)]
    found: list[tuple[Checkpoint, tuple[Step, ...]]] = []
    if cell.seed == plan.seeds[0]:
        found.append(("base", ()))
    if plan.align is not None:
        found.append(("aligned", cell.steps[:1]))
    return [*found, ("attacked", cell.steps)]


def _cell_row(cell: Cell, step: Step, checkpoint: str, result: FinetuneResult, defence_tokens: int) -> CellRow:
    return CellRow(
        cell=cell.name,
        step=str(step),
        checkpoint=checkpoint,
        phase=cell.phase,
        arm=cell.arm,
        seed=cell.seed,
        examples=result.examples,
        loss_tokens=result.loss_tokens,
        defence_tokens=defence_tokens,
        epochs=result.epochs,
        learning_rate=result.learning_rate,
        loss_first=result.loss_first,
        loss_last=result.loss_last,
        losses=result.losses,
        seconds=result.seconds,
    )


def _config(plan: Plan, material: Material, finetuner: Finetuner) -> Mapping[str, Any]:
    """Everything that determines the rows. Files count by their content, not by where they lie."""
    texts = {
        name: content_hash([str(entry) for entry in getattr(material, name)])
        for name in ("align", "attack", "clean", "curated", "uncurated", "evaluated")
    }
    settings = plan.model_dump(mode="json", exclude={"curated", "data"})
    return {"plan": settings, "revision": finetuner.revision, "judge": KEYWORD_JUDGE, "texts": texts}


def _silent(done: int, total: int, what: str) -> None:
    """Tell nobody."""
