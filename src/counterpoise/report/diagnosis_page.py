"""What the diagnosis section of the page shows, prepared for its templates: one subject a model of a run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.results.attribution import Attribution, StageCost
from counterpoise.counterfactual.results.elicitation_costs import CostMatch, ElicitationCost
from counterpoise.counterfactual.results.propagation import Propagation
from counterpoise.counterfactual.results.tools import ToolGain, ToolRecall
from counterpoise.report import charts
from counterpoise.report.lines import (
    MODES,
    ORACLE,
    STAGES,
    Baseline,
    StageLine,
    by_elicitation,
    main_lines,
    position,
)
from counterpoise.report.tables import Tables
from counterpoise.report.wording import attribution_titles
from counterpoise.statistics import Estimate

__all__ = ["Block", "Costs", "Elicitations", "Ladder", "Mistakes", "Step", "Subject", "Tools", "subjects"]


@dataclass(frozen=True, slots=True)
class Block:
    """The stage table of one mode and elicitation, with its heat map."""

    title: str
    datasets: tuple[tuple[str, tuple[StageLine, ...]], ...]
    baselines: tuple[str, ...]
    has_skill: bool
    chart: Markup


@dataclass(frozen=True, slots=True)
class Step:
    """One row of an attribution's table: a step down, and what is left after it."""

    cost: StageCost
    upto: str
    left: Estimate


@dataclass(frozen=True, slots=True)
class Ladder:
    """The table of one attribution, from the top down; without steps, what it lacks says why."""

    title: str
    of: Attribution
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Costs:
    """Attribution and propagated errors of one elicitation.

    Attributes:
        pooled_outcome: whether abduction is part of a pooled cost of the outcome.
        propagations: by dataset.
    """

    elicit: str
    waterfalls: Markup
    ladders: tuple[Ladder, ...]
    pooled_outcome: bool
    dumbbells: Markup
    propagations: tuple[tuple[str, tuple[Propagation, ...]], ...]


@dataclass(frozen=True, slots=True)
class Elicitations:
    """Score and cost of the elicitations in one mode; lines by dataset."""

    mode: str
    chart: Markup
    datasets: tuple[tuple[str, tuple[ElicitationCost, ...]], ...]
    matches: tuple[tuple[str, tuple[CostMatch, ...]], ...]


@dataclass(frozen=True, slots=True)
class Tools:
    """What tools are worth to the model, and what they find by themselves; both by dataset.

    Attributes:
        aided: whether the model was asked with tools at all.
    """

    aided: bool
    gains: tuple[tuple[str, tuple[ToolGain, ...]], ...]
    recalls: tuple[tuple[str, tuple[ToolRecall, ...]], ...]


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Confused roles and wrong edges."""

    roles: Markup
    edges: Markup
    graphs: tuple[tuple[str, tuple[StageLine, ...]], ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """Everything about one model of one run."""

    run: str
    model: str
    matchers: tuple[tuple[str, tuple[str, ...]], ...]
    baselines: tuple[str, ...]
    blocks: tuple[Block, ...]
    costs: tuple[Costs, ...]
    elicitations: tuple[Elicitations, ...]
    tools: Tools
    mistakes: Mistakes


def subjects(tables: Tables) -> list[Subject]:
    """The subjects of a report, in the order of its runs."""
    return [
        _subject(
            run,
            model,
            [line for line in tables.stages if (line.run, line.model) == (run, model)],
            [line for line in tables.attributions if (line.run, line.model) == (run, model)],
            [line for line in tables.propagations if (line.run, line.model) == (run, model)],
            [line for line in tables.elicitations if (line.run, line.model) == (run, model)],
            [line for line in tables.matches if (line.run, line.model) == (run, model)],
            _tools(run, model, tables),
        )
        for run, model in dict.fromkeys(
            [(line.run, line.model) for line in tables.stages] + [(one.run, one.model) for one in tables.attributions]
        )
    ]


def _subject(
    run: str,
    model: str,
    stages: Sequence[StageLine],
    attributions: Sequence[Attribution],
    propagations: Sequence[Propagation],
    elicitations: Sequence[ElicitationCost],
    matches: Sequence[CostMatch],
    tools: Tools,
) -> Subject:
    matchers: dict[str, dict[str, None]] = {}
    for line in stages:
        matchers.setdefault(line.matcher, {})[line.dataset] = None
    ways = {one.elicit for one in attributions} | {line.elicit for line in propagations}
    modes = dict.fromkeys(line.mode for line in elicitations)
    return Subject(
        run=run,
        model=model,
        matchers=tuple((matcher, tuple(datasets)) for matcher, datasets in matchers.items()),
        baselines=tuple(dict.fromkeys(b.name for line in stages for b in line.baselines)),
        blocks=_blocks(stages),
        costs=tuple(
            _costs(elicit, attributions, propagations, _floors(stages, elicit))
            for elicit in sorted(ways, key=by_elicitation)
        ),
        elicitations=tuple(
            _elicitations(mode, elicitations, matches) for mode in sorted(modes, key=lambda name: position(name, MODES))
        ),
        tools=tools,
        mistakes=_mistakes(stages),
    )


def _blocks(lines: Sequence[StageLine]) -> tuple[Block, ...]:
    groups: dict[tuple[str, str], list[StageLine]] = {}
    for line in lines:
        groups.setdefault((line.mode, line.elicit), []).append(line)
    return tuple(_block(mode, elicit, mine) for (mode, elicit), mine in groups.items())


def _block(mode: str, elicit: str, lines: Sequence[StageLine]) -> Block:
    names = dict.fromkeys(b.name for line in lines for b in line.baselines if b.name != ORACLE)
    oracle = [ORACLE] if any(b.name == ORACLE for line in lines for b in line.baselines) else []
    k = max(line.k for line in lines)
    return Block(
        title=f"{mode} mode, {elicit} elicitation{f' (k = {k})' if k > 1 else ''}",
        datasets=_by_dataset(sorted(lines, key=lambda line: position(line.stage, STAGES)), lines),
        baselines=(*names, *oracle),
        has_skill=any(line.skill is not None for line in lines),
        chart=Markup(charts.heat_map(lines)),
    )


def _by_dataset(
    lines: Sequence[StageLine], order: Iterable[StageLine]
) -> tuple[tuple[str, tuple[StageLine, ...]], ...]:
    names = dict.fromkeys(line.dataset for line in order)
    return tuple((name, tuple(line for line in lines if line.dataset == name)) for name in names)


def _floors(lines: Sequence[StageLine], elicit: str) -> dict[str, Baseline]:
    """The best baseline of each dataset's chained answer."""
    answers = [line for line in lines if (line.mode, line.stage, line.elicit) == ("chained", Stage.ANSWER, elicit)]
    return {line.dataset: line.floor for line in answers if line.floor is not None}


def _costs(
    elicit: str,
    attributions: Sequence[Attribution],
    propagations: Sequence[Propagation],
    floors: dict[str, Baseline],
) -> Costs:
    # What is pooled is the summary of the others, so it comes first.
    mine = sorted((one for one in attributions if one.elicit == elicit), key=lambda one: one.dataset != "")
    lines = [line for line in propagations if line.elicit == elicit]
    titles = attribution_titles(mine)
    return Costs(
        elicit=elicit,
        waterfalls=Markup(charts.waterfalls(mine, lines, floors)),
        ladders=tuple(Ladder(title, one, _steps(one)) for title, one in zip(titles, mine, strict=True)),
        pooled_outcome=any(one.abduction for one in mine) and any(not (one.dataset or one.abduction) for one in mine),
        dumbbells=Markup(charts.dumbbells(lines)),
        propagations=tuple(
            (name, tuple(line for line in lines if line.dataset == name))
            for name in dict.fromkeys(line.dataset for line in lines)
        ),
    )


def _steps(one: Attribution) -> tuple[Step, ...]:
    """From the top down: losing a step leaves the end result of the rung below it."""
    below = reversed(list(zip(one.costs, one.rungs, strict=True)))
    return tuple(Step(cost, rung.upto, rung.estimate) for cost, rung in below)


def _elicitations(mode: str, lines: Sequence[ElicitationCost], matches: Sequence[CostMatch]) -> Elicitations:
    mine = [line for line in lines if line.mode == mode]
    compared = [match for match in matches if match.mode == mode]
    names = dict.fromkeys(line.dataset for line in mine)
    return Elicitations(
        mode=mode,
        chart=Markup(charts.cost_panels(mine)),
        datasets=tuple((name, tuple(line for line in mine if line.dataset == name)) for name in names),
        matches=tuple(
            (name, tuple(match for match in compared if match.dataset == name))
            for name in names
            if any(match.dataset == name for match in compared)
        ),
    )


def _tools(run: str, model: str, tables: Tables) -> Tools:
    gains = [line for line in tables.tool_gains if (line.run, line.model) == (run, model)]
    recalls = [line for line in tables.tool_recalls if line.run == run]
    return Tools(
        aided=any("+" in line.elicit for line in tables.stages if (line.run, line.model) == (run, model)),
        gains=tuple(
            (name, tuple(line for line in gains if line.dataset == name))
            for name in dict.fromkeys(line.dataset for line in gains)
        ),
        recalls=tuple(
            (name, tuple(line for line in recalls if line.dataset == name))
            for name in dict.fromkeys(line.dataset for line in recalls)
        ),
    )


def _mistakes(lines: Sequence[StageLine]) -> Mistakes:
    main = main_lines(lines)
    return Mistakes(
        roles=Markup(charts.role_matrices([line for line in main if line.stage == Stage.VARIABLES])),
        edges=Markup(charts.wrong_edges([line for line in main if line.stage == Stage.GRAPH])),
        graphs=tuple(
            (name, found)
            for name, found in _by_dataset([line for line in lines if line.stage == Stage.GRAPH], lines)
            if found
        ),
    )
