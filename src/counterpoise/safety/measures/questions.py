"""Questions with a right answer, from public files and from the built-in ones.

Each function reads one file of the data folder and returns its items in the source's order. The options of a question
keep the source's order; those of built-in questions are put in an order drawn by a hash, so that no letter is favoured.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from counterpoise.errors import DataError
from counterpoise.rng import seed_for
from counterpoise.safety.benchmarks.files import data_path, json_rows, jsonl_rows
from counterpoise.safety.measures.answers import final_number
from counterpoise.safety.measures.builtin import lines
from counterpoise.safety.measures.item import Item

__all__ = ["CSQA", "GSM8K", "INSTRUCTED", "builtin_arithmetic", "builtin_choices", "csqa", "gsm8k", "instructed"]

CSQA = "commonsense/csqa_v1.0_dev_rand_split.jsonl"
GSM8K = "utility/gsm8k_test.jsonl"
INSTRUCTED = {
    "utility-openbookqa": "commonsense/openbookqa_test_instruct.json",
    "utility-arc-challenge": "commonsense/arc_challenge_test_instruct.json",
    "utility-piqa": "commonsense/piqa_test_instruct.json",
    "utility-social-iqa": "commonsense/social_iqa_test_instruct.json",
}
"""Sets whose options stand in the text of an instruction: name to file."""

_OPENING = re.compile(r"^Please choose the correct (?:answer|solution) to the question:\s*")
_OPTION = re.compile(r"\b(?:Answer|Solution)([1-9]):")
_FORMAT = re.compile(r"\s*Answer format:[^\n]*$")


def builtin_choices(_: Path | None = None) -> list[Item]:
    """The built-in commonsense questions."""
    return [
        _choice(
            "utility-builtin",
            row["id"],
            row["question"],
            _in_hashed_order(row["id"], [row["answer"], *row["wrong"]]),
            row["answer"],
        )
        for row in lines("commonsense.jsonl")
    ]


def builtin_arithmetic(_: Path | None = None) -> list[Item]:
    """The built-in word problems."""
    return [
        _number("arithmetic-builtin", row["id"], row["question"], row["answer"]) for row in lines("arithmetic.jsonl")
    ]


def csqa(data: Path | None) -> list[Item]:
    """CommonsenseQA's development questions (v1.0: three options).

    Raises:
        DataError: the file is missing, or a line is not such a question.
    """
    found = []
    for number, row in enumerate(jsonl_rows(data, CSQA, ("id", "answerKey")), start=1):
        question: Any = row.get("question")
        try:
            options = {one["label"]: one["text"].strip() for one in question["choices"]}
            found.append(
                _choice(
                    "utility-csqa",
                    row["id"],
                    question["stem"].strip(),
                    list(options.values()),
                    options[row["answerKey"]],
                )
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"line {number} is no question with options",
                where=str(data_path(data, CSQA)),
                expected="id, answerKey and question with stem and choices",
            ) from error
    return found


def instructed(data: Path | None, name: str) -> list[Item]:
    """A set of :data:`INSTRUCTED`. The instruction's own frame is taken off, so that all sets are asked alike.

    Raises:
        DataError: the file is missing, or an instruction does not have this form.
    """
    found = []
    for number, row in enumerate(json_rows(data, INSTRUCTED[name], ("instruction", "answer")), start=1):
        text = _FORMAT.sub("", _OPENING.sub("", row["instruction"].strip()))
        question, *parts = _OPTION.split(text)
        options = [option.strip() for option in parts[1::2]]
        right = re.fullmatch(r"(?:answer|solution)([1-9])", row["answer"])
        numbered = [str(at) for at in range(1, len(options) + 1)] == parts[0::2]
        if right is None or not numbered or int(right.group(1)) > len(options) or len(options) < 2:
            raise DataError(
                f"item {number} has no options that are numbered from 1 or no answer among them",
                where=str(data_path(data, INSTRUCTED[name])),
            )
        found.append(
            _choice(
                name,
                f"{name.removeprefix('utility-')}-{number:04d}",
                question.strip(),
                options,
                options[int(right.group(1)) - 1],
            )
        )
    return found


def gsm8k(data: Path | None) -> list[Item]:
    """GSM8K's test problems; the target is the number after ``####``.

    Raises:
        DataError: the file is missing, or an answer ends in no number.
    """
    found = []
    for number, row in enumerate(jsonl_rows(data, GSM8K, ("question", "answer")), start=1):
        target = row["answer"].rpartition("####")[2].strip()
        if final_number(target) is None:
            raise DataError(f"the answer of line {number} ends in no number", where=str(data_path(data, GSM8K)))
        found.append(_number("gsm8k", f"gsm8k-{number:04d}", row["question"].strip(), target))
    return found


def _in_hashed_order(identity: str, options: Sequence[str]) -> list[str]:
    return sorted(options, key=lambda text: seed_for(0, "options", identity, text))


def _choice(name: str, identity: str, question: str, options: Sequence[str], right: str) -> Item:
    return Item(
        measure="utility",
        way="choice",
        set=name,
        id=identity,
        cluster=identity,
        expects="answer",
        prompt=question,
        target=right,
        options=tuple(options),
    )


def _number(name: str, identity: str, question: str, target: str) -> Item:
    return Item(
        measure="utility",
        way="number",
        set=name,
        id=identity,
        cluster=identity,
        expects="answer",
        prompt=question,
        target=target,
    )
