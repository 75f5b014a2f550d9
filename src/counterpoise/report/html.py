"""One self-contained HTML page about any number of runs: no script, no request, nothing a model wrote left unescaped.

Three layers keep foreign text harmless. Every value that a template prints passes through
:func:`~counterpoise.report.visible.visible`, then the template engine escapes it, and the page's content security
policy forbids scripts, frames, forms and every request, should the first two ever fail.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from counterpoise import __version__
from counterpoise.records import write_atomic
from counterpoise.report import charts
from counterpoise.report.charts.drawing import sentence
from counterpoise.report.diagnosis_page import subjects
from counterpoise.report.folders import Run, read_runs
from counterpoise.report.headlines import Headline, headlines
from counterpoise.report.lines import ORACLE, CurationLine, main_lines
from counterpoise.report.safety.page import lab_view
from counterpoise.report.safety.saying import change_text, reading, value_parts, value_text
from counterpoise.report.safety.titles import (
    comparison_title,
    gate_title,
    judge_agreement,
    metric_title,
    pair_title,
    phase_title,
    place_title,
)
from counterpoise.report.safety.verify_page import verify_view
from counterpoise.report.samples import sample_groups
from counterpoise.report.tables import Tables, tables_from
from counterpoise.report.visible import visible
from counterpoise.report.wording import (
    cost,
    difference,
    direction,
    gold_given,
    interval,
    p_value,
    percent,
    points,
    score,
    shift,
    signed,
    step_title,
)

__all__ = ["build", "write"]

_TEMPLATES = Path(__file__).parent / "templates"

_TITLES = {
    (True, False): "Where what-if reasoning breaks",
    (False, True): "Safety under customization",
    (True, True): "What-if reasoning and safety under customization",
}


def write(folders: Sequence[Path], out: Path) -> Tables:
    """Write the report of some run folders to one file; an existing file is replaced as a whole or not at all.

    Returns:
        The tables of the report.

    Raises:
        DataError: as :func:`build`.
        OutputError: the file cannot be written.
    """
    runs = read_runs(folders)
    tables = tables_from(runs)
    write_atomic(out, render(runs, tables))
    return tables


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
    # What a section says in full is not said above too.
    said = {run.run: run.notes for run in tables.customization}
    page = _environment().get_template("page.html.j2")
    return page.render(
        version=__version__,
        title=_TITLES[kinds >= {"diagnose"}, bool(kinds - {"diagnose"})],
        style=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),
        runs=[_provenance(run, said.get(run.id, ())) for run in runs],
        kinds=kinds,
        headlines=_by_half(headlines(tables)),
        tables=tables,
        subjects=subjects(tables),
        stage_chart=Markup(charts.stage_intervals(main_lines(tables.stages))) if tables.stages else "",
        curations=[_curation(line) for line in tables.curation],
        gates=list(dict.fromkeys(gate for line in tables.curation for gate, _ in line.rejected)),
        labs=[lab_view(run) for run in tables.customization],
        verifications=[verify_view(run) for run in tables.verification],
        samples={run.id: sample_groups(run, runs) for run in runs},
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
class _Curation:
    line: CurationLine
    rejected: dict[str, int]
    chart: Markup


def _by_half(said: Sequence[Headline]) -> dict[str, list[str]]:
    halves: dict[str, list[str]] = {}
    for half, words in said:
        halves.setdefault(half, []).append(words)
    return halves


def _provenance(run: Run, said_below: Collection[str]) -> _Provenance:
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
        warnings=tuple(warning for warning in manifest.warnings if warning not in said_below),
        config=_pretty(manifest.config),
        facts=_pretty(facts) if facts else "",
    )


def _joined(*values: object) -> str:
    """The distinct values that say something, with commas between them."""
    return ", ".join(dict.fromkeys(str(value) for value in values if isinstance(value, str | int)))


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def _curation(line: CurationLine) -> _Curation:
    return _Curation(line, dict(line.rejected), Markup(charts.perplexity_slopes(line)))


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
        "cost": cost,
        "direction": direction,
        "capital": sentence,
        "shift": shift,
        "p": p_value,
        "step": step_title,
        "given": gold_given,
        "number": lambda value, digits=1: "–" if value is None else f"{value:,.{digits}f}",
        "when": lambda value: value.replace("T", " ").replace("+00:00", " UTC"),
        "metric": metric_title,
        "place": place_title,
        "phase": phase_title,
        "pair": lambda line: pair_title(line.before, line.after),
        "comparison": comparison_title,
        "gate": gate_title,
        "agreement": judge_agreement,
        "value": lambda line: value_text(line.what, line.estimate),
        "parts": lambda line: value_parts(line.what, line.estimate),
        "changed": lambda line: change_text(line.what, line.estimate),
        "reading": reading,
        "limit": lambda limit: f"{signed(100 * limit, 0)} points",
        "small": lambda value: "–" if value is None else f"{value:.3g}",
    }
    return environment


def _shown(value: Any) -> Any:
    """What a template prints for a value: markup as it is (it was escaped when made), all other text made visible."""
    return value if isinstance(value, Markup) else visible(str(value))
