"""The tables of a report on a terminal."""

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from counterpoise.counterfactual.results.elicitation_costs import REFERENCE
from counterpoise.report.headlines import headlines
from counterpoise.report.lines import ORACLE
from counterpoise.report.safety.terminal import safety_tables
from counterpoise.report.tables import Tables
from counterpoise.report.visible import one_line
from counterpoise.report.wording import (
    attribution_titles,
    cost,
    difference,
    gold_given,
    interval,
    p_value,
    percent,
    score,
    shift,
    step_title,
)

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["show"]

_STANDING = {"above": "above baselines", "level": "at baseline level", "below": "below baseline", "unknown": ""}
_NARROWEST = 150
Cells = list[Sequence[str]]


def show(tables: Tables, console: "Console | None" = None) -> None:
    """Print every table that has lines, then the headlines; without any, one sentence that says so.

    Args:
        tables: what to print; names that come from files are made visible and never read as markup.
        console: where to; standard output by default, never narrower than the tables need when it is not a terminal.
    """
    from rich.console import Console

    if console is None:
        console = (
            Console() if sys.stdout.isatty() else Console(width=max(_NARROWEST, shutil.get_terminal_size().columns))
        )
    if tables == Tables():
        console.print("no rows yet", markup=False, highlight=False)
        return
    _stages(console, tables)
    _costs(console, tables)
    _elicitations(console, tables)
    _tools(console, tables)
    _curation(console, tables)
    for title, header, rows, note in safety_tables(tables):
        _table(console, title, header, rows, note)
    for half, said in headlines(tables):
        console.print(one_line(f"{half}: {said}", 2000), markup=False, highlight=False)


def _stages(console: "Console", tables: Tables) -> None:
    note = "* parse failed / model failed (both score 0 and stay in n) / unscored (outside n)"
    groups = dict.fromkeys((line.run, line.model, line.mode, line.elicit) for line in tables.stages)
    for group in groups:
        lines = [line for line in tables.stages if (line.run, line.model, line.mode, line.elicit) == group]
        floors = list(dict.fromkeys(b.name for line in lines for b in line.baselines if b.name != ORACLE))
        rows: Cells = []
        for line in lines:
            levels = {baseline.name: baseline.estimate.value for baseline in line.baselines}
            failed = line.failures
            rows.append(
                (
                    line.dataset,
                    line.stage,
                    line.metric,
                    f"{score(line.estimate.value)} {interval(line.estimate)}",
                    str(line.estimate.n),
                    f"{failed.parse_failed}/{failed.model_failed}/{failed.unscored}",
                    *(score(levels.get(name)) for name in floors),
                    "" if line.skill is None else score(line.skill),
                    _STANDING[line.standing],
                )
            )
        header = ("dataset", "stage", "measure", "score [95 %]", "n", "failed*", *floors, "skill", "standing")
        _table(console, f"Diagnosis: {', '.join(group[1:])}", header, rows, note)


def _costs(console: "Console", tables: Tables) -> None:
    for run, model, elicit in dict.fromkeys((one.run, one.model, one.elicit) for one in tables.attributions):
        mine = [one for one in tables.attributions if (one.run, one.model, one.elicit) == (run, model, elicit)]
        rows: Cells = []
        for title, one in zip(attribution_titles(mine), mine, strict=True):
            for step, rung in reversed(list(zip(one.costs, one.rungs, strict=True))):
                left = f"{score(rung.estimate.value)} {interval(rung.estimate)}"
                tests = (p_value(step.p), p_value(step.p_holm))
                cases = (str(one.n), str(one.left_out))
                rows.append(
                    (title, step_title(step.stage), cost(step.estimate), *tests, gold_given(rung.upto), left, *cases)
                )
            if not one.costs:
                lacking = ", ".join(gold_given(rung) for rung in one.missing) or "some rung of each case"
                rows.append((title, "not computed", "–", "–", "–", f"missing: {lacking}", "–", "0", str(one.left_out)))
        header = ("dataset", "step", "cost [95 %]", "p", "p Holm", "without it", "end result [95 %]", "n", "left out")
        _table(console, f"Costs of the stages: {model}, {elicit}", header, rows)
    passed: Cells = [
        (
            *(line.model, line.elicit, line.dataset, line.stage, line.metric),
            *(f"{score(side.value)} {interval(side)}" for side in (line.isolated, line.chained)),
            *(shift(line.difference), str(line.difference.n), str(line.left_out)),
        )
        for line in tables.propagations
    ]
    measured = ("isolated [95 %]", "chained [95 %]", "difference", "n", "left out")
    names = ("model", "elicitation", "dataset", "stage", "measure", *measured)
    _table(console, "Errors that are passed on: chained minus isolated, same cases", names, passed)


def _elicitations(console: "Console", tables: Tables) -> None:
    spent: Cells = [
        (
            *(line.model, line.dataset, line.mode, line.stage, line.elicit, str(line.k)),
            *(f"{score(line.score.value)} {interval(line.score)}", str(line.score.n)),
            *(f"{tokens:,.0f}" for tokens in (line.input_tokens, line.output_tokens)),
        )
        for line in tables.elicitations
    ]
    place = ("model", "dataset", "mode", "stage", "elicitation")
    header = (*place, "k", "mean score [95 %]", "n", "tokens in", "tokens out")
    _table(console, "Elicitations and their cost per case", header, spent)
    matched: Cells = [
        (
            *(line.model, line.dataset, line.mode, line.stage, line.elicit),
            *(f"{line.output_tokens or 0:,.0f}", "–" if line.k is None else str(line.k)),
            *("–" if line.matched_tokens is None else f"{line.matched_tokens:,.0f}", shift(line.difference)),
            *(str(line.score.n), "–" if line.reached_by is None else str(line.reached_by)),
        )
        for line in tables.matches
    ]
    compared = (*place, "tokens out", f"k of {REFERENCE}", "its tokens out", "difference", "n", "reached by k")
    _table(console, f"At equal cost: against {REFERENCE} that writes no more", compared, matched)


def _tools(console: "Console", tables: Tables) -> None:
    place = ("dataset", "mode", "stage", "measure", "elicitation", "use")
    header = (*place, "with [95 %]", "without [95 %]", "gain [95 %]", "n", "failed*", "left out")
    note = "* answers with tools that could not be read or never came; they score 0 and stay in n"
    for run, model in dict.fromkeys((line.run, line.model) for line in tables.tool_gains):
        gains: Cells = [
            (
                *(line.dataset, line.mode, line.stage, line.metric, line.elicit, line.use),
                *(f"{score(side.value)} {interval(side)}" for side in (line.with_tools, line.without)),
                *(shift(line.gain), str(line.gain.n), str(line.failed), str(line.left_out)),
            )
            for line in tables.tool_gains
            if (line.run, line.model) == (run, model)
        ]
        _table(console, f"Tools: {model}, with minus without, same elicitation and cases", header, gains, note)
    for run in dict.fromkeys(line.run for line in tables.tool_recalls):
        found: Cells = [
            (
                *(line.dataset, line.tool, str(line.role), f"{score(line.recall.value)} {interval(line.recall)}"),
                *(str(line.variables), str(line.recall.n)),
            )
            for line in tables.tool_recalls
            if line.run == run
        ]
        names = ("dataset", "tool", "role", "recall [95 %]", "gold variables", "cases")
        _table(console, f"What the tool finds by itself: {run}", names, found)


def _curation(console: "Console", tables: Tables) -> None:
    rows: Cells = [
        (
            line.run,
            line.objective,
            str(line.texts),
            percent(line.passed),
            "–" if line.before is None else f"{line.before:.1f}",
            "–" if line.after is None else f"{line.after:.1f}",
            difference(line.change),
            f"{score(line.helpfulness.value)} {interval(line.helpfulness)}",
            percent(line.keyword_coverage),
            ", ".join(f"{gate} {n}" for gate, n in line.rejected) or "none",
        )
        for line in tables.curation
    ]
    header = (
        "run",
        "objective",
        "texts",
        "revised",
        "before",
        "after",
        "difference",
        "helpfulness",
        "keywords",
        "rejected",
    )
    _table(console, "Curation (median perplexity before and after)", header, rows)


def _table(console: "Console", title: str, header: Sequence[str], rows: Cells, note: str = "") -> None:
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(title=Text(one_line(title)), title_justify="left", box=None, pad_edge=False, title_style="bold")
    for name in header:
        # Values are kept whole; names and lists may wrap where the terminal is narrow.
        table.add_column(Text(name), no_wrap="95 %" in name or name in ("standing", "difference"))
    for row in rows:
        # Text, not markup: a name may hold brackets.
        table.add_row(*(Text(one_line(cell, 60)) for cell in row))
    console.print(table)
    if note:
        console.print(one_line(note, 800), markup=False, highlight=False, style="dim")
    console.print()
