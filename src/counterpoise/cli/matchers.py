"""Commands about the matchers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from counterpoise.cli.options import json_option, seed_option
from counterpoise.cli.printing import print_json, print_table

__all__ = ["matchers"]


@click.group()
def matchers() -> None:
    """What decides whether two texts mean the same."""


@matchers.command("list")
@json_option
def matchers_list(as_json: bool) -> None:
    """List the matchers."""
    from counterpoise.counterfactual.match.registry import DEFAULT
    from counterpoise.counterfactual.match.registry import matchers as entries

    if as_json:
        print_json(
            [
                {"name": e.name, "default": e.name == DEFAULT, "needs": e.needs or None, "summary": e.summary}
                for e in entries()
            ]
        )
    else:
        rows = [(e.name, "default" if e.name == DEFAULT else "", e.needs or "nothing", e.summary) for e in entries()]
        print_table(("matcher", "", "needs", "what it does"), rows)


@matchers.command("calibrate")
@click.option("--pairs", "file", type=click.Path(path_type=Path), help="Your own labelled pairs, as JSON lines.")
@click.option("--model", help="Measure the judge too, with this model.")
@click.option("--nli", help="Measure nli too, with this model: a folder, or owner/name@revision.")
@seed_option
@json_option
def matchers_calibrate(file: Path | None, model: str | None, nli: str | None, seed: int, as_json: bool) -> None:
    """Measure how far the matchers agree with people, on the labelled pairs that ship with the package."""
    from counterpoise.counterfactual.match.calibrate import calibrate
    from counterpoise.counterfactual.match.labelled import read_pairs, shipped_pairs
    from counterpoise.counterfactual.match.registry import MATCHERS, open_matcher

    pairs = shipped_pairs() if file is None else read_pairs(file)
    chosen = [*MATCHERS, *(["nli"] if nli else []), *(["judge"] if model else [])]
    opened = [open_matcher(name, model=model, nli=nli) for name in chosen]
    found = calibrate(pairs, opened, held_out=file is None, seed=seed)
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
    else:
        _print_calibrations(found)


def _print_calibrations(found: Sequence[Any]) -> None:
    def shown(value: float | None) -> str:
        return "n/a" if value is None else f"{value:.2f}"

    def spread(one: Any) -> str:
        interval = one.intervals["kappa"]
        return f"{shown(one.kappa)} [{shown(interval.low)}, {shown(interval.high)}]"

    print_table(
        ("matcher", "kappa", "F1", "precision", "recall", "unscored"),
        [
            (
                one.name + ("*" if one.held_out else ""),
                spread(one),
                *(shown(value) for value in (one.f1, one.precision, one.recall)),
                one.unscored,
            )
            for one in found
        ],
    )
    click.echo("\nkappa with the threshold moved, and at its best in hindsight")
    offsets = list(found[0].sensitivity)
    print_table(
        ("matcher", "threshold", *offsets, "best"),
        [
            (
                one.name,
                shown(one.threshold),
                *(shown(one.sensitivity[offset]) for offset in offsets),
                f"{shown(one.best_kappa)} at {shown(one.best_threshold)}",
            )
            for one in found
        ],
    )
    click.echo("\nshare of the pairs decided as labelled")
    tables = [{**one.kinds, **one.families} for one in found]
    print_table(
        ("pairs", "n", *(one.name for one in found)),
        [(part, first.pairs, *(shown(table[part].right) for table in tables)) for part, first in tables[0].items()],
    )
    click.echo("")
    click.echo(f"{found[0].pairs} pairs; 95 % intervals; * decided out of fold: fitted without the pair's gold text")
    if found[0].labellers is not None:
        both = found[0].labellers
        click.echo(
            f"the two labellings of {both.pairs} pairs: kappa {shown(both.kappa.value)} "
            f"[{shown(both.kappa.low)}, {shown(both.kappa.high)}], {both.differing} differ"
        )
