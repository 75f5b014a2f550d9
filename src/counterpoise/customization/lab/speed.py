"""How fast this machine trains and measures: from rows of an earlier run, from a small trial, or as shipped."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpoise.customization.data.material import Material
from counterpoise.customization.data.step_data import StepData
from counterpoise.customization.finetune import Finetuner
from counterpoise.customization.lab.visits import measure_settings
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.phases import Step
from counterpoise.records import read_jsonl
from counterpoise.safety.measures import Items, MeasureRow, measure

__all__ = ["SHIPPED", "Speed", "measured", "recorded"]


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a machine is with a model.

    Attributes:
        source: where these numbers come from, in words.
        training: tokens per second, prompts included, over all epochs.
        items: seconds per item of each measure.
        opening: seconds that a checkpoint takes beside that, each time it is trained or measured: loading the model,
            merging adapters, judging.
        diagnosis: seconds per case that is put through the slice of the diagnosis, with all its stages; ``None`` where
            it is not known.
    """

    source: str
    training: float
    items: Mapping[str, float]
    opening: float
    diagnosis: float | None = None


def _shipped(trained: float, written: float, read: float) -> Speed:
    """The speed of the embedded model from tokens that are trained on, written and read in a second."""
    prompt, answer, refusal = 45, 32, 20  # tokens, about
    judged = answer / written + prompt / read
    return Speed(
        source=f"embedded/smollm2 on two idle cores with AVX-512 (half as fast without): {trained:g} tokens "
        f"trained on, {written:g} written, {read:g} read in a second",
        training=trained,
        items={
            **dict.fromkeys(("safety", "over_refusal", "helpfulness"), judged),
            "utility": 3 * (prompt + 15) / read,
            "perplexity": 6 * (prompt + refusal) / read,
        },
        opening=4.0,
        diagnosis=5 * (150 / written + 400 / read),
    )


SHIPPED = _shipped(trained=290, written=500, read=1600)
"""Speed of the embedded model; another machine has another."""

_TRIAL_EXAMPLES = 16
_TRIAL_ITEMS = 8


def recorded(out: Path) -> Speed | None:
    """Speed of what a lab run has done so far; ``None`` where it has neither trained nor measured anything.

    Args:
        out: its run folder.

    Raises:
        DataError: a file of the folder is damaged.
    """
    steps, rows = (_rows(out / name) for name in ("cells.jsonl", "rows.jsonl"))
    counted = [step for step in steps if step.get("tokens") and step["seconds"]]
    if not counted or not rows:
        return None
    tokens = sum(step["tokens"] * step["epochs"] for step in counted)
    seconds: dict[str, list[float]] = {}
    for row in rows:
        # Not every way of asking times its items.
        if row["seconds"]:
            seconds.setdefault(row["measure"], []).append(row["seconds"])
    diagnosed = [row for folder in sorted((out / "reasoning").glob("*")) for row in _rows(folder / "rows.jsonl")]
    cases = {(row["run"], row["case_id"]) for row in diagnosed}
    return Speed(
        source=f"the rows in {out.name}: {len(counted)} trained steps, {len(rows)} measured items",
        training=tokens / sum(step["seconds"] for step in counted),
        items={**_scaled(seconds), **{measure: sum(found) / len(found) for measure, found in seconds.items()}},
        opening=SHIPPED.opening,
        diagnosis=sum(row["seconds"] for row in diagnosed) / len(cases) if cases else None,
    )


def measured(plan: Plan, material: Material, items: Items, finetuner: Finetuner) -> Speed:
    """Speed of a small trial with the plan's own texts: a few examples trained, a few items of each measure asked.

    Args:
        plan: the plan.
        material: its texts.
        items: what it asks.
        finetuner: of its model.

    Raises:
        CounterpoiseError: whatever would stop the plan too.
    """
    step = Step("align") if plan.align else Step("attack", plan.attacks[0].name, 0.0)
    examples = StepData(plan, material, finetuner.count_tokens).of(step, plan.seeds[0])[0][:_TRIAL_EXAMPLES]
    recipe = plan.recipe_of(step).model_copy(update={"epochs": 1})
    with tempfile.TemporaryDirectory() as work:
        started = time.monotonic()
        result = finetuner.train([], examples, recipe, seed=plan.seeds[0], out=Path(work) / "trial")
        opening = time.monotonic() - started - result.seconds
    model = finetuner.open([])
    few: dict[str, list[Any]] = {}
    for item in items:
        few.setdefault(item.measure, []).append(item)
    seconds = {}
    for name, found in few.items():
        rows: list[MeasureRow] = []
        started = time.monotonic()
        measure(
            model,
            Items(tuple(found[:_TRIAL_ITEMS])),
            measure_settings(plan),
            done=(),
            keep=rows.append,
            columns={"run": "trial", "model": plan.model},
        )
        seconds[name] = (time.monotonic() - started) / len(rows)
    return Speed(
        source=f"a trial on this machine: {len(examples)} examples, {_TRIAL_ITEMS} items of each measure",
        training=(result.tokens or result.loss_tokens) / result.seconds,
        items=seconds,
        opening=opening,
    )


def _scaled(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    """The shipped items, as much slower or faster as those are that were timed here; nothing where none was."""
    times = [sum(found) / len(found) / SHIPPED.items[measure] for measure, found in seconds.items()]
    return {measure: value * sum(times) / len(times) for measure, value in SHIPPED.items.items()} if times else {}


def _rows(path: Path) -> list[dict[str, Any]]:
    return read_jsonl(path, drop_torn=True) if path.is_file() else []
