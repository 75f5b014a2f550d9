"""Putting cases to a model through Inspect AI: samples, solver, scorer.

:func:`ask` runs many Inspect tasks for a diagnosis run and hands over a row for each stage;
:mod:`~counterpoise.counterfactual.tasks` registers one task per dataset. The case travels in the sample's metadata, so
a log can be scored again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Optional

import anyio
import anyio.to_thread
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, Model, ModelOutput, ResponseSchema, execute_tools, get_model
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolChoice, ToolDef
from inspect_ai.util import JSONSchema

from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.diagnose import DiagnoseConfig, Item
from counterpoise.counterfactual.elicit import elicitation
from counterpoise.counterfactual.elicit.attempt import Attempt, Branching, attempt
from counterpoise.counterfactual.match import Matcher
from counterpoise.counterfactual.modes import as_given, given_to, own_variables
from counterpoise.counterfactual.parse import parse
from counterpoise.counterfactual.parse.tolerant_json import clean
from counterpoise.counterfactual.results.metrics import summarise
from counterpoise.counterfactual.score import DiagnosisRow, fitting, row, score
from counterpoise.counterfactual.stages import build_messages, gold_answer, render
from counterpoise.counterfactual.tools.hints import hints
from counterpoise.counterfactual.tools.tool import Tool
from counterpoise.counterfactual.tools.use import Hint, hint, shown_pictures
from counterpoise.errors import OutputError, RunError
from counterpoise.lm.hosted import chat_messages
from counterpoise.lm.protocol import Completion, Request
from counterpoise.lm.store import CompletionStore

__all__ = ["INSPECT", "Asking", "ask", "one_task"]

Keep = Callable[[DiagnosisRow], None]

INSPECT = "inspect"
"""The run of rows that belong to no run folder of ours."""
LEAST_SAMPLES = 4
"""Samples of one task at once, however many tasks there are."""
MAX_TOOL_ROUNDS = 4
"""Times that a model may call tools for one answer; then it must answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the items of one run are asked with.

    Attributes:
        config: of the run the rows belong to.
        run: id of that run.
        keep: called with each finished row.
        shots: solved cases by dataset.
        matcher: decides which names and values are the same.
        store: completions by content; ``None``: nothing is kept.
        branching: how the branches of a tree are chosen.
        tools: extraction tools by modality, for elicitations with tools.
        data: folder of photographs.
        failures: what went wrong on this side (a full disk): nothing more is asked or written after the first.
    """

    config: DiagnoseConfig
    run: str
    keep: Keep
    shots: Mapping[str, Sequence[Case]]
    matcher: Matcher
    store: CompletionStore | None = None
    branching: Branching = field(default_factory=Branching)
    tools: Mapping[str, Tool] = field(default_factory=dict)
    data: Path | None = None
    failures: list[Exception] = field(default_factory=list)


def ask(items: Sequence[Item], model: Model, asking: Asking, *, logs: Path) -> None:
    """Put items to a model through Inspect and hand over each row as soon as it is scored.

    Args:
        items: what to ask; one Inspect task per dataset, mode, level, elicitation and, in isolated mode, stage.
        model: an Inspect model.
        asking: what they are asked with.
        logs: folder for Inspect's logs.

    Raises:
        KeyboardInterrupt: the evaluation was cancelled.
        OutputError: the disk is full.
        RunError: Inspect could not finish.
    """
    failures = asking.failures

    def keep_or_remember(finished: DiagnosisRow) -> None:
        # Inspect records a scorer's error in its log and goes on; after a full disk nothing more is written.
        if failures:
            raise failures[0]
        try:
            asking.keep(finished)
        except Exception as error:
            failures.append(error)
            raise

    tasks = [
        one_task(list(group), asking, keep_or_remember)
        for _, group in groupby(sorted(items, key=lambda item: item.group), key=lambda item: item.group)
    ]
    connections = model.api.max_connections()
    results = inspect_eval(
        tasks,
        model=model,
        log_dir=str(logs),
        display="none",
        max_tasks=len(tasks),
        # The local engine fills its batch from the calls in flight, and Inspect would begin with few of them.
        max_connections=connections,
        # With few at once the tasks go through the cases side by side: stages of a case that meet share a beginning.
        max_samples=max(LEAST_SAMPLES, 2 * connections // len(tasks)),
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


def one_task(items: Sequence[Item], asking: Asking, keep: Keep) -> Task:
    """One Inspect task of items that share a group."""
    first = items[0]
    parts = [first.case.dataset, *(part for part in first.group[1:] if part not in ("", "isolated", "direct"))]
    return Task(
        name="-".join(parts),
        dataset=MemoryDataset([_sample(item) for item in items], name=first.case.dataset),
        solver=reason(asking),
        scorer=stage_scorer(asking, keep),
        version=2,
    )


def _sample(item: Item) -> Sample:
    last = item.stages[-1]
    # The solver shows the pictures. Here those of every case would be held in memory at once.
    seen = item.case.model_copy(update={"media": ()})
    return Sample(
        # At several levels of a substitution the same case is asked again.
        id=item.case.id if item.mode != "substitution" else f"{item.case.id} {item.upto}",
        input=chat_messages(build_messages(seen, item.stages[0], given=given_of(item))),
        target=render(last, gold_answer(item.case, last)),
        metadata={
            "case": item.case.model_dump(mode="json"),
            "stages": [str(stage) for stage in item.stages],
            "kept": [str(stage) for stage in item.kept],
            "mode": item.mode,
            "upto": item.upto and str(item.upto),
            "elicit": item.elicit,
        },
    )


def given_of(item: Item) -> dict[Stage, Any]:
    """What the first stage of an item is given."""
    return given_to(item.case, item.stages[0], item.mode, item.upto, {})


def _item(state: TaskState) -> Item:
    """The item of a sample, also of one read back from a log."""
    said = state.metadata
    return Item(
        case=Case.model_validate(said["case"]),
        stages=tuple(Stage(stage) for stage in said["stages"]),
        kept=tuple(Stage(stage) for stage in said["kept"]),
        mode=said["mode"],
        upto=Stage(said["upto"]) if said["upto"] else None,
        elicit=said["elicit"],
    )


@solver
def reason(asking: Asking) -> Solver:
    """Ask the stages of a sample in turn; what the model answers is given to the stages after it."""
    config = asking.config

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        item = _item(state)
        case, way = item.case, elicitation(item.elicit)
        own: dict[Stage, Any] = {}
        attempts: dict[str, Any] = {}
        model = get_model()
        tool = asking.tools.get(case.modality) if way.tools else None
        offered = [_offered(tool, case, asking.data)] if tool and way.tools == "calls" else []
        told = await anyio.to_thread.run_sync(hint, case, asking.tools, asking.data) if way.tools == "hints" else Hint()

        async def call(request: Request) -> Completion:
            if asking.failures:
                raise asking.failures[0]
            if asking.store is None:
                return await _complete(model, request, offered)
            try:
                return await asking.store.complete(request, lambda fresh: _complete(model, fresh, offered))
            except OutputError as error:
                # Inspect would record it in the sample and go on.
                asking.failures.append(error)
                raise

        for stage in item.stages:
            given = given_to(case, stage, item.mode, item.upto, own)
            variables = own_variables(item.mode, item.upto, given)
            done = await attempt(
                call,
                case,
                stage,
                way,
                given=given,
                own=variables is not None,
                k=config.k,
                shots=[shot for shot in asking.shots.get(case.dataset, ()) if stage in shot.stages],
                seed=config.seed,
                branching=asking.branching,
                hints=told.text,
                focused=told.pictures,
                tools=(f"{tool.name} ({tool.version})",) if tool and offered else (),
                data=asking.data,
            )
            names = None if variables is None else [one["name"] for one in variables]
            own[stage] = as_given(stage, parse(case, stage, done.completion.text, names=names).answer)
            attempts[str(stage)] = asdict(done) | {"variables": variables}
            state.output = ModelOutput.from_content(str(state.model), done.completion.text)
        state.store.set("attempts", attempts)
        return state

    return solve


async def _complete(model: Model, request: Request, tools: Sequence[ToolDef]) -> Completion:
    """One answer, after the tool calls that the model makes; a failing model gives a completion that says so."""
    shape = None if request.schema is None else _BoundedSchema.model_validate(request.schema)
    config = GenerateConfig(
        max_tokens=request.max_tokens,
        temperature=request.temperature,
        top_p=request.top_p if request.top_p < 1 else None,
        seed=request.seed,
        response_schema=shape and ResponseSchema(name="answer", json_schema=shape, strict=True),
    )
    messages = chat_messages(request.messages)
    read = written = 0
    seconds = 0.0
    try:
        for turn in range(MAX_TOOL_ROUNDS + 1 if tools else 1):
            choice: ToolChoice | None = "none" if tools and turn == MAX_TOOL_ROUNDS else None
            output = await model.generate(messages, tools=tools, tool_choice=choice, config=config)
            seconds += output.time or 0.0
            if output.usage:
                read, written = read + output.usage.input_tokens, written + output.usage.output_tokens
            if output.error or not output.choices:
                fault = str(output.error or "the provider gave no answer")
                return Completion(text="", finish="error", error=fault, seconds=seconds)
            if not output.message.tool_calls or choice == "none":
                break
            for called in output.message.tool_calls:
                called.arguments = _writable(called.arguments)
            messages.append(output.message)
            messages += (await execute_tools(messages, tools)).messages
    except Exception as error:
        return Completion(text="", finish="error", error=f"{type(error).__name__}: {error}")
    return Completion(
        text=output.completion,
        input_tokens=read,
        output_tokens=written,
        finish="length" if output.stop_reason in ("max_tokens", "model_length") else "stop",
        seconds=seconds,
    )


def _writable(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a tool call without lone surrogates, with which Inspect could not write its log."""
    mended: dict[str, Any] = json.loads(clean(json.dumps(arguments, ensure_ascii=False, default=str)))
    return mended


def _offered(tool: Tool, case: Case, data: Path | None) -> ToolDef:
    """An extraction tool as a model calls it: with any text, which is read and never run."""

    async def execute(text: str) -> str:
        found = await anyio.to_thread.run_sync(tool.run, text, shown_pictures(case, data))
        return hints(found) or "Nothing was found."

    return ToolDef(
        execute,
        name="extract",
        description=f"A program that {tool.description}.",
        parameters={"text": "The text to look at, as it stands."},
    )


@metric
def headline() -> Metric:
    """The metric of the last stage over all samples: micro-F1 or accuracy, with its interval and failures.

    Without samples, as Inspect asks before the first one is done, no number but their count.
    """

    def compute(scores: list[SampleScore]) -> Value:
        rows = [sample.score.metadata["rows"][-1] for sample in scores if sample.score.metadata]
        if not rows:
            return dict.fromkeys(("score", "low", "high"), float("nan")) | {"n": 0}
        (summary,) = summarise(rows)
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
def stage_scorer(asking: Asking, keep: Keep) -> Scorer:
    """Parse and score the completions of a sample; the score's metadata holds the whole rows."""

    async def score(state: TaskState, target: Target) -> Score:
        rows = list(_rows(_item(state), state, asking))
        for finished in rows:
            keep(finished)
        last = rows[-1]
        return Score(
            value=last.score if last.score is not None else float("nan"),
            answer=last.completion,
            explanation=last.reason,
            metadata={"rows": [finished.model_dump(mode="json") for finished in rows]},
        )

    return score


def _rows(item: Item, state: TaskState, asking: Asking) -> list[DiagnosisRow]:
    """The rows of a sample's kept stages, the last stage's last."""
    name = str(state.model) if asking.run == INSPECT else asking.config.model
    attempts = state.store.get("attempts") or {}
    found = []
    for stage in item.kept:
        said = attempts.get(str(stage))
        if said is None:
            lost = Completion(text="", finish="error", error="the model was not asked")
            said = {"completion": asdict(lost), "samples": (), "points": (), "variables": None}
        done = Attempt(
            completion=Completion(**said["completion"]),
            samples=tuple(said["samples"]),
            points=tuple(Completion(**point) for point in said["points"]),
        )
        found.append(
            row(
                item.case,
                stage,
                done.completion,
                run=asking.run,
                model=name,
                mode=item.mode,
                upto=item.upto,
                elicit=item.elicit,
                k=asking.config.k if elicitation(item.elicit).several else 1,
                own=said["variables"],
                matcher=asking.matcher,
                samples=done.samples,
                curve=_curve(item.case, stage, done, said["variables"], asking.matcher),
            )
        )
    return found


def _curve(
    case: Case, stage: Stage, done: Attempt, own: list[dict[str, Any]] | None, matcher: Matcher
) -> list[dict[str, float]]:
    """What the first samples of a vote would have scored, and their cost."""
    names = None if own is None else [item["name"] for item in own]
    found = []
    for count, point in enumerate(done.points, start=1):
        parsed = parse(case, stage, point.text, names=names)
        reached = score(case, stage, parsed, own=own, matcher=fitting(case, matcher)).score
        if reached is not None:
            costs = {"input_tokens": float(point.input_tokens), "output_tokens": float(point.output_tokens)}
            found.append({"k": float(count), "score": reached, **costs})
    return found


class _BoundedSchema(JSONSchema):
    """Inspect's schema with the bounds on arrays that it leaves out; without them a small model never ends a list."""

    items: Optional["_BoundedSchema"] = None
    properties: dict[str, "_BoundedSchema"] | None = None  # type: ignore[assignment]  # narrower, read only
    minItems: int | None = None
    maxItems: int | None = None
