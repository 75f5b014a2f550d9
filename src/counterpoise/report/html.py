"""One self-contained HTML page about any number of runs: no script, no request, nothing a model wrote left unescaped.

Three layers keep foreign text harmless. Every value that a template prints passes through
:func:`~counterpoise.report.visible.visible`, then the template engine escapes it, and the page's content security
policy forbids scripts, frames, forms and every request, should the first two ever fail.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from counterpoise import __version__
from counterpoise.records import write_atomic
from counterpoise.report import charts
from counterpoise.report.folders import Run, read_runs
from counterpoise.report.headlines import Headline, difference, headlines, interval, percent, points, score
from counterpoise.report.lines import CHECKPOINTS, ORACLE, STAGES, CurationLine, RateLine, StageLine, arm_title
from counterpoise.report.samples import sample_groups
from counterpoise.report.tables import Tables, tables_from
from counterpoise.report.visible import visible

__all__ = ["build", "write"]

_TEMPLATES = Path(__file__).parent / "templates"

_TITLES = {
    (True, False): "Where what-if reasoning breaks",
    (False, True): "Safety under customization",
    (True, True): "What-if reasoning and safety under customization",
}


def write(folders: Sequence[Path], out: Path) -> None:
    """Write the report of some run folders to one file; an existing file is replaced as a whole or not at all.

    Raises:
        DataError: as :func:`build`.
        OutputError: the file cannot be written.
    """
    write_atomic(out, build(folders))


def build(folders: Sequence[Path]) -> str:
    """The report of some run folders as one HTML document.

    Args:
        folders: run folders of any kinds; a half without a folder is left out, a run without rows says so.

    Raises:
        DataError: no folder was given, one holds no run, or a row is not one of its kind of run.
    """
    runs = read_runs(folders)
    return render(runs, tables_from(runs))


def render(runs: Sequence[Run], tables: Tables) -> str:
    """The document for runs that have been read and tabulated."""
    kinds = {run.kind for run in runs}
    page = _environment().get_template("page.html.j2")
    return page.render(
        version=__version__,
        title=_TITLES[kinds >= {"diagnose"}, bool(kinds - {"diagnose"})],
        style=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),
        runs=[_provenance(run) for run in runs],
        kinds=kinds,
        headlines=_by_half(headlines(tables)),
        tables=tables,
        diagnoses=_diagnoses(tables.stages),
        stage_chart=Markup(charts.stage_intervals(tables.stages)) if tables.stages else "",
        curations=[_curation(line) for line in tables.curation],
        gates=list(dict.fromkeys(gate for line in tables.curation for gate, _ in line.rejected)),
        rate_groups=_rate_groups(tables.rates),
        rate_charts=_rate_charts(tables.rates),
        samples={run.id: sample_groups(run) for run in runs},
        oracle=ORACLE,
    )


@dataclass(frozen=True, slots=True)
class _Provenance:
    """A run as the page's header names it."""

    id: str
    kind: str
    folder: str
    model: str
    revision: str
    seed: str
    state: str
    rows: int
    started: str
    finished: str
    software: str
    warnings: tuple[str, ...]
    config: str
    facts: str


@dataclass(frozen=True, slots=True)
class _Diagnosis:
    """The stage lines of one run, model, mode and elicitation, with their heat map."""

    title: str
    datasets: tuple[tuple[str, tuple[StageLine, ...]], ...]
    baselines: tuple[str, ...]
    has_skill: bool
    chart: Markup


@dataclass(frozen=True, slots=True)
class _Curation:
    line: CurationLine
    rejected: dict[str, int]
    chart: Markup


@dataclass(frozen=True, slots=True)
class _RateRow:
    """A checkpoint with the rate of each column; ``None`` where it was not measured."""

    checkpoint: str
    seeds: int
    cells: tuple[RateLine | None, ...]


@dataclass(frozen=True, slots=True)
class _Arm:
    """The checkpoints of one arm in one phase."""

    title: str
    rows: tuple[_RateRow, ...]


@dataclass(frozen=True, slots=True)
class _RateGroup:
    """The rates of one run; columns are (metric, prompt set), judges (metrics, judge, agreement)."""

    run: str
    model: str
    judges: tuple[tuple[tuple[str, ...], str, str | None], ...]
    columns: tuple[tuple[str, str], ...]
    arms: tuple[_Arm, ...]


def _by_half(said: Sequence[Headline]) -> dict[str, list[str]]:
    halves: dict[str, list[str]] = {}
    for half, sentence in said:
        halves.setdefault(half, []).append(sentence)
    return halves


def _provenance(run: Run) -> _Provenance:
    manifest = run.manifest
    # What the kinds of run call it: a diagnosis its model, a lab run its plan's, a curation its reviser and target.
    plan = manifest.config.get("plan")
    said = (plan if isinstance(plan, dict) else {}) | manifest.config | manifest.facts
    parts = [said[name] for name in ("reviser", "target") if isinstance(said.get(name), dict)]
    facts = {name: value for name, value in manifest.facts.items() if name != "summary"}  # the page's tables
    packages = ", ".join(f"{name} {version}" for name, version in sorted(manifest.packages.items()))
    software = f"counterpoise {manifest.counterpoise}, Python {manifest.python}, {manifest.platform}"
    return _Provenance(
        id=run.id,
        kind=manifest.kind,
        folder=run.folder,
        model=_joined(said.get("model"), *(part.get("name") for part in parts)),
        revision=_joined(said.get("revision"), *(part.get("revision") for part in parts)),
        seed=_joined(said.get("seed"), *(said["seeds"] if isinstance(said.get("seeds"), list) else ())),
        state=manifest.state,
        rows=len(run.rows),
        started=manifest.started,
        finished=manifest.finished or "",
        software=f"{software}, {packages}" if packages else software,
        warnings=tuple(manifest.warnings),
        config=_pretty(manifest.config),
        facts=_pretty(facts) if facts else "",
    )


def _joined(*values: object) -> str:
    """The distinct values that say something, with commas between them."""
    return ", ".join(dict.fromkeys(str(value) for value in values if isinstance(value, str | int)))


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def _diagnoses(lines: Sequence[StageLine]) -> list[_Diagnosis]:
    groups: dict[tuple[str, ...], list[StageLine]] = {}
    for line in lines:
        groups.setdefault((line.run, line.model, line.mode, line.elicit), []).append(line)
    found = []
    for (_, model, mode, elicit), mine in groups.items():
        mine.sort(key=lambda line: _rank(line.stage, STAGES))
        datasets = dict.fromkeys(line.dataset for line in lines if line in mine)
        names = dict.fromkeys(b.name for line in mine for b in line.baselines if b.name != ORACLE)
        oracle = [ORACLE] if any(b.name == ORACLE for line in mine for b in line.baselines) else []
        found.append(
            _Diagnosis(
                title=f"{model}, {mode} mode, {elicit} elicitation",
                datasets=tuple((name, tuple(line for line in mine if line.dataset == name)) for name in datasets),
                baselines=(*names, *oracle),
                has_skill=any(line.skill is not None for line in mine),
                chart=Markup(charts.heat_map(mine)),
            )
        )
    return found


def _curation(line: CurationLine) -> _Curation:
    return _Curation(line, dict(line.rejected), Markup(charts.perplexity_slopes(line)))


def _rate_groups(rates: Sequence[RateLine]) -> list[_RateGroup]:
    groups = []
    for run in dict.fromkeys(line.run for line in rates):
        mine = [line for line in rates if line.run == run]
        columns = tuple(dict.fromkeys((line.metric, line.prompt_set) for line in mine))
        arms = dict.fromkeys((line.phase, line.arm) for line in mine)
        groups.append(
            _RateGroup(
                run=run,
                model=mine[0].model,
                judges=tuple(
                    (tuple(dict.fromkeys(line.metric for line in mine if line.judge == judge)), judge, agreement)
                    for judge, agreement in dict.fromkeys((line.judge, line.agreement) for line in mine)
                ),
                columns=columns,
                arms=tuple(
                    _Arm(arm_title(*arm), _rate_rows([line for line in mine if (line.phase, line.arm) == arm], columns))
                    for arm in arms
                ),
            )
        )
    return groups


def _rate_rows(lines: Sequence[RateLine], columns: Sequence[tuple[str, str]]) -> tuple[_RateRow, ...]:
    rows = []
    checkpoints = dict.fromkeys(line.checkpoint for line in lines)
    for checkpoint in sorted(checkpoints, key=lambda name: _rank(name, CHECKPOINTS)):
        cells = {(line.metric, line.prompt_set): line for line in lines if line.checkpoint == checkpoint}
        seeds = max(line.seeds for line in cells.values())
        rows.append(_RateRow(checkpoint, seeds, tuple(cells.get(column) for column in columns)))
    return tuple(rows)


def _rate_charts(rates: Sequence[RateLine]) -> dict[str, list[tuple[str, Markup]]]:
    drawn: dict[str, list[tuple[str, Markup]]] = {}
    for run, metric, prompts in dict.fromkeys((line.run, line.metric, line.prompt_set) for line in rates):
        mine = [line for line in rates if (line.run, line.metric, line.prompt_set) == (run, metric, prompts)]
        drawn.setdefault(run, []).append((metric, Markup(charts.rate_dots(mine))))
    return drawn


def _rank(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "score": score,
        "interval": interval,
        "percent": percent,
        "points": points,
        "difference": difference,
        "number": lambda value, digits=1: "–" if value is None else f"{value:,.{digits}f}",
        "when": lambda value: value.replace("T", " ").replace("+00:00", " UTC"),
        "arm": lambda line: arm_title(line.phase, line.arm),
        "small": lambda value: "–" if value is None else f"{value:.3g}",
    }
    return environment


def _shown(value: Any) -> Any:
    """What a template prints for a value: markup as it is (it was escaped when made), all other text made visible."""
    return value if isinstance(value, Markup) else visible(str(value))
