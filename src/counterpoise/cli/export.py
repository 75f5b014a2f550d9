"""The command that hands a curated set on."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from counterpoise.cli.options import json_option, out_option, split
from counterpoise.cli.printing import print_json

if TYPE_CHECKING:
    from counterpoise.curation.export import Only

__all__ = ["export"]


@click.command()
@click.argument("folder", metavar="RUN_FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--form",
    "forms",
    default="messages,prompt-completion",
    show_default=True,
    help="One or more of messages, prompt-completion, sharegpt, alpaca, parquet, separated by commas.",
)
@click.option(
    "--decisions", metavar="FILE.json", type=click.Path(path_type=Path), help="Decisions saved from the review page."
)
@click.option(
    "--only",
    type=click.Choice(["accepted", "not-rejected"]),
    help="Which texts the decisions let in.  [default: not-rejected]",
)
@click.option("--with-originals", "originals", is_flag=True, help="The same texts uncurated too, for controls.")
@out_option("A new folder; one that holds exactly this is left as it is.")
@json_option
def export(
    folder: Path, forms: str, decisions: Path | None, only: "Only | None", originals: bool, out: Path, as_json: bool
) -> None:
    """Write a curated set into a folder to hand on, with its dataset card and training snippets."""
    from counterpoise.curation.export import export_run

    done = export_run(folder, out, split(forms), decisions=decisions, only=only, originals=originals)
    if as_json:
        print_json(asdict(done))
        return
    click.echo(f"{done.exported} of {done.texts} texts {'written to' if done.changed else 'already in'} {done.out}")
    for name, counts in (("review", done.decided), ("left out", done.left_out)):
        if counts:
            click.echo(f"{name}: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    click.echo("files: " + ", ".join(done.files))
