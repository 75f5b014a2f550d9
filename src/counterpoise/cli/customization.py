"""The command of the lab."""

from pathlib import Path

import click

from counterpoise.cli.options import data_option, json_option, out_option, require_folder
from counterpoise.cli.printing import finish
from counterpoise.progress import Progress

__all__ = ["lab"]


@click.command()
@click.argument("plan", metavar="PLAN.yaml", type=click.Path(path_type=Path))
@click.option("--curated", type=click.Path(path_type=Path), help="A curated.jsonl, instead of the one the plan names.")
@data_option
@out_option("Run folder; the same command again resumes it.")
@json_option
def lab(plan: Path, curated: Path | None, data: Path | None, out: Path, as_json: bool) -> None:
    """Attack and defend a model by fine-tuning, and measure what changed."""
    from counterpoise.customization.lab import run_lab
    from counterpoise.customization.plan import load_plan

    require_folder(data)
    loaded = load_plan(plan, curated=curated)
    with Progress() as progress:
        run_lab(loaded, out, data=data, progress=progress)
    finish(out, as_json)
