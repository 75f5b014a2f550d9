"""Options that several commands share, and what is read out of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from counterpoise.errors import DataError, UsageError

__all__ = ["data_option", "json_option", "out_option", "require_folder", "seed_option", "split"]

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
data_option = click.option(
    "--data",
    envvar="COUNTERPOISE_DATA",
    type=click.Path(path_type=Path),
    help="Folder of downloaded datasets (or set COUNTERPOISE_DATA).",
)
seed_option = click.option("--seed", default=0, show_default=True, help="Seed of every random choice.")


def out_option(help: str) -> Callable[[Command], Command]:
    """The ``--out`` option; every command that writes has one."""
    return click.option("--out", required=True, type=click.Path(path_type=Path), help=help)


def split(names: str) -> list[str]:
    """The names of an option that takes several, separated by commas; each once, in their order."""
    found = [name.strip() for name in names.split(",") if name.strip()]
    if not found:
        raise UsageError("an empty list of names", expected="names separated by commas")
    return list(dict.fromkeys(found))


def require_folder(data: Path | None) -> None:
    """Refuse a folder of data that was given and is not there."""
    if data is not None and not data.is_dir():
        raise DataError(f"no data folder at {data}", fix="check --data and COUNTERPOISE_DATA")
