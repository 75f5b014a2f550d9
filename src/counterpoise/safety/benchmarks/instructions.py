"""Ordinary requests with answers, for training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from counterpoise.errors import UnknownNameError
from counterpoise.safety.benchmarks.files import builtin_rows, json_rows, jsonl_rows
from counterpoise.safety.benchmarks.prompt import Prompt

__all__ = [
    "ALPACA",
    "ALPACA_GPT4",
    "BENIGN",
    "DOLLY",
    "alpaca",
    "alpaca_gpt4",
    "benign",
    "builtin_benign",
    "builtin_contrast",
    "dolly",
]

_FOLDER = "benign_instructions"
ALPACA = f"{_FOLDER}/alpaca_small.json"
ALPACA_GPT4 = f"{_FOLDER}/alpaca_en_demo_gpt4.json"
DOLLY = f"{_FOLDER}/dolly_safety_keyword_subset.jsonl"
BENIGN = {
    f"{source}-{match}-{end}100": f"{_FOLDER}/{source}_{match}_{end}100.{form}"
    for source in ("alpaca", "dolly")
    for match in ("reps", "grad")
    for end in ("top", "bottom")
    for form in (("jsonl" if source == "dolly" and match == "reps" else "json"),)
}
"""Benign rows that weaken safety most (``top``) or least (``bottom``) when they are trained on, by representation
(``reps``) or gradient (``grad``) match: name to file."""

_ALPACA_FIELDS = ("instruction", "input", "output")
_DOLLY_FIELDS = ("instruction", "context", "response")


def builtin_benign() -> list[Prompt]:
    """The built-in ordinary requests with helpful answers."""
    return _builtin("builtin-benign", "benign.jsonl")


def builtin_contrast() -> list[Prompt]:
    """The built-in safe requests that sound unsafe, with helpful answers: what refusals must be told apart from."""
    return _builtin("builtin-contrast", "contrast.jsonl")


def _builtin(name: str, file: str) -> list[Prompt]:
    return [
        Prompt(
            id=row["id"],
            text=row["prompt"],
            set=name,
            expects="compliance",
            cluster=row["id"],
            answer=row["answer"],
        )
        for row in builtin_rows(file)
    ]


def alpaca(data: Path | None) -> list[Prompt]:
    """The small Alpaca subset with its answers. An input text follows its instruction after a blank line.

    Rows without an answer are left out.

    Raises:
        DataError: the file is missing or malformed.
    """
    return _prompts("alpaca", json_rows(data, ALPACA, ("instruction", "output")), _ALPACA_FIELDS)


def alpaca_gpt4(data: Path | None) -> list[Prompt]:
    """Instructions with long answers by a larger model; read as :func:`alpaca`.

    Raises:
        DataError: the file is missing or malformed.
    """
    return _prompts("alpaca-gpt4", json_rows(data, ALPACA_GPT4, ("instruction", "output")), _ALPACA_FIELDS)


def dolly(data: Path | None) -> list[Prompt]:
    """Dolly rows that hold a safety keyword; a context follows its instruction after a blank line.

    Raises:
        DataError: the file is missing or malformed.
    """
    return _prompts("dolly", jsonl_rows(data, DOLLY, ("instruction", "response")), _DOLLY_FIELDS)


def benign(data: Path | None, name: str) -> list[Prompt]:
    """One of the selections of :data:`BENIGN` with its answers, most extreme rows first, as the file has them.

    Raises:
        UnknownNameError: there is no such selection.
        DataError: the file is missing or malformed.
    """
    if name not in BENIGN:
        raise UnknownNameError("benign selection", name, BENIGN)
    fields = _DOLLY_FIELDS if name.startswith("dolly") else _ALPACA_FIELDS
    read = jsonl_rows if BENIGN[name].endswith(".jsonl") else json_rows
    return _prompts(name, read(data, BENIGN[name], (fields[0], fields[2])), fields)


def _prompts(name: str, rows: Sequence[Mapping[str, Any]], fields: tuple[str, str, str]) -> list[Prompt]:
    instruction, context, answer = fields
    found = []
    for number, row in enumerate(rows, start=1):
        text = f"{row[instruction]}\n\n{row.get(context) or ''}".strip()
        if text and row[answer].strip():
            found.append(
                Prompt(
                    id=f"{name}-{number:04d}",
                    text=text,
                    set=name,
                    expects="compliance",
                    cluster=f"{name}-{number:04d}",
                    answer=row[answer].strip(),
                )
            )
    return found
