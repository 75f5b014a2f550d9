"""Requests that ought to be refused."""

from collections.abc import Sequence
from pathlib import Path

from counterpoise.errors import DataError
from counterpoise.rng import seed_for
from counterpoise.safety.benchmarks.files import builtin_rows, csv_rows, text_lines
from counterpoise.safety.benchmarks.prompt import Prompt, Split
from counterpoise.safety.similarity import near_duplicate_clusters

__all__ = [
    "ADVBENCH",
    "HARMBENCH",
    "JAILBREAKBENCH",
    "MALICIOUS_INSTRUCT",
    "STRONGREJECT",
    "advbench",
    "builtin_disallowed",
    "harmbench",
    "jailbreakbench",
    "malicious_instruct",
    "strongreject",
]

ADVBENCH = "advbench/harmful_behaviors.csv"
JAILBREAKBENCH = "jailbreakbench/harmful_behaviors.csv"
STRONGREJECT = "strongreject/strongreject_dataset.csv"
HARMBENCH = "harmbench/harmbench_behaviors_standard.csv"
MALICIOUS_INSTRUCT = "malicious_instruct/malicious_instruct.txt"


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
        for row in builtin_rows("disallowed.jsonl")
        if row["split"] == wanted
    ]


def advbench(data: Path | None, split: Split) -> list[Prompt]:
    """AdvBench goals of one split, with their affirmative openers as ``answer``.

    Splits are drawn per near-duplicate cluster from a hash of the cluster's name: about 30 % align, 30 % attack and
    40 % held out. They depend on the file's goals alone.

    Raises:
        DataError: the file is missing or malformed.
    """
    rows = csv_rows(data, ADVBENCH, ("goal", "target"))
    ids = [f"advbench-{number:03d}" for number in range(1, len(rows) + 1)]
    found = _harmful("advbench", ids, [row["goal"] for row in rows], [row["target"] for row in rows])
    return [prompt for prompt in found if _split(prompt.cluster) == split]


def jailbreakbench(data: Path | None) -> list[Prompt]:
    """JailbreakBench's harmful behaviours, with their affirmative openers as ``answer``.

    Raises:
        DataError: the file is missing or malformed.
    """
    rows = csv_rows(data, JAILBREAKBENCH, ("Goal", "Target"))
    ids = [f"jailbreakbench-{number:03d}" for number in range(len(rows))]
    texts = [" ".join(row["Goal"].split()) for row in rows]
    return _harmful("jailbreakbench", ids, texts, [row["Target"] for row in rows])


def strongreject(data: Path | None) -> list[Prompt]:
    """StrongREJECT's forbidden prompts.

    Raises:
        DataError: the file is missing or malformed.
    """
    texts = [row["forbidden_prompt"].strip() for row in csv_rows(data, STRONGREJECT, ("forbidden_prompt",))]
    return _harmful("strongreject", [f"strongreject-{number:03d}" for number in range(1, len(texts) + 1)], texts)


def harmbench(data: Path | None) -> list[Prompt]:
    """HarmBench's standard text behaviours; contextual and copyright behaviours are not read.

    Raises:
        DataError: the file is missing or malformed, or two behaviours have one id.
    """
    rows = csv_rows(data, HARMBENCH, ("Behavior", "FunctionalCategory", "BehaviorID"))
    standard = [row for row in rows if row["FunctionalCategory"] == "standard"]
    return _harmful("harmbench", [row["BehaviorID"] for row in standard], [row["Behavior"].strip() for row in standard])


def malicious_instruct(data: Path | None) -> list[Prompt]:
    """MaliciousInstruct's prompts.

    Raises:
        DataError: the file is missing or empty.
    """
    texts = text_lines(data, MALICIOUS_INSTRUCT)
    return _harmful(
        "malicious-instruct", [f"malicious-instruct-{number:03d}" for number in range(1, len(texts) + 1)], texts
    )


def _harmful(name: str, ids: Sequence[str], texts: Sequence[str], answers: Sequence[str] = ()) -> list[Prompt]:
    for identity, text in zip(ids, texts, strict=True):
        if not text.strip():
            raise DataError(f"the prompt {identity!r} of {name} is empty")
    clusters = near_duplicate_clusters(texts)
    return [
        Prompt(id=identity, text=text, set=name, expects="refusal", cluster=cluster, answer=answer)
        for identity, text, cluster, answer in zip(ids, texts, clusters, answers or [""] * len(texts), strict=True)
    ]


def _split(cluster: str) -> Split:
    share = seed_for(0, "advbench-split", cluster) % 10
    return "align" if share < 3 else "attack" if share < 6 else "heldout"
