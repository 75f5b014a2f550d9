"""The commands of the lab."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from counterpoise.cli.options import data_option, json_option, require_folder
from counterpoise.cli.printing import finish, print_json, print_table
from counterpoise.errors import ConfigError, UsageError
from counterpoise.progress import Progress

__all__ = ["lab"]


class _RunByDefault(click.Group):
    """A group whose command ``run`` may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_RunByDefault)
def lab() -> None:
    """Attack and defend a model by fine-tuning, and measure what changed.

    "lab PLAN.yaml" is short for "lab run PLAN.yaml".
    """


plan_argument = click.argument("path", metavar="PLAN.yaml", type=click.Path(path_type=Path))
curated_option = click.option(
    "--curated", type=click.Path(path_type=Path), help="A curated set (objective max), instead of the plan's."
)


@lab.command("run")
@plan_argument
@curated_option
@data_option
@click.option("--out", type=click.Path(path_type=Path), help="Run folder; the same command again resumes it.")
@click.option("--dry-run", is_flag=True, help="Print cells, tokens, time and disk, and stop.")
@click.option(
    "--speed", type=click.Path(path_type=Path), help="For --dry-run: a lab run on this machine to learn from."
)
@click.option("--trial", is_flag=True, help="For --dry-run: train and ask a little, to learn how fast this machine is.")
@json_option
def run(
    path: Path,
    curated: Path | None,
    data: Path | None,
    out: Path | None,
    dry_run: bool,
    speed: Path | None,
    trial: bool,
    as_json: bool,
) -> None:
    """Run a plan, or what is left of it."""
    from counterpoise.customization.lab import run_lab
    from counterpoise.customization.plan import load_plan

    require_folder(data)
    plan = load_plan(path, curated=curated)
    if dry_run:
        _dry_run(plan, data, out, speed, trial, as_json)
        return
    if out is None:
        raise UsageError("no run folder", fix="pass it with --out")
    if speed or trial:
        raise UsageError("--speed and --trial serve --dry-run only")
    with Progress() as progress:
        run_lab(plan, out, data=data, progress=progress, diagnose=diagnosis(plan, data))
    finish(out, as_json)


@lab.command("validate")
@plan_argument
@curated_option
@data_option
@click.option("--out", type=click.Path(path_type=Path), help="The run folder that is meant, to look at its disk.")
@json_option
def validate(path: Path, curated: Path | None, data: Path | None, out: Path | None, as_json: bool) -> None:
    """Name everything that would stop a plan; where nothing would, print its cells. Nothing is trained."""
    from counterpoise.customization.data.material import read_material
    from counterpoise.customization.finetune import Finetuner, preflight
    from counterpoise.customization.lab.checks import problems
    from counterpoise.customization.plan import load_plan
    from counterpoise.customization.plan.grid import cells

    require_folder(data)
    plan = load_plan(path, curated=curated)
    material = read_material(plan, data)
    found = [*_reasoning_problems(plan)]
    # Without a model there is nothing that could count tokens.
    model = preflight(plan.model)
    if model:
        found += [*material.problems, *model]
    else:
        found += problems(plan, material, Finetuner(plan.model, processes=plan.processes), out or Path())
    if as_json:
        grid = [cell.name for cell in cells(plan)]
        print_json({"plan": plan.name, "problems": found, "notes": list(material.notes), "cells": grid})
    elif not found:
        _print_cells(plan)
        for note in material.notes:
            click.echo(f"note: {note}", err=True)
        click.echo(f"{path}: nothing stops it")
    if found and as_json:
        raise ConfigError(f"{len(found)} problems stop the plan" if len(found) > 1 else found[0])
    for problem in found[:-1]:
        click.echo(f"error: {problem}", err=True)
    if found:
        raise ConfigError(found[-1])


@lab.command("data")
@plan_argument
@curated_option
@data_option
@click.option("--arm", help="Which of the plan's arms; the first of them by default.")
@click.option("--seed", type=int, help="Which draw; the first of the plan's seeds by default.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File of JSON lines.")
@json_option
def data(
    path: Path, curated: Path | None, data: Path | None, arm: str | None, seed: int | None, out: Path, as_json: bool
) -> None:
    """Write an arm's data at the plan's dose, for a trainer of your own. Nothing is trained."""
    from counterpoise.customization.data.arm_file import write_arm
    from counterpoise.customization.data.material import read_material
    from counterpoise.customization.lab.checks import open_finetuner
    from counterpoise.customization.plan import load_plan

    require_folder(data)
    plan = load_plan(path, curated=curated)
    chosen = next((one for one in plan.defend.used_arms if arm in (None, one)), None)
    if chosen is None:
        raise UsageError(f"the plan has no arm {arm!r} with data", expected=", ".join(plan.defend.used_arms) or "one")
    material = read_material(plan, data)
    count = open_finetuner(plan, material).count_tokens
    written = write_arm(plan, chosen, plan.seeds[0] if seed is None else seed, material, count, out)
    if as_json:
        print_json({**written, "notes": list(material.notes)})
        return
    for note in material.notes:
        click.echo(f"note: {note}", err=True)
    print_table(tuple(written), [tuple(written.values())])


def diagnosis(plan: Any, data: Path | None) -> Callable[..., Any] | None:
    """What puts a checkpoint through the plan's slice of the diagnosis; ``None`` where the plan has none."""
    if plan.reasoning is None:
        return None
    from counterpoise.verify import reasoning_slice

    settings = _reasoning_settings(plan)
    return lambda model, folder: reasoning_slice(model, settings, folder, data or plan.data)


def _reasoning_settings(plan: Any) -> Any:
    from pydantic import ValidationError

    from counterpoise.verify import ReasoningSettings

    wanted = plan.reasoning.model_dump(mode="json", exclude_none=True)
    try:
        return ReasoningSettings.model_validate({**wanted, "seed": plan.seeds[0]})
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise ConfigError(f"the plan's reasoning is not valid: {faults}") from error


def _reasoning_problems(plan: Any) -> list[str]:
    try:
        if plan.reasoning is not None:
            _reasoning_settings(plan)
    except ConfigError as error:
        return [str(error)]
    return []


def _dry_run(plan: Any, data: Path | None, out: Path | None, speed: Path | None, trial: bool, as_json: bool) -> None:
    from counterpoise.customization.data.material import read_material
    from counterpoise.customization.lab.checks import open_finetuner, refuse
    from counterpoise.customization.lab.estimate import estimate
    from counterpoise.customization.lab.speed import measured, recorded
    from counterpoise.customization.lab.visits import measure_settings
    from counterpoise.safety.measures import read_items

    material = read_material(plan, data)
    finetuner = open_finetuner(plan, material)
    refuse(plan, material, finetuner, None)
    items = read_items(measure_settings(plan), data or plan.data)
    known = None
    if trial:
        known = measured(plan, material, items, finetuner)
    elif speed is not None:
        known = recorded(speed)
        if known is None:
            raise UsageError(f"no trained step and measured item to learn from in {speed}")
    found = estimate(plan, material, items, finetuner, out=out, speed=known)
    if as_json:
        print_json({"plan": plan.name, **found.to_json()})
        return
    _print_cells(plan)
    _print_estimate(found)


def _print_cells(plan: Any) -> None:
    from counterpoise.customization.plan.grid import cells

    rows = [
        (cell.name, cell.attack, f"{cell.ratio:g}", cell.phase, cell.arm, f"{cell.dose:g}", cell.seed)
        for cell in cells(plan)
    ]
    print_table(("cell", "attack", "ratio", "phase", "arm", "dose", "seed"), rows)


def _print_estimate(found: Any) -> None:
    from counterpoise.customization.lab.work import disk_text

    asked = found.measuring
    click.echo()
    rows: list[tuple[str, str]] = [
        ("cells", str(len(found.cells))),
        ("training steps left", str(len(found.steps))),
        ("loss-bearing tokens", f"{found.loss_tokens:,}"),
        ("training tokens", f"{found.training_tokens:,}"),
        ("checkpoints left to measure", str(asked.visits)),
        *((f"{measure} items", f"{number:,}") for measure, number in asked.items.items()),
        ("prompt tokens", f"{asked.prompt_tokens:,}"),
        ("tokens written at most", f"{asked.completion_tokens:,}"),
        ("diagnosed checkpoints", str(asked.diagnoses)),
        ("disk at the end", disk_text(found.disk_kept)),
        ("disk at most", disk_text(found.disk_peak)),
    ]
    if found.disk_free is not None:
        rows.append(("disk free", disk_text(found.disk_free)))
    if found.seconds is None:
        rows.append(("time", "unknown for this model: --trial measures it"))
    else:
        rows += [
            ("time to train", _minutes(found.training_seconds)),
            ("time to measure", _minutes(found.measuring_seconds)),
            ("time", f"{_minutes(found.seconds)}, from {found.speed}"),
        ]
    print_table(("what it takes", ""), rows)


def _minutes(seconds: float) -> str:
    return f"about {seconds / 3600:.1f} h" if seconds >= 2 * 3600 else f"about {max(1, round(seconds / 60))} min"
