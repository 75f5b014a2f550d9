"""Commands about the embedded models."""

import click

from counterpoise.cli.options import json_option
from counterpoise.cli.printing import print_json, print_table
from counterpoise.errors import UnknownNameError

__all__ = ["models"]


@click.group()
def models() -> None:
    """The embedded models, which come as packages."""


@models.command("list")
@json_option
def models_list(as_json: bool) -> None:
    """List the embedded models."""
    from counterpoise.lm.embedded import listing

    entries = listing()
    if as_json:
        print_json(entries)
    else:
        print_table(
            ("model", "kind", "licence", "package", "installed"),
            [(e["name"], e["kind"], e["licence"], e["package"], "yes" if e["installed"] else "no") for e in entries],
        )


@models.command("pull")
@click.argument("names", nargs=-1)
def models_pull(names: tuple[str, ...]) -> None:
    """Install the embedded models (all of them, or NAMES) and convert them for use."""
    from counterpoise.lm.embedded import EMBEDDED, pull

    for name in names:
        if name not in EMBEDDED:
            raise UnknownNameError("embedded model", name, EMBEDDED)
    for name in names or EMBEDDED:
        click.echo(f"{name}: installing", err=True)
        click.echo(f"{name}: {pull(name)}")
