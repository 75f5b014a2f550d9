"""A slice of the counterfactual diagnosis: a few executed cases through every stage, before and after.

A defence, or an attack, that costs a model its reasoning shows here by stage. The cases are generated from structural
causal models that are run, so no data is needed and the gold is exact.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.datasets import get
from counterpoise.counterfactual.diagnose import DiagnoseConfig, row_key, run_diagnosis
from counterpoise.counterfactual.results.metrics import summarise
from counterpoise.errors import UnknownNameError
from counterpoise.lm.protocol import LanguageModel
from counterpoise.records import read_jsonl
from counterpoise.statistics import mean, paired_bootstrap

__all__ = ["ReasoningSettings", "reasoning_changes", "reasoning_rates", "reasoning_slice"]

Progress = Callable[[int, int, str], None]
"""Called with rows done, rows in all and what they are."""


class ReasoningSettings(BaseModel):
    """Which part of the diagnosis is run.

    Attributes:
        datasets: names of datasets of text.
        stages: the stages that are measured, each given the gold of those before it.
        limit: cases per dataset, drawn by the seed.
        seed: of the choice of cases.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    datasets: tuple[str, ...] = ("scm-text", "scm-math")
    stages: tuple[Stage, ...] = (Stage.VARIABLES, Stage.GRAPH, Stage.INTERVENTION, Stage.OUTCOME, Stage.ANSWER)
    limit: int = Field(default=5, ge=1)
    seed: int = 0

    @field_validator("datasets")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            try:
                get(name)
            except UnknownNameError as error:
                raise ValueError(str(error)) from error
        return value


def reasoning_slice(
    model: LanguageModel,
    settings: ReasoningSettings,
    out: Path,
    data: Path | None = None,
    *,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run, or resume, the slice and leave an ordinary diagnosis run in ``out``.

    Args:
        model: the model, already open.
        settings: which part of the diagnosis.
        out: folder of the diagnosis run.
        data: folder of downloaded datasets; the default datasets are generated and need none.
        progress: told of the stages asked.

    Returns:
        ``rates``: what :func:`reasoning_rates` gives for the rows.

    Raises:
        UsageError, RunError: as :func:`~counterpoise.counterfactual.diagnose.run_diagnosis`.
    """
    config = DiagnoseConfig.checked(
        model=model.name,
        datasets=settings.datasets,
        stages=settings.stages,
        limit=settings.limit,
        seed=settings.seed,
    )
    from counterpoise.lm.hosted import InspectLM

    # A hosted model is Inspect's own, which paces its calls.
    held = None if isinstance(model, InspectLM) else model
    run_diagnosis(config, out, data=data, model=held, progress=progress or (lambda *_: None))
    return {"rates": reasoning_rates(read_jsonl(out / "rows.jsonl"))}


def reasoning_rates(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The headline metric of each dataset and stage.

    Returns:
        One entry each: ``dataset``, ``stage``, ``metric`` (its name), ``value``, ``low``, ``high`` (95 % interval),
        ``n``, ``clusters``, ``parse_failed``, ``model_failed`` (in the denominator, scored 0), ``unscored``.
    """
    return [
        {
            "dataset": found.dataset,
            "stage": str(found.stage),
            "metric": found.metric,
            **asdict(found.estimate),
            "parse_failed": found.parse_failed,
            "model_failed": found.model_failed,
            "unscored": found.unscored,
        }
        # Rows come in the order in which the model finished them.
        for found in summarise(sorted(rows, key=row_key))
    ]


def reasoning_changes(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], *, seed: int = 0
) -> list[dict[str, Any]]:
    """How the mean score of each stage differs between two models, case by case.

    Args:
        before: rows of the earlier or undefended model's slice.
        after: rows of the other's.
        seed: of the bootstrap.

    Returns:
        One entry for each dataset and stage that both have, and for each stage one with the dataset ``all``:
        ``dataset``, ``stage``, ``metric`` (``mean score``: of the variables and graph stages the mean of the cases'
        F1), ``value`` (after minus before), ``low``, ``high``, ``n``, ``clusters`` and ``dropped`` (cases scored on one
        side only).
    """
    first, second = _scores(before), _scores(after)
    places = {(row["dataset"], row["stage"]) for row in second.values()}
    stages = [str(stage) for stage in Stage if any(stage == there for _, there in places)]
    datasets = [*dict.fromkeys(row["dataset"] for row in second.values()), "all"]
    return [
        entry
        for dataset in datasets
        for stage in stages
        if (entry := _change(first, second, dataset, stage, seed)) is not None
    ]


Scores = Mapping[str, Mapping[str, Any]]


def _scores(rows: Iterable[Mapping[str, Any]]) -> Scores:
    """Rows by what they are about, whatever the model's name."""
    return {row_key({**row, "model": ""}): row for row in rows}


def _change(first: Scores, second: Scores, dataset: str, stage: str, seed: int) -> dict[str, Any] | None:
    def here(rows: Scores) -> set[str]:
        return {key for key, row in rows.items() if row["stage"] == stage and dataset in (row["dataset"], "all")}

    either = here(first) | here(second)
    shared = sorted(
        key for key in here(first) & here(second) if None not in (first[key]["score"], second[key]["score"])
    )
    if not shared:
        return None
    difference = paired_bootstrap(
        [(first[key]["score"], 1.0) for key in shared],
        [(second[key]["score"], 1.0) for key in shared],
        [f"{second[key]['dataset']}|{second[key]['cluster']}" for key in shared],
        mean,
        seed=seed,
    )
    return {
        "dataset": dataset,
        "stage": stage,
        "metric": "mean score",
        **asdict(difference),
        "dropped": len(either) - len(shared),
    }
