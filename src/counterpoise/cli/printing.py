"""What the commands print: tables for people, JSON for machines."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

__all__ = ["finish", "print_json", "print_table"]


def print_json(value: Any) -> None:
    """Print a value as JSON; other alphabets stay readable."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table as wide as the terminal, or as its cells need in a file or a pipe."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        # Text, not markup: cells may hold anything.
        table.add_row(*(Text(str(cell)) for cell in row))
    # In a file or a pipe nothing bounds a line, and a name that is cut is no name.
    Console(width=None if sys.stdout.isatty() else 200, soft_wrap=not sys.stdout.isatty()).print(table)


def finish(out: Path, as_json: bool, more: Mapping[str, Any] | None = None) -> None:
    """Write the run's report and print its tables; ``more`` is added to the JSON."""
    from counterpoise.report import terminal
    from counterpoise.report.html import write
    from counterpoise.report.tables import to_json

    tables = write([out], out / "report.html")
    if as_json:
        print_json({**to_json(tables), **(more or {})})
    else:
        terminal.show(tables)
        click.echo(f"report: {out / 'report.html'}")
