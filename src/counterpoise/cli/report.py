"""The command that writes the page about runs."""

from pathlib import Path

import click

__all__ = ["report"]


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The HTML file to write.")
def report(folders: tuple[Path, ...], out: Path) -> None:
    """Write one self-contained HTML file about one or more run folders."""
    from counterpoise.report.html import write

    write(folders, out)
    click.echo(out)
