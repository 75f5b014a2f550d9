"""The command that writes the page on which a curation is reviewed."""

from pathlib import Path

import click

__all__ = ["review"]


@click.command()
@click.argument("folder", metavar="RUN_FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="FILE.html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The HTML file to write; review.html in the run folder by default.",
)
def review(folder: Path, out: Path | None) -> None:
    """Write one HTML file in which a curation's revisions are accepted or rejected, text by text."""
    from counterpoise.report.review import write_review

    click.echo(write_review(folder, out))
