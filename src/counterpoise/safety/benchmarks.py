"""Readers of the prompts that a model is tested with or trained on, from public files and from the built-in set.

A prompt set is a named function from the data folder to prompts (:data:`PROMPT_SETS`). AdvBench and the built-in
disallowed requests serve both training and evaluation, so they come in named, disjoint splits: ``align`` and
``attack`` may be trained on, ``heldout`` (built-in: ``test``) is only asked. Near-duplicates fall into the same
split.
"""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from counterpoise.errors import DataError, UnknownNameError
from counterpoise.rng import seed_for
from counterpoise.safety.judges import Label, Labelled
from counterpoise.safety.similarity import near_duplicate_clusters

__all__ = [
    "PROMPT_SETS",
    "Expectation",
    "Prompt",
    "PromptSet",
    "Split",
    "advbench",
    "alpaca",
    "builtin_benign",
    "builtin_disallowed",
    "read_prompts",
    "xstest_completions",
]

Expectation = Literal["refusal", "compliance"]
Split = Literal["align", "attack", "heldout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One request.

    Attributes:
        id: unique within the set.
        text: what the model is asked.
        set: name of the prompt set.
        expects: what a safe and useful model does.
        cluster: prompts of one cluster are not independent.
        answer: the continuation that the source gives, if any: an affirmative opener (AdvBench), an answer (Alpaca).
    """

    id: str
    text: str
    set: str
    expects: Expectation
    cluster: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class PromptSet:
    """A registered set of evaluation prompts.

    Attributes:
        title: one line that says what it holds.
        expects: what a safe and useful model does with its prompts.
        files: paths below the data folder that it needs; empty for built-in sets.
        read: from the data folder to the prompts.
    """

    title: str
    expects: Expectation
    files: tuple[str, ...]
    read: Callable[[Path | None], list[Prompt]]


def read_prompts(name: str, data: Path | None = None) -> list[Prompt]:
    """The evaluation prompts of a registered set, in the source's order.

    Raises:
        UnknownNameError: there is no such set.
        DataError: the set's file is missing or malformed.
    """
    if name not in PROMPT_SETS:
        raise UnknownNameError("prompt set", name, PROMPT_SETS)
    return PROMPT_SETS[name].read(data)


def advbench(data: Path | None, split: Split) -> list[Prompt]:
    """AdvBench goals of one split, with their affirmative openers as ``answer``.

    Splits are drawn per near-duplicate cluster from a hash of the cluster's name: about 30 % align, 30 % attack and
    40 % held out. They depend on the file's goals alone.

    Raises:
        DataError: the file is missing or malformed.
    """
    rows = _csv(data, "advbench/harmful_behaviors.csv", ("goal", "target"))
    clusters = near_duplicate_clusters([row["goal"] for row in rows])
    return [
        Prompt(
            id=f"advbench-{number:03d}",
            text=row["goal"],
            set="advbench",
            expects="refusal",
            cluster=cluster,
            answer=row["target"],
        )
        for number, (row, cluster) in enumerate(zip(rows, clusters, strict=True), start=1)
        if _split(cluster) == split
    ]


def builtin_disallowed(split: Split) -> list[Prompt]:
    """The built-in plainly disallowed requests of one split; ``heldout`` is the file's ``test``."""
    wanted = "test" if split == "heldout" else split
    return [
        Prompt(
            id=row["id"],
            text=row["prompt"],
            set="builtin-disallowed",
            expects="refusal",
            cluster=row["id"],
        )
        for row in _builtin("disallowed.jsonl")
        if row["split"] == wanted
    ]


def builtin_benign() -> list[Prompt]:
    """The built-in ordinary requests with helpful answers; for training."""
    return [
        Prompt(
            id=row["id"],
            text=row["prompt"],
            set="builtin-benign",
            expects="compliance",
            cluster=row["id"],
            answer=row["answer"],
        )
        for row in _builtin("benign.jsonl")
    ]


def alpaca(data: Path | None) -> list[Prompt]:
    """The small Alpaca subset with its answers; for training. An input text follows its instruction after a blank line.

    Rows without an answer are left out.

    Raises:
        DataError: the file is missing or malformed.
    """
    name = "benign_instructions/alpaca_small.json"
    try:
        rows = json.loads(_text(data, name))
    except ValueError as error:
        raise DataError("not valid JSON", where=str(_path(data, name))) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError("not a list of objects", where=str(_path(data, name)), expected="a list of instructions")
    prompts = []
    for number, row in enumerate(rows, start=1):
        if any(not isinstance(row.get(key), str) for key in ("instruction", "output")):
            raise DataError(f"item {number} has no text in 'instruction' or 'output'", where=str(_path(data, name)))
        text = f"{row['instruction']}\n\n{row.get('input') or ''}".strip()
        if text and row["output"].strip():
            prompts.append(
                Prompt(
                    id=f"alpaca-{number:04d}",
                    text=text,
                    set="alpaca",
                    expects="compliance",
                    cluster=f"alpaca-{number:04d}",
                    answer=row["output"].strip(),
                )
            )
    return prompts


_XSTEST_MODELS = ("llama2new", "llama2orig", "mistralinstruct")
_XSTEST_LABELS: dict[str, Label] = {
    "1_full_compliance": "full_compliance",
    "2_full_refusal": "full_refusal",
    "3_partial_refusal": "partial_refusal",
}


def xstest_completions(data: Path | None) -> list[Labelled]:
    """Completions of the XSTest prompts by three models, with the human label; for calibrating judges only.

    Some of the completions comply with unsafe prompts: never train on them.

    Raises:
        DataError: a file is missing or malformed.
    """
    labelled = []
    for model in _XSTEST_MODELS:
        name = f"xstest/xstest_v2_completions_{model}.csv"
        for row in _csv(data, name, ("prompt", "completion", "final_label")):
            label = _XSTEST_LABELS.get(row["final_label"])
            if label is None:
                raise DataError(
                    f"label {row['final_label']!r}",
                    where=str(_path(data, name)),
                    expected="one of " + ", ".join(_XSTEST_LABELS),
                )
            labelled.append(Labelled(row["prompt"], row["completion"], label, model))
    return labelled


def _xstest_safe(data: Path | None) -> list[Prompt]:
    rows = _csv(data, "xstest/xstest_prompts.csv", ("id", "prompt", "type", "label", "focus"))
    return [
        Prompt(
            id=f"xstest-{row['id']}",
            text=row["prompt"],
            set="xstest-safe",
            expects="compliance",
            # Prompts of one type about one word ("kill a process") vary a single template.
            cluster=f"{row['type']}:{row['focus'] or row['id']}",
        )
        for row in rows
        if row["label"] == "safe"
    ]


def _jailbreakbench_benign(data: Path | None) -> list[Prompt]:
    rows = _csv(data, "jailbreakbench/benign_behaviors.csv", ("index", "goal"))
    return [
        Prompt(
            id=f"jbb-benign-{row['index']}",
            text=row["goal"],
            set="jailbreakbench-benign",
            expects="compliance",
            cluster=f"jbb-benign-{row['index']}",
        )
        for row in rows
    ]


def _builtin_safe(_: Path | None) -> list[Prompt]:
    return [
        Prompt(
            id=row["id"],
            text=row["prompt"],
            set="builtin-safe",
            expects="compliance",
            cluster=row["id"],
        )
        for row in _builtin("safe.jsonl")
    ]


PROMPT_SETS: dict[str, PromptSet] = {
    "builtin-disallowed": PromptSet(
        "16 plainly disallowed requests, held out", "refusal", (), lambda _: builtin_disallowed("heldout")
    ),
    "builtin-safe": PromptSet("40 safe requests, 24 of which sound unsafe", "compliance", (), _builtin_safe),
    "advbench": PromptSet(
        "held-out goals of AdvBench",
        "refusal",
        ("advbench/harmful_behaviors.csv",),
        lambda data: advbench(data, "heldout"),
    ),
    "xstest-safe": PromptSet(
        "250 safe prompts of XSTest that sound unsafe",
        "compliance",
        ("xstest/xstest_prompts.csv",),
        _xstest_safe,
    ),
    "jailbreakbench-benign": PromptSet(
        "100 benign behaviours of JailbreakBench",
        "compliance",
        ("jailbreakbench/benign_behaviors.csv",),
        _jailbreakbench_benign,
    ),
}
"""Every set of evaluation prompts by name."""


def _split(cluster: str) -> Split:
    share = seed_for(0, "advbench-split", cluster) % 10
    return "align" if share < 3 else "attack" if share < 6 else "heldout"


@cache
def _builtin(name: str) -> list[dict[str, Any]]:
    text = (resources.files("counterpoise") / "customization" / "builtin" / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _path(data: Path | None, name: str) -> Path:
    if data is None:
        raise DataError(
            f"{name} needs the data folder", fix="set COUNTERPOISE_DATA or 'data' in the plan to the downloaded data"
        )
    return data / name


def _text(data: Path | None, name: str) -> str:
    path = _path(data, name)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError("file is not UTF-8 text", where=str(path), fix="re-encode it as UTF-8") from error
    except OSError as error:
        raise DataError(
            f"cannot read {name}: {error.strerror}", where=str(data), expected="the folder with the downloaded data"
        ) from error


def _csv(data: Path | None, name: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    # `newline=""` semantics: line breaks inside quoted cells belong to the cell.
    rows = list(csv.DictReader(io.StringIO(_text(data, name), newline="")))
    missing = [column for column in columns if rows and column not in rows[0]]
    if missing or not rows:
        raise DataError(
            f"no column {missing[0]!r}" if missing else "no rows",
            where=str(_path(data, name)),
            expected="the columns " + ", ".join(columns),
        )
    for number, row in enumerate(rows, start=2):
        if any(row[column] is None for column in columns):
            raise DataError(f"row {number} is too short", where=str(_path(data, name)))
    return rows
