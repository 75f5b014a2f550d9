"""The stages as Inspect AI tasks.

``inspect eval counterpoise/crass -T stage=graph --model ...`` runs one stage of one dataset; :func:`ask` runs many of
them for a diagnosis run and hands over a row for each. The case travels in the sample's metadata, so a log can be
scored again.
"""

import os
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Optional

from inspect_ai import Task, task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    Model,
    ResponseSchema,
)
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import JSONSchema

from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.datasets import load
from counterpoise.counterfactual.diagnose import DiagnoseConfig, Item, items_of, select
from counterpoise.counterfactual.metrics import summarise
from counterpoise.counterfactual.score import DiagnosisRow, row
from counterpoise.counterfactual.stages import build_messages, gold_answer, max_tokens, render, schema
from counterpoise.errors import DataError, OutputError, RunError
from counterpoise.lm.protocol import Completion, Message

__all__ = ["arithmetic", "ask", "crass", "scm_math", "scm_text"]

Keep = Callable[[DiagnosisRow], None]


@task
def scm_text(stage: str = "answer", elicit: str = "direct", limit: int | None = None, seed: int = 0) -> Task:
    """Generated stories with a causal model that was run."""
    return _dataset_task("scm-text", stage, elicit, limit, seed, None)


@task
def scm_math(stage: str = "answer", elicit: str = "direct", limit: int | None = None, seed: int = 0) -> Task:
    """Generated equation systems that were solved."""
    return _dataset_task("scm-math", stage, elicit, limit, seed, None)


@task
def crass(
    stage: str = "answer", elicit: str = "direct", limit: int | None = None, seed: int = 0, data: str | None = None
) -> Task:
    """CRASS: what would have happened if."""
    return _dataset_task("crass", stage, elicit, limit, seed, data)


@task
def arithmetic(
    stage: str = "answer", elicit: str = "direct", limit: int | None = None, seed: int = 0, data: str | None = None
) -> Task:
    """Addition in another base."""
    return _dataset_task("arithmetic", stage, elicit, limit, seed, data)


def ask(
    items: Sequence[Item],
    model: Model,
    *,
    config: DiagnoseConfig,
    run: str,
    keep: Callable[[DiagnosisRow], None],
    logs: Path,
) -> None:
    """Put items to a model through Inspect and hand over each row as soon as it is scored.

    Args:
        items: what to ask; one Inspect task per dataset and stage.
        model: an Inspect model.
        config: of the run the rows belong to.
        run: id of that run.
        keep: called with each finished row.
        logs: folder for Inspect's logs.

    Raises:
        KeyboardInterrupt: the evaluation was cancelled.
        OutputError: the disk is full.
        RunError: Inspect could not finish.
    """
    failures: list[Exception] = []

    def keep_or_remember(finished: DiagnosisRow) -> None:
        # Inspect records a scorer's error in its log and goes on; after a full disk nothing more is written.
        if failures:
            raise failures[0]
        try:
            keep(finished)
        except Exception as error:
            failures.append(error)
            raise

    tasks = [
        _task(list(group), elicit=config.elicit, model=config.model, run=run, seed=config.seed, keep=keep_or_remember)
        for _, group in groupby(items, key=lambda item: (item.case.dataset, item.stage))
    ]
    results = inspect_eval(
        tasks,
        model=model,
        log_dir=str(logs),
        display="none",
        max_tasks=len(tasks),
        # The local engine fills its batch from the calls in flight, and Inspect would begin with few of them.
        max_connections=model.api.max_connections(),
        fail_on_error=False,
        score_display=False,
    )
    if failures:
        raise failures[0]
    for log in results:
        if log.status == "cancelled":
            raise KeyboardInterrupt
        reason = log.error.message if log.error else "no reason given"
        if log.status == "error" and "No space left on device" in reason:
            raise OutputError(f"the disk of {logs} is full", fix="free it, then run the same command again to resume")
        if log.status == "error":
            raise RunError(f"Inspect could not finish: {reason}")


def _dataset_task(name: str, stage: str, elicit: str, limit: int | None, seed: int, data: str | None) -> Task:
    config = DiagnoseConfig.checked(
        model="inspect", datasets=[name], stages=[stage], limit=limit, elicit=elicit, seed=seed
    )
    folder = data or os.environ.get("COUNTERPOISE_DATA")
    cases = [case for case in load(name, Path(folder) if folder else None).cases if config.stages[0] in case.stages]
    items = items_of(select(cases, limit, seed), config.stages)
    if not items:
        raise DataError(f"no case of {name!r} has gold for stage {stage!r}")
    return _task(items, elicit=elicit, model=None, run="inspect", seed=seed, keep=lambda _: None)


def _task(
    items: Sequence[Item],
    *,
    elicit: str,
    model: str | None,
    run: str,
    seed: int,
    keep: Callable[[DiagnosisRow], None],
) -> Task:
    first = items[0]
    return Task(
        name=f"{first.case.dataset}-{first.stage}",
        dataset=MemoryDataset([_sample(item, elicit) for item in items], name=first.case.dataset),
        solver=complete(first.stage, elicit, seed),
        scorer=stage_scorer(first.stage, elicit, model, run, keep),
        version=1,
    )


def _sample(item: Item, elicit: str) -> Sample:
    messages = build_messages(item.case, item.stage, elicit=elicit)
    return Sample(
        id=item.case.id,
        input=[_chat_message(message) for message in messages],
        target=render(item.stage, gold_answer(item.case, item.stage)),
        metadata={"case": item.case.model_dump(mode="json")},
    )


def _chat_message(message: Message) -> ChatMessage:
    match message["role"]:
        case "system":
            return ChatMessageSystem(content=message["content"])
        case "user":
            return ChatMessageUser(content=message["content"])
        case "assistant":
            return ChatMessageAssistant(content=message["content"])


def _case(state: TaskState) -> Case:
    return Case.model_validate(state.metadata["case"])


@solver
def complete(stage: Stage, elicit: str, seed: int) -> Solver:
    """Ask the model once, with the stage's schema; a failing model is remembered for the scorer."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        shape = _BoundedSchema.model_validate(schema(_case(state), stage, elicit=elicit))
        try:
            return await generate(
                state,
                max_tokens=max_tokens(stage, elicit=elicit),
                temperature=0.0,
                seed=seed,
                response_schema=ResponseSchema(name=str(stage), json_schema=shape, strict=True),
            )
        except Exception as error:
            state.store.set("model_error", f"{type(error).__name__}: {error}")
            return state

    return solve


@metric
def headline() -> Metric:
    """The stage's metric over all samples: micro-F1 for variables and edges, accuracy elsewhere; with its interval."""

    def compute(scores: list[SampleScore]) -> Value:
        (summary,) = summarise([sample.score.metadata["row"] for sample in scores if sample.score.metadata])
        estimate = summary.estimate
        return {
            "score": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "n": summary.n,
            "parse_failed": summary.parse_failed,
            "model_failed": summary.model_failed,
        }

    return compute


@scorer(metrics=[headline()])
def stage_scorer(
    stage: Stage, elicit: str, model: str | None, run: str, keep: Callable[[DiagnosisRow], None]
) -> Scorer:
    """Parse and score a completion; the score's metadata holds the whole row."""

    async def score(state: TaskState, target: Target) -> Score:
        finished = row(_case(state), stage, _completion(state), run=run, model=model or str(state.model), elicit=elicit)
        keep(finished)
        return Score(
            value=finished.score if finished.score is not None else float("nan"),
            answer=finished.completion,
            explanation=finished.reason,
            metadata={"row": finished.model_dump(mode="json")},
        )

    return score


def _completion(state: TaskState) -> Completion:
    output = state.output
    error = state.store.get("model_error") or output.error
    if error:
        return Completion(text="", finish="error", error=str(error), seconds=output.time or 0.0)
    return Completion(
        text=output.completion,
        input_tokens=output.usage.input_tokens if output.usage else 0,
        output_tokens=output.usage.output_tokens if output.usage else 0,
        finish="length" if output.stop_reason in ("max_tokens", "model_length") else "stop",
        seconds=output.time or 0.0,
    )


class _BoundedSchema(JSONSchema):
    """Inspect's schema with the bounds on arrays that it leaves out; without them a small model never ends a list."""

    items: Optional["_BoundedSchema"] = None
    properties: dict[str, "_BoundedSchema"] | None = None  # type: ignore[assignment]  # narrower, read only
    minItems: int | None = None
    maxItems: int | None = None
