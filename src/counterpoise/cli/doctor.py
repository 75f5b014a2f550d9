"""Commands that look before work starts: at the installation, and at training data."""

from pathlib import Path
from typing import Any

import click

from counterpoise.cli.options import data_option, json_option
from counterpoise.cli.printing import print_json, print_table
from counterpoise.errors import CounterpoiseError, UsageError

__all__ = ["doctor"]


@click.group(invoke_without_command=True)
@data_option
@json_option
@click.pass_context
def doctor(context: click.Context, data: Path | None, as_json: bool) -> None:
    """Check what is installed here; exits with 1 if something needed is missing.

    With a command: check something else.
    """
    if context.invoked_subcommand is not None:
        if as_json:
            raise UsageError("--json before the command", expected=f"it after '{context.invoked_subcommand}'")
        return
    from dataclasses import asdict

    from counterpoise.doctor.installed import examine

    checks = examine(data)
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        print_table(("check", "verdict", "detail"), [(c.name, c.verdict, c.detail) for c in checks])
    if failed := [check.name for check in checks if check.verdict == "failed"]:
        raise CounterpoiseError("something needed is missing", where=", ".join(failed))


@doctor.command("data")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--tokenizer", required=True, help="embedded/smollm2, a folder, or owner/name on the hub.")
@click.option(
    "--max-length", type=click.IntRange(min=1), help="Tokens of an example that the trainer keeps; all by default."
)
@click.option(
    "--show", default=0, type=click.IntRange(min=0), help="How many examples to print, with their loss marked."
)
@json_option
def doctor_data(source: Path, tokenizer: str, max_length: int | None, show: int, as_json: bool) -> None:
    """Check which tokens of training data carry loss; exits with 1 if an example is faulty.

    FILE holds messages, prompt and completion, or text. Every example is tokenised, masked and cut as by TRL's trainer
    with completion_only_loss, or with assistant_only_loss for messages.
    """
    from counterpoise.doctor.masks import examine_masks
    from counterpoise.lm.names import open_tokenizer

    report = examine_masks(source, open_tokenizer(tokenizer), max_length=max_length, show=show)
    if as_json:
        print_json(report.to_json())
    else:
        _print_masks(report)
    if report.faulty:
        raise CounterpoiseError(f"{report.faulty} of {report.examples} examples are faulty", where=str(source))


def _print_masks(report: Any) -> None:
    from counterpoise.doctor.masks import FAULTS

    share = "" if report.loss_share is None else f" ({report.loss_share:.1%})"
    click.echo(f"loss: {report.rule}")
    for note in report.notes:
        click.echo(f"note: {note}")
    print_table(
        ("examples", "tokens", "with loss", "per example: fewest", "median", "most", "longest example"),
        [
            (
                *(report.examples, report.tokens, f"{report.loss_tokens}{share}"),
                *(report.minimum, report.median, report.maximum, report.longest),
            )
        ],
    )
    if report.faults:
        click.echo("")
        print_table(
            ("fault", "examples", "what it means"),
            [(name, number, FAULTS[name]) for name, number in report.faults.items()],
        )
        click.echo("\nthe first examples of each fault")
        print_table(
            ("example", "tokens", "with loss", "fault", "detail"),
            [
                (one.number, one.tokens, one.loss_tokens, name, detail)
                for one in report.offenders
                for name, detail in one.faults.items()
            ],
        )
    for example in report.shown:
        click.echo(f"\nexample {example.number}: ⟦with loss⟧ ⟪cut off⟫")
        click.echo("".join(_marked(kind, text) for kind, text in example.stretches))


def _marked(kind: str, text: str) -> str:
    """A stretch in its brackets; brackets and line breaks of its own are shown as what they are."""
    for bracket in "⟦⟧⟪⟫":
        text = text.replace(bracket, f"⟨U+{ord(bracket):04X}⟩")
    text = text.replace("\t", "⇥").replace("\n", "↵\n")
    return {"context": text, "loss": f"⟦{text}⟧", "cut": f"⟪{text}⟫"}[kind]
