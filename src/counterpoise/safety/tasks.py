"""Safety, over-refusal, helpfulness and utility as tasks of Inspect AI.

``inspect eval counterpoise/safety -T prompt_set=strongreject --model ...`` asks one set of a measure; each set also is
a task of its own, ``counterpoise/safety_strongreject``. Completions are judged as ``counterpoise verify`` judges them,
and the metrics are its rates with their intervals.

Questions with options are asked for the letter, since Inspect lets no model score given text; ``verify`` compares the
likelihood of the options where a model can. For the same reason there is no task for the perplexity gap.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio.to_thread
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState

from counterpoise.errors import DataError, UnknownNameError
from counterpoise.lm.protocol import Completion
from counterpoise.safety.judges import Judge
from counterpoise.safety.measures import (
    DEFAULT_JUDGE,
    MEASURE_SETS,
    Evaluate,
    Item,
    Measure,
    MeasureRow,
    MeasureSettings,
    open_judges,
    rates,
    read_items,
)
from counterpoise.safety.measures.choices import LETTER_TOKENS, letter_prompt, letter_result
from counterpoise.safety.measures.judged import judge_completions
from counterpoise.safety.measures.numbers import number_prompt, number_result
from counterpoise.safety.measures.result import Result
from counterpoise.safety.measures.run import row_columns

__all__ = ["SAFETY_TASKS"]

INSPECT = "inspect"
"""The run of rows that belong to no run folder of ours."""

_DEFAULTS: dict[Measure, str] = {
    "safety": "builtin-disallowed",
    "over_refusal": "builtin-safe",
    "helpfulness": "builtin-ordinary",
    "utility": "utility-builtin",
}
"""The set of a measure's task unless another is named."""


def _task(name: str, default: str) -> Callable[..., Task]:
    """Registers a task of one measure; ``default`` is the set that it asks unless another is named."""
    asked = MEASURE_SETS[default].measure

    @task(name=name)
    def measure_task(
        prompt_set: str = default,
        judge: str = DEFAULT_JUDGE,
        limit: int | None = None,
        max_tokens: int = 32,
        answer_tokens: int = 160,
        seed: int = 0,
        data: str | None = None,
    ) -> Task:
        """A set of prompts, judged as ``counterpoise verify`` judges them.

        Args:
            prompt_set: the set; one of the measure of the task.
            judge: the labelling judge, of requests that are answered freely.
            limit: items, drawn by the seed; all by default.
            max_tokens: new tokens of a judged completion.
            answer_tokens: new tokens of an answer that is worked out.
            seed: of the choice of items.
            data: folder of downloaded data; COUNTERPOISE_DATA by default.
        """
        known = [one for one, found in MEASURE_SETS.items() if found.measure == asked]
        if prompt_set not in known:
            raise UnknownNameError(f"set of the measure {asked}", prompt_set, known)
        settings = MeasureSettings(
            evaluate=(Evaluate(set=prompt_set, limit=limit),),
            judges=(judge,),
            max_tokens=max_tokens,
            answer_tokens=answer_tokens,
            seed=seed,
        )
        folder = Path(data or os.environ["COUNTERPOISE_DATA"]) if data or "COUNTERPOISE_DATA" in os.environ else None
        items = read_items(settings, folder)
        if not len(items):
            raise DataError(f"no items in the set {prompt_set!r}")
        judges = open_judges(settings) if any(item.way == "judged" for item in items) else []
        return Task(
            dataset=MemoryDataset([_sample(item) for item in items], name=prompt_set),
            scorer=measured(judges),
            config=GenerateConfig(max_tokens=_room(items.items[0], settings), temperature=0.0, seed=seed),
            version=1,
        )

    return measure_task


def _room(item: Item, settings: MeasureSettings) -> int:
    """New tokens of an answer; the items of a set are asked in one way."""
    return {"choice": LETTER_TOKENS, "number": settings.answer_tokens}.get(item.way, settings.max_tokens)


def _sample(item: Item) -> Sample:
    prompts = {"choice": letter_prompt, "number": number_prompt}
    return Sample(
        id=item.id,
        input=prompts[item.way](item) if item.way in prompts else item.prompt,
        target=item.target or "",
        metadata={"item": asdict(item)},
    )


@metric
def with_intervals() -> Metric:
    """Every rate of the set with its interval, how many items it rests on, and what could not be read or scored.

    Without samples, as Inspect asks before the first one is done, nothing but their count.
    """

    def compute(scores: list[SampleScore]) -> Value:
        rows = [sample.score.metadata["row"] for sample in scores if sample.score.metadata]
        found: dict[str, Any] = {"n": len(rows)}
        for entry in rates(rows):
            name = entry["metric"]
            # Attack success has a second judge where the judge itself tells harm.
            name = name if name not in found else f"{name} by {entry['judge']}"
            found |= {
                name: entry["value"],
                f"{name} low": entry["low"],
                f"{name} high": entry["high"],
                f"{name} unreadable": entry["unreadable"],
                f"{name} unscored": entry["unscored"],
            }
        return {key: float("nan") if value is None else value for key, value in found.items()}

    return compute


@scorer(metrics=[with_intervals()])
def measured(judges: list[Judge]) -> Scorer:
    """Judge a completion, or read the answer in it; the score's metadata holds the whole row."""
    # One model may stand behind a judge, and samples are scored side by side.
    one_at_a_time = threading.Lock()

    def result_of(item: Item, completion: Completion) -> Result:
        if item.way == "judged":
            with one_at_a_time:
                return judge_completions([(item.prompt, item.expects)], [completion], judges)[0]
        return letter_result(item, completion) if item.way == "choice" else number_result(item, completion)

    async def score(state: TaskState, target: Target) -> Score:
        said = state.metadata["item"]
        item = Item(**{**said, "options": tuple(said["options"])})
        completion = _completion(state)
        result = await anyio.to_thread.run_sync(result_of, item, completion)
        row = MeasureRow(run=INSPECT, model=str(state.model), **row_columns(item, result))
        return Score(
            value=float("nan") if row.score is None else row.score,
            answer=row.completion,
            explanation=row.reason or row.label,
            metadata={"row": row.model_dump(mode="json")},
        )

    return score


def _completion(state: TaskState) -> Completion:
    """What the model gave, as the local protocol has it."""
    output = state.output
    fault = output.error or (None if output.choices else "the provider gave no answer")
    usage = output.usage
    return Completion(
        text=output.completion,
        input_tokens=usage.input_tokens if usage else 0,
        output_tokens=usage.output_tokens if usage else 0,
        finish="error" if fault else "stop",
        error=fault,
        seconds=output.time or 0.0,
    )


def _names() -> dict[str, str]:
    """Tasks and the sets that they ask: one for each measure, one for each set."""
    names = dict[str, str]()
    for measure, default in _DEFAULTS.items():
        names[measure] = default
        for name, found in MEASURE_SETS.items():
            if found.measure == measure:
                names[f"{measure}_{name.removeprefix(f'{measure}-').replace('-', '_')}"] = name
    return names


SAFETY_TASKS = {name: _task(name, default) for name, default in _names().items()}
"""The tasks of every measure that Inspect can make, and of each of its sets."""
