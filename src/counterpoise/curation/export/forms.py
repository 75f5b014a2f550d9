"""The forms of a curated set: one line of JSON a text, as trainers read it."""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "FILES",
    "LINES",
    "alpaca_line",
    "curated_line",
    "prompt_completion_line",
    "sharegpt_line",
    "uncurated",
    "user_turn",
    "with_original",
]

Row = Mapping[str, Any]

FILES = {
    "messages": "curated.jsonl",
    "prompt-completion": "curated.prompt_completion.jsonl",
    "sharegpt": "curated.sharegpt.jsonl",
    "alpaca": "curated.alpaca.jsonl",
    "parquet": "curated.parquet",
}
"""The file of every form. Its uncurated twin has the same name with ``un`` before it."""


def user_turn(row: Row) -> str:
    """What the user asks in the curated set: the revised question where there is one, else the original."""
    return str(row.get("revised_question") or row["question"])


def curated_line(row: Row) -> dict[str, Any]:
    """A row with a revision as a line of ``curated.jsonl``: a conversation and its lineage.

    Where the question was revised too, the lineage keeps the original as ``question``.
    """
    lineage = row["lineage"]
    if row.get("revised_question"):
        lineage = {**lineage, "question": row["question"]}
    return {
        "messages": [
            {"role": "user", "content": user_turn(row)},
            {"role": "assistant", "content": row["revised"]},
        ],
        "lineage": lineage,
    }


def prompt_completion_line(row: Row) -> dict[str, Any]:
    """The same text as prompt and completion."""
    return {"prompt": user_turn(row), "completion": row["revised"]}


def sharegpt_line(row: Row) -> dict[str, Any]:
    """The same text as ShareGPT has it: turns ``from`` a ``human`` and ``gpt``, with a ``value`` each."""
    return {"conversations": [{"from": "human", "value": user_turn(row)}, {"from": "gpt", "value": row["revised"]}]}


def alpaca_line(row: Row) -> dict[str, Any]:
    """The same text as Alpaca has it: ``instruction``, an empty ``input``, ``output``."""
    return {"instruction": user_turn(row), "input": "", "output": row["revised"]}


LINES: dict[str, Callable[[Row], dict[str, Any]]] = {
    "messages": curated_line,
    "prompt-completion": prompt_completion_line,
    "sharegpt": sharegpt_line,
    "alpaca": alpaca_line,
}
"""The forms of JSON lines; Parquet has a module of its own."""


def uncurated(row: Row) -> dict[str, Any]:
    """The same text as it was before curation, in the shape of a row: the control that shows what curating changed."""
    return {
        "text_id": row["text_id"],
        "question": row["question"],
        "question_generated": row.get("question_generated", False),
        "original": row["original"],
        "revised": row["original"],
        "perplexity_before": row.get("perplexity_before"),
        "lineage": {"source": row["text_id"], "curated": False},
    }


def with_original(row: Row) -> dict[str, Any]:
    """A row with a revision, with question and answer of its source text in its lineage."""
    return {**row, "lineage": {**row["lineage"], "question": row["question"], "original": row["original"]}}
