"""Everything that would stop a plan in the middle, found before anything is trained, all at once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from counterpoise.customization.data.arms import dose_faults
from counterpoise.customization.data.material import Material
from counterpoise.customization.data.step_data import StepData
from counterpoise.customization.finetune import Finetuner, Recipe, finished
from counterpoise.customization.lab.work import all_tokens, disk, disk_text, training
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.grid import BASE, Graph, cells, dependency_graph
from counterpoise.errors import ConfigError, UsageError
from counterpoise.safety.judges import open_judge

__all__ = ["free_bytes", "open_finetuner", "problems", "recipes", "refuse", "trained"]


def open_finetuner(plan: Plan, material: Material) -> Finetuner:
    """The finetuner of the plan's model.

    Raises:
        UsageError: there can be none. Problems of the texts are named with it.
    """
    try:
        return Finetuner(plan.model, processes=plan.processes)
    except UsageError as error:
        if not material.problems:
            raise
        raise ConfigError("; ".join([*material.problems, str(error)])) from error


def refuse(plan: Plan, material: Material, finetuner: Finetuner, out: Path | None) -> None:
    """Stop where anything would.

    Raises:
        ConfigError: names every problem.
    """
    if found := problems(plan, material, finetuner, out):
        raise ConfigError("; ".join(found))


def problems(plan: Plan, material: Material, finetuner: Finetuner, out: Path | None = None) -> list[str]:
    """Everything that would stop the plan, one line each; empty where nothing would.

    Looked at are the texts, the model's chat template, tokenizer and layers, the judges, whether every dose can be
    filled and every step has examples of a length that the recipe allows, and the disk.

    Args:
        plan: the plan.
        material: its texts, which bring their own problems.
        finetuner: of the plan's model.
        out: the run folder; without it the disk is not looked at.
    """
    graph = dependency_graph(cells(plan))
    found = [*material.problems, *finetuner.problems(recipes(plan, graph)), *_judges(plan)]
    if not found:
        # What follows counts tokens, for which everything before must be right.
        found += _doses(plan, material, finetuner)
    if not found:
        found += _steps(plan, material, finetuner, graph)
    if out is not None and not found:
        found += _disk(plan, finetuner, graph, out)
    return list(dict.fromkeys(found))


def recipes(plan: Plan, graph: Graph) -> list[Recipe]:
    """The recipes that the plan's steps are trained with, each once."""
    steps = [graph.nodes[name]["path"][-1] for name in graph if name != BASE]
    return list(dict.fromkeys(plan.recipe_of(step) for step in steps))


def trained(out: Path, graph: Graph) -> set[str]:
    """The checkpoints of a run folder that are trained and still there.

    Raises:
        DataError: one is damaged.
    """
    return {name for name in graph if name != BASE and finished(out / "checkpoints" / name)}


def _judges(plan: Plan) -> Iterator[str]:
    for name in plan.judges:
        try:
            open_judge(name)
        except UsageError as error:
            yield str(error)


def _doses(plan: Plan, material: Material, finetuner: Finetuner) -> Iterator[str]:
    defend = plan.defend
    for arm in defend.used_arms if defend.used_phases else ():
        yield from dose_faults(
            arm, defend.dose, material, clean_share=defend.clean_share, count_tokens=finetuner.count_tokens
        )


def _steps(plan: Plan, material: Material, finetuner: Finetuner, graph: Graph) -> Iterator[str]:
    data = StepData(plan, material, finetuner.count_tokens)
    # Only a real model has a tokenizer whose counts mean anything to a recipe.
    lengths = all_tokens(finetuner.name) if isinstance(finetuner, Finetuner) else None
    for step in training(plan, graph, data, lengths=lengths):
        limit = plan.recipe_of(graph.nodes[step.checkpoint]["path"][-1]).max_length
        if not step.examples:
            yield (
                f"the step {step.step} has no examples: the dose is too small for whole examples; raise defend.dose or "
                "leave the phase 'every' or the smallest of defend.doses out"
            )
        elif step.longest > limit:
            yield (
                f"the step {step.step} has an example of {step.longest} tokens, longer than its recipe's max_length of "
                f"{limit}; raise it, or leave the text out"
            )


def _disk(plan: Plan, finetuner: Finetuner, graph: Graph, out: Path) -> Iterator[str]:
    sizes: dict[Recipe, int] = {}

    def bytes_of(recipe: Recipe) -> int:
        if recipe not in sizes:
            sizes[recipe] = finetuner.checkpoint_bytes(recipe)
        return sizes[recipe]

    _, peak = disk(plan, graph, bytes_of, done=trained(out, graph))
    free = free_bytes(out)
    if free < peak:
        smaller = ""
        if plan.keep == "adapters":
            less = disk(plan.model_copy(update={"keep": "results"}), graph, bytes_of, done=trained(out, graph))[1]
            smaller = f"; 'keep: results' needs {disk_text(less)}"
        yield (
            f"not enough disk for the checkpoints: {disk_text(peak)} needed, {disk_text(free)} free at {out}; expected "
            f"room for what is left to train{smaller}"
        )


def free_bytes(path: Path) -> int:
    """Free bytes where a folder is or will be."""
    place = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    return shutil.disk_usage(place).free
