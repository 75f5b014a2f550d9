"""Both main jobs on the embedded model, small enough for two cores, from texts that ship with the package."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from counterpoise.report.tables import Tables, to_json

__all__ = ["MODEL", "Quickstart", "run_quickstart"]

MODEL = "embedded/smollm2"
DATASETS = ("scm-text", "scm-math")
CASES = 10
"""Cases per dataset."""

ReportProgress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Quickstart:
    """What a quickstart left behind.

    Attributes:
        report: the HTML report.
        tables: what the report tabulates.
        seconds: wall time per step.
    """

    report: Path
    tables: Tables
    seconds: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """The same as JSON types."""
        return {"report": str(self.report), "seconds": self.seconds, "tables": to_json(self.tables)}


def run_quickstart(out: Path, *, progress: ReportProgress) -> Quickstart:
    """Diagnose, curate, attack and defend the embedded model, then write one report about all of it.

    Each step has its own run folder below ``out``; what is finished is not done again.

    Raises:
        UsageError: the embedded models or the training extra are not installed.
        OutputError: ``out`` cannot be written.
    """
    from counterpoise.report.html import write

    steps = {"diagnose": _diagnose, "curate": _curate, "lab": _lab}
    seconds = {}
    for name, step in steps.items():
        started = time.perf_counter()
        step(out / name, progress)
        write([out / name], out / name / "report.html")
        seconds[name] = round(time.perf_counter() - started, 1)
    tables = write([out / name for name in steps], out / "report.html")
    return Quickstart(out / "report.html", tables, seconds)


def _diagnose(out: Path, progress: ReportProgress) -> None:
    from counterpoise.counterfactual.diagnose import DiagnoseConfig, run_diagnosis

    config = DiagnoseConfig.checked(model=MODEL, datasets=DATASETS, limit=CASES)
    run_diagnosis(config, out, progress=progress)


def _curate(out: Path, progress: ReportProgress) -> None:
    from counterpoise.curation.curate import CurateConfig, curate
    from counterpoise.curation.helpfulness import Helpfulness
    from counterpoise.curation.inputs import read_texts
    from counterpoise.lm.embedding import open_embedder
    from counterpoise.lm.names import open_model

    with _builtin("commonsense.jsonl") as path:
        texts = read_texts(path)
    config = CurateConfig(rounds=1, beam=1, temperatures=(0.2, 0.6), top_ps=(0.8, 0.95), max_tokens=48)
    lm = open_model(MODEL)
    curate(texts, lm, lm, Helpfulness(open_embedder("embedded/minilm")), config, out, progress=progress)


def _lab(out: Path, progress: ReportProgress) -> None:
    from counterpoise.customization.lab import run_lab
    from counterpoise.customization.plan import load_plan

    with _builtin("quickstart.yaml") as path:
        plan = load_plan(path, curated=out.parent / "curate" / "curated.jsonl")
    run_lab(plan, out, progress=progress)


def _builtin(name: str) -> Any:
    return resources.as_file(resources.files("counterpoise.customization") / "builtin" / name)
