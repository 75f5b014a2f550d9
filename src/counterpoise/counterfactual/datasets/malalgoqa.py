"""MalAlgoQA: which choice of a mathematics question does a flawed rule lead to.

Source: Sonkar, Liu, Le and Baraniuk, "MalAlgoQA: Pedagogical Evaluation of Counterfactual Reasoning in Large Language
Models and Implications for AI in Education" (Findings of EMNLP 2024, arXiv 2407.00938). A question has four choices,
and for each of them its authors wrote the rationale by which somebody arrives at it: one correct, three flawed. A case
is a question with one flawed rationale: it supposes that this rule is used instead of the correct one, which the case
does not state, and asks for the choice. The key is the authors' own; the gold of the causal stages is this project's,
for the items it has annotated, and the other items have the answer stage only.

The authors hand the set out on request, so nothing is fetched. Read are JSON, a list of records, and CSV with the same
columns: the first is how arXiv 2505.11839 has it, the second a guess at what a user may be sent. Other columns are left
alone. Choices keep their letters and order; rows of spaces in a text become one.

Rejected is a whole question with an unknown answer letter, a missing or repeated choice, or no rationale of the correct
choice (there is then no rule that the flawed one could replace). Rejected is a single choice without a rationale, and
choices that share one: the rule does not say which of them it leads to.

Two facets tell what a rationale is worth. ``states_choice``: all numbers of the choice occur in it (its words, where it
has no number), as in "45 + 22 = 77", so that little has to be worked out. ``mismatch``: it counts objects that the
question does not have, which happens where the authors changed a question and not its rationales. This is found by
three turns of phrase ("number of pencils", "the blocks she", "cookies left") and not otherwise, so "no" means that none
was found.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpoise.counterfactual.case import Case, Role
from counterpoise.counterfactual.datasets.annotation import annotations
from counterpoise.counterfactual.datasets.dataset import Dataset, Reject
from counterpoise.counterfactual.datasets.source_text import as_object, csv_rows, json_value, read_text
from counterpoise.errors import DataError
from counterpoise.records import content_hash

__all__ = ["DATASET", "FILES", "LETTERS", "cases_of", "read"]

LETTERS = "ABCD"


def read(data: Path | None) -> tuple[list[Case], list[Reject]]:
    """Read the first file that the data folder has; see :data:`FILES` for the order.

    Returns:
        The cases, in the order of the file, and what cannot be used. A second occurrence of an item is rejected.

    Raises:
        DataError: there is no file, or it is malformed; names file and record.
    """
    for file, revision in FILES.items():
        if data is not None and (path := data / file).is_file():
            return cases_of(path, revision)
    raise DataError("no MalAlgoQA file", where=str(data), expected=" or ".join(FILES), fix=_OBTAIN)


def cases_of(path: Path, revision: str) -> tuple[list[Case], list[Reject]]:
    """The cases of one file, and what cannot be used.

    Args:
        path: a file of records; CSV where its name ends in ``.csv``, else JSON.
        revision: what its version is called.

    Raises:
        DataError: the file is malformed; names file and record.
    """
    cases: list[Case] = []
    rejects: list[Reject] = []
    by_number: dict[str, str] = {}
    by_content: dict[str, str] = {}
    for where, record in _csv(path) if path.suffix.lower() == ".csv" else _json(path):
        short = where.removeprefix(f"{path} ").removeprefix(f"{path}, ")
        item = _item(record, where)
        identity = f"malalgoqa-{item.number}"
        content = content_hash([_words(item.question), *map(_words, item.choices), *map(_words, item.rationales)])
        first = by_number.get(item.number) or by_content.get(content)
        if first is not None:
            what = "id" if item.number in by_number else "item"
            rejects.append(Reject(identity, f"the same {what} occurs twice ({short}, first {first})"))
            continue
        by_number[item.number] = by_content[content] = short
        if fault := _fault(item):
            rejects.append(Reject(identity, f"{fault} ({short})"))
            continue
        for letter in LETTERS.replace(item.answer, ""):
            if fault := _rationale_fault(item, letter):
                rejects.append(Reject(f"{identity}-{letter}", f"{fault} ({short})"))
            else:
                cases.append(_case(item, letter, revision))
    return cases, rejects


@dataclass(frozen=True, slots=True)
class _Item:
    """A record: its texts with single spaces, empty where there is none."""

    number: str
    question: str
    answer: str
    choices: tuple[str, ...]
    rationales: tuple[str, ...]

    def rationale(self, letter: str) -> str:
        return self.rationales[LETTERS.index(letter)]


def _item(record: Mapping[str, Any], where: str) -> _Item:
    texts = {name: _text(record, name, where) for name in _COLUMNS}
    if not texts["ID"]:
        raise DataError("field 'ID' is empty", where=where, expected="the id of the question")
    return _Item(
        number=texts["ID"],
        question=texts["Question"],
        answer=texts["Answer"].upper(),
        choices=tuple(texts[f"Choice_{letter}"] for letter in LETTERS),
        rationales=tuple(texts[f"Rationale_{letter}"] for letter in LETTERS),
    )


def _text(record: Mapping[str, Any], name: str, where: str) -> str:
    """The text in a field: a number is its text, and null and "not a number" are what empty cells are written as."""
    if name not in record:
        raise DataError(f"no field {name!r}", where=where, expected=", ".join(_COLUMNS))
    value = record[name]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DataError(f"field {name!r} is a {type(value).__name__}", where=where, expected="a text")
    return " ".join(str(value).split())


def _fault(item: _Item) -> str | None:
    """Why no case can be made of a question, or ``None``."""
    if not item.question:
        return "the question is empty"
    if len(item.answer) != 1 or item.answer not in LETTERS:
        return f"the answer is {item.answer[:20]!r}, not one of {', '.join(LETTERS)}"
    for letter, choice in zip(LETTERS, item.choices, strict=True):
        if not choice:
            return f"choice {letter} is empty"
    seen: dict[str, str] = {}
    for letter, choice in zip(LETTERS, item.choices, strict=True):
        earlier = seen.setdefault(choice.casefold(), letter)
        if earlier != letter:
            return f"choices {earlier} and {letter} are the same"
    if not item.rationale(item.answer):
        return "the correct choice has no rationale"
    return None


def _rationale_fault(item: _Item, letter: str) -> str | None:
    """Why no case can be made of a wrong choice, or ``None``."""
    rationale = item.rationale(letter)
    if not rationale:
        return f"choice {letter} has no rationale"
    for other in LETTERS.replace(letter, ""):
        if _words(item.rationale(other)) == _words(rationale):
            return f"choices {letter} and {other} have the same rationale"
    return None


def _case(item: _Item, letter: str, revision: str) -> Case:
    identity = f"malalgoqa-{item.number}-{letter}"
    rationale = item.rationale(letter)
    choice = item.choices[LETTERS.index(letter)]
    annotation = annotations("malalgoqa").get(identity)
    return Case(
        id=identity,
        dataset="malalgoqa",
        modality="mathematics",
        # The choices belong to the problem: some questions have their numbers nowhere else.
        context="\n".join(
            [item.question, "Choices:", *(f"{name}. {text}" for name, text in zip(LETTERS, item.choices, strict=True))]
        ),
        question=(
            "Suppose that the rule used to solve the problem were this flawed one instead of the correct one: "
            f'"{rationale}" Which choice would be given?'
        ),
        options=item.choices,
        answer_kind="choice",
        variables=annotation.variables if annotation else (),
        edges=annotation.edges if annotation else (),
        intervention=annotation.intervention if annotation else {},
        target=letter,
        gold_kind="annotated" if annotation else "published",
        source=_SOURCE,
        revision=revision,
        # The flawed rules of a question share everything else.
        cluster="malalgoqa-question-" + content_hash([_words(item.question), *map(_words, item.choices)], length=10),
        facets={
            "states_choice": _yes(_states(rationale, choice)),
            "mismatch": _yes(_foreign(rationale, f"{item.question} {' '.join(item.choices)}")),
        },
    )


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _words(text: str) -> str:
    """Lower-case words, numbers and signs of a text: what two copies share whatever their spacing and full stops."""
    return " ".join(re.findall(r"[^\W_]+|[+*/=<>×÷−-]", unicodedata.normalize("NFKC", text).casefold()))


_NUMBER = re.compile(r"\d+(?:[,.:]\d+)*")


def _states(rationale: str, choice: str) -> bool:
    """Whether a rationale says the choice: all its numbers, or, where it has none, its words one after the other."""
    numbers = set(_NUMBER.findall(choice))
    if numbers:
        return numbers <= set(_NUMBER.findall(rationale))
    return bool(_words(choice)) and f" {_words(choice)} " in f" {_words(rationale)} "


_COUNTED = re.compile(
    r"\bnumber of ([a-z]{3,}s)\b"
    r"|\bthe ([a-z]{3,}s) (?:she|he|they|it|we|you)\b"
    r"|\b([a-z]{3,}s) (?:left|remaining|sold|lost)\b"
)
_GENERAL = frozenset(
    "numbers digits values terms amounts items things objects units places ones tens hundreds thousands zeros times "
    "seconds minutes hours days weeks months years coins cents dollars sides angles faces edges parts pieces "
    "groups".split()
)
"""Words for what any question may count."""


def _foreign(rationale: str, known: str) -> bool:
    """Whether a rationale counts objects that are not in the question or its choices."""
    words = set(re.findall(r"[a-z]+", known.casefold()))
    counted = {noun for match in _COUNTED.finditer(rationale.casefold()) for noun in match.groups() if noun}
    return any(noun not in words and noun.removesuffix("s") not in words for noun in counted - _GENERAL)


def _json(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    value = json_value(read_text(path), path)
    if not isinstance(value, list):
        raise DataError(f"a {type(value).__name__}", where=str(path), expected="a JSON list of records")
    for number, record in enumerate(value, start=1):
        where = f"{path} record {number}"
        yield where, as_object(record, where)


def _csv(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from csv_rows(path, _COLUMNS)


_COLUMNS = (
    "ID",
    "Question",
    "Answer",
    *(f"Choice_{letter}" for letter in LETTERS),
    *(f"Rationale_{letter}" for letter in LETTERS),
)
_SOURCE = "https://github.com/luffycodes/MalAlgoQA-Dataset"
_OBTAIN = (
    "ask for the set with the form in its authors' repository, and put it into the data folder as "
    "malalgoqa/malalgoqa.json or malalgoqa/malalgoqa.csv"
)

FILES = {
    "malalgoqa/malalgoqa.json": "as given out by its authors",
    "malalgoqa/malalgoqa.csv": "as given out by its authors",
    "malalgoqa/parsed_data.json": "as in arXiv 2505.11839",
    "published_annotations/MalAlgoQA/parsed_data.json": "as in arXiv 2505.11839, IDs 0 to 30",
    "malalgoqa/malalgoqa_first20.json": "as in arXiv 2505.11839, IDs 0 to 19",
}
"""Where MalAlgoQA may lie below the data folder, with the name of its version: what can hold the most records first.

The last two are excerpts of one file, the last one of the one before it, so reading the first that is there loses
nothing.
"""

DATASET = Dataset(
    name="malalgoqa",
    title="the choice that a flawed rule leads to, for mathematics questions (MalAlgoQA)",
    modality="mathematics",
    gold_kind="annotated",
    source=_SOURCE,
    revision="EMNLP 2024",
    licence="on request from its authors",
    roles={
        Role.EXPOSURE: "the rule that is used",
        Role.COVARIATE: "the numbers and quantities that the question gives",
        Role.MEDIATOR: "intermediate results of the rule",
        Role.OUTCOME: "the choice",
    },
    gold="Choices by the source's authors; variables, edges and values annotated by this project.",
    files=tuple(FILES),
    obtain=_OBTAIN,
    read=read,
)
