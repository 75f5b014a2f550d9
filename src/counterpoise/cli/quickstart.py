"""The command that shows everything on the embedded model."""

from pathlib import Path

import click

from counterpoise.cli.options import json_option
from counterpoise.cli.printing import print_json
from counterpoise.progress import Progress

__all__ = ["quickstart"]


@click.command()
@click.option("--out", default="quickstart", show_default=True, type=click.Path(path_type=Path), help="Output folder.")
@json_option
def quickstart(out: Path, as_json: bool) -> None:
    """Diagnose, curate and defend the embedded model, and report on it, in about five minutes."""
    from counterpoise.quickstart import run_quickstart
    from counterpoise.report import terminal

    with Progress() as progress:
        result = run_quickstart(out, progress=progress)
    if as_json:
        print_json(result.to_json())
    else:
        terminal.show(result.tables)
        for step, seconds in result.seconds.items():
            click.echo(f"{step}: {seconds:.0f} s")
        click.echo(f"report: {result.report}")
