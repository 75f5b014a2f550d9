"""The command that proves what a model does, and what changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from counterpoise.cli.options import data_option, json_option, out_option, require_folder, seed_option
from counterpoise.cli.printing import print_json, print_table
from counterpoise.progress import Progress

__all__ = ["verify"]


@click.command()
@click.option(
    "--model", required=True, help="embedded/smollm2, a model or adapter folder, or a name as Inspect writes it."
)
@click.option(
    "--before", metavar="RUN|MODEL", help="An earlier verification to compare with, or a model to verify first."
)
@click.option(
    "--set", "sets", multiple=True, metavar="NAME", help="A set to ask, whole; repeatable. Default: see the docs."
)
@click.option("--limit", type=click.IntRange(min=1), help="Items per set at most.")
@click.option("--judge", "judges", multiple=True, metavar="NAME", help="The labelling judge; repeated: further judges.")
@click.option("--max-tokens", default=32, show_default=True, help="New tokens of a judged completion.")
@click.option("--reasoning-limit", default=5, show_default=True, help="Cases per dataset of the reasoning slice.")
@click.option("--no-reasoning", is_flag=True, help="Leave the reasoning slice out.")
@seed_option
@data_option
@out_option("Run folder; the same command again resumes it.")
@json_option
def verify(
    model: str,
    before: str | None,
    sets: tuple[str, ...],
    limit: int | None,
    judges: tuple[str, ...],
    max_tokens: int,
    reasoning_limit: int,
    no_reasoning: bool,
    seed: int,
    data: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Measure safety, over-refusal, helpfulness, utility and reasoning of a model, and what changed."""
    from counterpoise.report.html import write
    from counterpoise.verify import VerifySettings, absent_sets, run_verify

    require_folder(data)
    settings = VerifySettings.checked(
        model=model,
        sets=sets,
        limit=limit,
        judges=judges,
        max_tokens=max_tokens,
        reasoning_limit=None if no_reasoning else reasoning_limit,
        seed=seed,
        data=data,
    )
    if not sets and data is not None and (missing := absent_sets(data)):
        click.echo(f"left out, their files are not in {data}: {', '.join(missing)}", err=True)
    with Progress() as progress:
        found = run_verify(settings, out, data=data, before=before, progress=progress)
    write([out], out / "report.html")
    if as_json:
        print_json(found)
    else:
        _print(found)
        click.echo(f"report: {out / 'report.html'}")


def _print(found: Mapping[str, Any]) -> None:
    print_table(
        ("measure", "set", "metric", "value", "95 %", "n", "unreadable", "unscored", "judge", "kappa"),
        [
            (
                *(entry[name] for name in ("measure", "prompt_set", "metric")),
                *_value(entry),
                *(entry[name] for name in ("n", "unreadable", "unscored", "judge")),
                "" if entry["judge_kappa"] is None else f"{entry['judge_kappa']:.2f}",
            )
            for entry in found["rates"]
        ],
    )
    if found["reasoning"]:
        click.echo("\nreasoning by stage")
        print_table(
            ("dataset", "stage", "metric", "value", "95 %", "n", "unreadable"),
            [
                (
                    *(entry[name] for name in ("dataset", "stage", "metric")),
                    *_value(entry),
                    entry["n"],
                    entry["parse_failed"] + entry["model_failed"],
                )
                for entry in found["reasoning"]
            ],
        )
    if found["before"]:
        _print_changes(found)
    for note in found["notes"]:
        click.echo(f"note: {note}")


def _print_changes(found: Mapping[str, Any]) -> None:
    click.echo(f"\nchange against {found['before']['model']} ({found['before']['run']})")
    print_table(
        ("set", "metric", "change", "95 %", "n", "rose", "fell", "p", "judge"),
        [
            (
                *(entry[name] for name in ("prompt_set", "metric")),
                *_value(entry, sign=True),
                *(entry[name] for name in ("n", "gained", "lost")),
                f"{entry['p_value']:.2g}",
                entry["judge"],
            )
            for entry in found["changes"]
        ],
    )
    if found["reasoning_changes"]:
        click.echo("\nchange of reasoning by stage")
        print_table(
            ("dataset", "stage", "metric", "change", "95 %", "n"),
            [
                (*(entry[name] for name in ("dataset", "stage", "metric")), *_value(entry, sign=True), entry["n"])
                for entry in found["reasoning_changes"]
            ],
        )
    click.echo("\ngates")
    print_table(
        ("gate", "set", "change", "95 %", "limit", "verdict"),
        [
            (
                *(entry[name] for name in ("gate", "prompt_set")),
                *_value(entry, sign=True),
                f"{entry['limit']:+.2f}",
                entry["verdict"],
            )
            for entry in found["gates"]
        ],
    )


def _value(entry: Mapping[str, Any], *, sign: bool = False) -> tuple[str, str]:
    """The value and its interval."""
    if entry["value"] is None:
        return "n/a", ""
    form = "+.3f" if sign else ".3f"
    return f"{entry['value']:{form}}", f"[{entry['low']:{form}}, {entry['high']:{form}}]"
