"""A diagnosis run: which cases, which stages, what is still to be asked.

Inspect AI runs the model (:mod:`~counterpoise.counterfactual.tasks`); the rows are this module's. ``rows.jsonl`` is the
truth about what is done: a run that was killed asks only for what has no row yet.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from counterpoise.counterfactual.baselines import BASELINES
from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.datasets import get, load
from counterpoise.counterfactual.elicit import elicitation
from counterpoise.counterfactual.score import DiagnosisRow, row
from counterpoise.counterfactual.stages import PROMPT_VERSION
from counterpoise.errors import ConfigError, DataError, RunError, UnknownNameError
from counterpoise.lm.names import inspect_name
from counterpoise.lm.protocol import Completion
from counterpoise.records import RunFolder, canonical_json, content_hash, write_atomic
from counterpoise.rng import seed_for

__all__ = ["DiagnoseConfig", "Item", "items_of", "row_key", "run_diagnosis", "select"]

MODES = ("isolated",)
PACKAGES = ("inspect_ai", "transformers", "torch", "llguidance")

ReportProgress = Callable[[int, int, str], None]


class DiagnoseConfig(BaseModel):
    """What a diagnosis run asks.

    Attributes:
        model: as the user names it.
        datasets: registered names.
        stages: the stages to measure; those that a case has no gold for are left out for that case.
        limit: cases per dataset; ``None`` for all.
        mode: where a stage's input comes from.
        elicit: how an answer is elicited.
        seed: of the choice of cases, the random baseline and sampling.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    datasets: tuple[str, ...]
    stages: tuple[Stage, ...] = tuple(Stage)
    limit: int | None = Field(default=None, ge=1)
    mode: Literal["isolated"] = "isolated"
    elicit: str = "direct"
    seed: int = 0

    @classmethod
    def checked(
        cls,
        *,
        model: str,
        datasets: Sequence[str],
        stages: Sequence[str] | None = None,
        limit: int | None = None,
        mode: str = "isolated",
        elicit: str = "direct",
        seed: int = 0,
    ) -> Self:
        """A configuration from plain names.

        Raises:
            UnknownNameError: a dataset, stage, mode or elicitation that does not exist.
            ConfigError: a limit below 1.
        """
        if mode not in MODES:
            raise UnknownNameError("mode", mode, MODES)
        if limit is not None and limit < 1:
            raise ConfigError(f"limit is {limit}", expected="at least 1")
        for name in stages or ():
            if name not in set(Stage):
                raise UnknownNameError("stage", name, Stage)
        return cls(
            model=model,
            datasets=tuple(get(name).name for name in datasets),
            stages=tuple(stage for stage in Stage if stages is None or stage in stages),
            limit=limit,
            elicit=elicitation(elicit).name,
            seed=seed,
        )


@dataclass(frozen=True, slots=True)
class Item:
    """One stage of one case: what one row is about."""

    case: Case
    stage: Stage


def select(cases: Sequence[Case], limit: int | None, seed: int) -> list[Case]:
    """The cases of a run: all of them, or ``limit`` of them drawn by the seed.

    Cases with gold for more stages are drawn first, so that a small run measures every stage. The choice does not
    depend on the order of the file.
    """
    ranked = sorted(cases, key=lambda case: (-len(case.stages), seed_for(seed, "select", case.id), case.id))
    return ranked[:limit]


def items_of(cases: Sequence[Case], stages: Sequence[Stage]) -> list[Item]:
    """Every stage that is asked for and that a case has gold for, stage by stage."""
    return [Item(case, stage) for stage in Stage if stage in stages for case in cases if stage in case.stages]


def row_key(row: Mapping[str, Any]) -> str:
    """The identity of a diagnosis row within its run."""
    return "|".join(str(row[name]) for name in ("model", "dataset", "case_id", "stage", "mode", "elicit"))


def run_diagnosis(
    config: DiagnoseConfig, out: Path, *, data: Path | None = None, progress: ReportProgress = lambda *_: None
) -> None:
    """Run, or resume, a diagnosis and leave its rows in ``out``.

    Writes ``rows.jsonl`` (the model's rows), ``baselines.jsonl`` (the same cases answered without a model) and
    Inspect's logs below ``logs/``.

    Args:
        config: what to ask.
        out: the run folder.
        data: folder of downloaded datasets.
        progress: called with rows done, rows in all and what they are.

    Raises:
        DataError: a dataset is not there, or has no case for the stages asked for.
        UsageError: the model cannot be set up.
        OutputError: the folder is another run's, or cannot be written.
        RunError: Inspect could not finish; finished rows are kept.
    """
    from counterpoise.counterfactual.tasks import ask
    from counterpoise.lm.hosted import open_inspect_model

    loaded = {name: load(name, data) for name in config.datasets}
    items = [
        item
        for found in loaded.values()
        for item in items_of(select(found.cases, config.limit, config.seed), config.stages)
    ]
    if not items:
        raise DataError("no case has gold for these stages", where=", ".join(config.stages))
    model = open_inspect_model(inspect_name(config.model))
    settings = config.model_dump(mode="json") | {
        "prompt_version": PROMPT_VERSION,
        "cases": content_hash([item.case.hash for item in items]),
        # A hosted model's weights cannot be identified: its name is all there is.
        "revision": getattr(model.api, "revision", config.model),
    }
    with RunFolder.open(out, kind="diagnose", config=settings, packages=PACKAGES) as folder:
        for name, found in loaded.items():
            if found.rejects:
                folder.warn(f"{name}: {len(found.rejects)} items rejected; see counterpoise check-gold {name}")
        _write_baselines(folder, config, items)
        rows = folder.rows(key=row_key)
        pending = [item for item in items if _key(config, item) not in rows]
        what = f"diagnose {config.model}"

        def keep(row: DiagnosisRow) -> None:
            rows.append(row)
            progress(len(rows), len(items), what)

        if pending:
            progress(len(rows), len(items), what)
            ask(pending, model, config=config, run=folder.run, keep=keep, logs=out / "logs")
        if len(rows) < len(items):
            raise RunError(
                f"{len(items) - len(rows)} of {len(items)} items have no row; the same command again resumes"
            )
        folder.complete(rows=len(rows), cases={name: len(found.cases) for name, found in loaded.items()})


def _key(config: DiagnoseConfig, item: Item) -> str:
    return row_key(
        {
            "model": config.model,
            "dataset": item.case.dataset,
            "case_id": item.case.id,
            "stage": str(item.stage),
            "mode": config.mode,
            "elicit": config.elicit,
        }
    )


def _write_baselines(folder: RunFolder, config: DiagnoseConfig, items: Sequence[Item]) -> None:
    """The items answered by every baseline, through the same parser and scorer as the model's completions."""
    lines = []
    for item in items:
        for name, answer in BASELINES.items():
            baseline = row(
                item.case,
                item.stage,
                Completion(text=answer(item.case, item.stage, config.seed)),
                run=folder.run,
                model=f"baseline/{name}",
                mode=config.mode,
                elicit=config.elicit,
            )
            lines.append(canonical_json(baseline.model_dump(mode="json")))
    write_atomic(folder.path / "baselines.jsonl", "\n".join(lines) + "\n")
