"""The tables of a lab run and of a verification on a terminal: what comes first; the page has everything."""

from collections.abc import Iterable, Iterator, Sequence

from counterpoise.report.safety.grid import Grid, grid_of, verify_rows
from counterpoise.report.safety.lines import MODEL, RateLine, SafetyRun
from counterpoise.report.safety.saying import change_text, reading, value_text
from counterpoise.report.safety.titles import (
    gate_title,
    judge_agreement,
    metric_title,
    phase_title,
    place_title,
    whole_gates,
)
from counterpoise.report.tables import Tables
from counterpoise.report.wording import interval, p_value, points, score, shift, signed

__all__ = ["Table", "safety_tables"]

_SHOWN = ("safety_rate", "attack_success_rate", "over_refusal_rate", "accuracy")
"""What has room on a terminal."""

Table = tuple[str, Sequence[str], list[Sequence[str]], str]
"""Title, header, rows and a note."""


def safety_tables(tables: Tables) -> Iterator[Table]:
    """The tables of every lab run and verification; those without rows are left out by whoever prints them."""
    for run in tables.customization:
        yield from _lab(run)
    for run in tables.verification:
        yield from _verify(run)


def _lab(run: SafetyRun) -> Iterator[Table]:
    for attack in dict(run.main_ratios) or ("",):
        yield _grid(grid_of(run, attack), run)
    gates = list(whole_gates(run, "whole").values())
    rows: list[Sequence[str]] = [
        (
            *(
                place_title(gate.after),
                gate.after.attack,
                gate_title(gate.gate),
                gate.prompt_set,
                points(gate.estimate),
            ),
            *(str(gate.estimate.n), f"{signed(100 * gate.limit, 0)} points", gate.verdict),
        )
        for gate in gates
        if gate.verdict != "kept"
    ]
    header = ("defended", "attack", "gate", "prompts", "difference", "n", "limit", "verdict")
    kept = sum(gate.verdict == "kept" for gate in gates)
    yield "Gates that are broken or unclear, since alignment", header, rows, f"{kept} of {len(gates)} are kept"
    training: list[Sequence[str]] = [
        (
            *(t.arm, t.phase or "–", t.step),
            *(f"{value:,.0f}" for value in (t.examples, t.loss_tokens, t.defence_tokens)),
            *(f"{value:.3g}" for value in (t.epochs, t.learning_rate, t.loss_first, t.loss_last)),
        )
        for t in run.training
    ]
    numbers = ("examples", "loss tokens", "defence tokens", "epochs", "rate", "first loss", "last loss")
    yield "Training", ("arm", "phase", "step", *numbers), training, ""


def _grid(grid: Grid, run: SafetyRun) -> Table:
    columns = [column for column in grid.columns if column.what.metric in _SHOWN]
    shown = [number for number, column in enumerate(grid.columns) if column in columns]
    rows: list[Sequence[str]] = []
    for block in grid.blocks:
        for row in block.rows:
            defended = "" if block.title == phase_title("none") else f" {block.title}"
            gates = ["–" if gate is None else gate.verdict for gate in row.gates]
            rows.append((f"{row.title}{defended}", *(_cell(row.cells[number]) for number in shown), *gates))
    names = [f"{metric_title(column.what.metric)} [95 %]" for column in columns]
    header = ("checkpoint or arm", *names, *(f"gate {gate_title(name)}" for name in grid.gate_names))
    agreements = _agreements(column.line for column in columns)
    note = f"after each value n, and where there are such unreadable (in n) / unscored (outside n). {agreements}"
    return f"Customization: {grid.title or run.model}", header, rows, note


def _agreements(lines: Iterable[RateLine]) -> str:
    """The judges of some rates, with their agreement."""
    said: dict[str, list[str]] = {}
    for line in lines:
        known = judge_agreement(line)
        words = f"{line.what.judge} ({known})" if known else line.what.judge
        said.setdefault(words, []).append(metric_title(line.what.metric))
    return "; ".join(f"{', '.join(dict.fromkeys(metrics))}: {words}" for words, metrics in said.items())


def _cell(line: RateLine | None) -> str:
    if line is None:
        return "–"
    failed = f" {line.unreadable}/{line.unscored}" if line.unreadable or line.unscored else ""
    return f"{value_text(line.what, line.estimate)} {line.estimate.n}{failed}"


def _verify(run: SafetyRun) -> Iterator[Table]:
    rows: list[Sequence[str]] = []
    for row in verify_rows(run):
        rate, change = row.rate, row.change
        against = (
            ("–", "–", "–")
            if change is None
            else (change_text(change.what, change.estimate), p_value(change.p_value), reading(change))
        )
        rows.append(
            (
                *(metric_title(rate.what.metric), rate.what.prompt_set, value_text(rate.what, rate.estimate)),
                *(str(rate.estimate.n), f"{rate.unreadable}/{rate.unscored}", rate.what.judge),
                *((*against, "–" if row.gate is None else row.gate.verdict) if run.before else ()),
            )
        )
    compared = ("difference", "p", "reading", "gate") if run.before else ()
    header = ("measure", "prompts", "value [95 %]", "n", "failed*", "judge", *compared)
    note = (
        f"* unreadable (in n) / unscored (outside n). {_agreements(line for line in run.rates if line.place == MODEL)}"
    )
    against_title = f", against {run.before[1]}" if run.before else ""
    yield f"Verification: {run.model}{against_title}", header, rows, note
    changes = {(line.dataset, line.stage): line for line in run.reasoning_changes}
    thought: list[Sequence[str]] = [
        (
            *(
                line.dataset,
                line.stage,
                line.metric,
                f"{score(line.estimate.value)} {interval(line.estimate)}",
                str(line.estimate.n),
            ),
            *(
                (shift(found.estimate) if (found := changes.get((line.dataset, line.stage))) else "–",)
                if run.before
                else ()
            ),
        )
        for line in run.reasoning
        if line.place == MODEL
    ]
    yield (
        "Reasoning by stage",
        ("dataset", "stage", "measure", "score [95 %]", "n", *(("difference",) if run.before else ())),
        thought,
        "",
    )
