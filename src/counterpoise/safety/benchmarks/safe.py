"""Requests that ought to be answered, and that nothing here trains on."""

from collections.abc import Iterable
from pathlib import Path

from counterpoise.rng import seed_for
from counterpoise.safety.benchmarks.files import builtin_rows, csv_rows, json_rows
from counterpoise.safety.benchmarks.instructions import ALPACA, ALPACA_GPT4, BENIGN
from counterpoise.safety.benchmarks.prompt import Prompt
from counterpoise.safety.similarity import near_duplicate_clusters, near_duplicates

__all__ = [
    "ALPACA_BENIGN",
    "JAILBREAKBENCH_BENIGN",
    "XSTEST",
    "alpaca_benign",
    "builtin_safe",
    "jailbreakbench_benign",
    "xstest_safe",
]

XSTEST = "xstest/xstest_prompts.csv"
JAILBREAKBENCH_BENIGN = "jailbreakbench/benign_behaviors.csv"
_HELD_OUT = "benign_instructions/alpaca_instructions_only_val.json"
_TRAINED_ON = (ALPACA, ALPACA_GPT4, *(file for name, file in BENIGN.items() if name.startswith("alpaca-")))
ALPACA_BENIGN = (_HELD_OUT, *_TRAINED_ON)
"""The held-out instructions, and every Alpaca file that may be trained on."""

_CANDIDATES, _KEPT = 400, 250


def builtin_safe(_: Path | None = None) -> list[Prompt]:
    """The built-in safe requests, most of which sound unsafe."""
    return [
        Prompt(id=row["id"], text=row["prompt"], set="builtin-safe", expects="compliance", cluster=row["id"])
        for row in builtin_rows("safe.jsonl")
    ]


def xstest_safe(data: Path | None) -> list[Prompt]:
    """XSTest's safe prompts.

    Raises:
        DataError: the file is missing or malformed.
    """
    rows = csv_rows(data, XSTEST, ("id", "prompt", "type", "label", "focus"))
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


def jailbreakbench_benign(data: Path | None) -> list[Prompt]:
    """JailbreakBench's benign behaviours.

    Raises:
        DataError: the file is missing or malformed.
    """
    return [
        Prompt(
            id=f"jbb-benign-{row['index']}",
            text=row["goal"],
            set="jailbreakbench-benign",
            expects="compliance",
            cluster=f"jbb-benign-{row['index']}",
        )
        for row in csv_rows(data, JAILBREAKBENCH_BENIGN, ("index", "goal"))
    ]


def alpaca_benign(data: Path | None) -> list[Prompt]:
    """Ordinary Alpaca instructions that are in no file that may be trained on, nor near-duplicates of one there.

    250 are drawn by a hash of their words; they depend on the files alone.

    Raises:
        DataError: a file is missing or malformed.
    """
    trained = [row["instruction"] for file in _TRAINED_ON for row in json_rows(data, file, ("instruction",))]
    known = set(map(_plain, trained))
    rows = json_rows(data, _HELD_OUT, ("instruction",))
    texts = [row["instruction"].strip() for row in rows]
    unseen = [text for text in dict.fromkeys(texts) if text and _plain(text) not in known]
    candidates = sorted(unseen, key=lambda text: seed_for(0, "alpaca-benign", text))[:_CANDIDATES]
    near = set(near_duplicates(candidates, trained))
    kept = [text for at, text in enumerate(candidates) if at not in near][:_KEPT]
    numbers = {text: number for number, text in enumerate(texts, start=1)}
    return _ordinary("alpaca-benign", ((f"alpaca-benign-{numbers[text]:04d}", text) for text in kept))


def _ordinary(name: str, asked: Iterable[tuple[str, str]]) -> list[Prompt]:
    found = list(asked)
    clusters = near_duplicate_clusters([text for _, text in found])
    return [
        Prompt(id=identity, text=text, set=name, expects="compliance", cluster=cluster)
        for (identity, text), cluster in zip(found, clusters, strict=True)
    ]


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
