"""Commands about the judges of completions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from counterpoise.cli.options import data_option, json_option, require_folder, seed_option
from counterpoise.cli.printing import print_json, print_table

__all__ = ["judge"]


@click.group()
def judge() -> None:
    """What decides whether a completion refuses, complies, helps or harms."""


@judge.command("list")
@json_option
def judge_list(as_json: bool) -> None:
    """List the judges."""
    from counterpoise.safety.judges import known_agreement
    from counterpoise.safety.judges.registry import EMBEDDED_JUDGES, JUDGES

    known = {name: known_agreement(entry.version) for name, entry in JUDGES.items()}
    if as_json:
        print_json(
            [
                {
                    "name": entry.name,
                    "default": entry.name == EMBEDDED_JUDGES[0],
                    "spec": entry.spec or None,
                    "needs": entry.needs or None,
                    "summary": entry.summary,
                    "version": entry.version or None,
                    "agreement": None if (found := known[name]) is None else found.model_dump(mode="json"),
                }
                for name, entry in JUDGES.items()
            ]
        )
        return
    print_table(
        ("judge", "", "needs", "kappa", "macro-F1", "what it does"),
        [
            (
                name
                if not entry.spec
                else f"{name}={entry.spec}"
                if entry.spec == "MODEL"
                else f"{name}[={entry.spec}]",
                "default" if name == EMBEDDED_JUDGES[0] else "",
                entry.needs or "nothing",
                _shown(found.kappa if (found := known[name]) else None),
                _shown(found.macro_f1 if found else None),
                entry.summary,
            )
            for name, entry in JUDGES.items()
        ],
    )


@judge.command("calibrate")
@click.option(
    "--judge", "names", multiple=True, help="A judge to measure; may be repeated. Default: the embedded ones."
)
@click.option("--labels", "file", type=click.Path(path_type=Path), help="Your own labelled completions, as CSV.")
@data_option
@seed_option
@json_option
def judge_calibrate(names: Sequence[str], file: Path | None, data: Path | None, seed: int, as_json: bool) -> None:
    """Measure how far judges agree with people, on the XSTest completions or on your own file."""
    from counterpoise.safety.benchmarks import xstest_completions
    from counterpoise.safety.judges.calibration import calibrate_judges, read_labels
    from counterpoise.safety.judges.registry import EMBEDDED_JUDGES

    if file is None:
        require_folder(data)
        labelled, source = xstest_completions(data), "XSTest completions of three models, human final_label"
    else:
        labelled, source = read_labels(file), file.name
    chosen = list(dict.fromkeys(names)) or list(EMBEDDED_JUDGES)
    found = calibrate_judges(chosen, labelled, source=source, held_out=file is None, seed=seed)
    if as_json:
        print_json([one.to_json() for one in found])
    else:
        _print_calibrated(found)


def _print_calibrated(found: Sequence[Any]) -> None:
    from counterpoise.safety.judges import LABELS
    from counterpoise.safety.judges.calibration import LEAVE_ONE_MODEL_OUT

    def spread(one: Any, name: str) -> str:
        value, bounds = getattr(one.agreement, name), one.agreement.intervals.get(name)
        return _shown(value) if bounds is None else f"{_shown(value)} [{_shown(bounds[0])}, {_shown(bounds[1])}]"

    def titled(one: Any) -> str:
        return str(one.judge) + ("*" if one.protocol == LEAVE_ONE_MODEL_OUT else "")

    print_table(
        ("judge", "macro-F1", "kappa", "refused or not: kappa", *(f"{label}: F1" for label in LABELS), "unscored"),
        [
            (
                titled(one),
                spread(one, "macro_f1"),
                spread(one, "kappa"),
                _shown(one.agreement.refusal_kappa),
                *(_shown(one.agreement.classes[label].f1) for label in LABELS),
                one.agreement.unscored,
            )
            for one in found
        ],
    )
    if found[0].by_source:
        click.echo("\nmacro-F1 and kappa on each model's completions")
        print_table(
            ("judge", *found[0].by_source),
            [
                (titled(one), *(f"{_shown(part.macro_f1)}  {_shown(part.kappa)}" for part in one.by_source.values()))
                for one in found
            ],
        )
    counts = ", ".join(f"{found[0].agreement.classes[label].n} {label}" for label in LABELS)
    click.echo(f"\n{found[0].agreement.n} completions ({counts}); 95 % intervals, by prompt")
    if any(one.protocol == LEAVE_ONE_MODEL_OUT for one in found):
        click.echo("* fitted anew without the completions of the model that is judged")


def _shown(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"
