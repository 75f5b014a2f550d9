"""CRASS: what would have happened if, in everyday life, with options written by people.

Source: Frohberg and Binder, "CRASS: A Novel Data Set and Benchmark to Test Counterfactual Reasoning of Large Language
Models" (LREC 2022). The set travels in several layouts, all of which are read; the first of :data:`FILES` that exists
is used. An item has the same id in every layout. The options' key is the authors' own; the gold of the causal stages is
this project's, for the items it has annotated, and the other items have the answer stage only.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from counterpoise.counterfactual.case import Case, Role
from counterpoise.counterfactual.datasets.annotation import annotations
from counterpoise.counterfactual.datasets.dataset import Dataset, Download, Reject
from counterpoise.counterfactual.datasets.source_text import (
    as_object,
    json_lines,
    json_value,
    read_text,
    text_field,
)
from counterpoise.errors import DataError
from counterpoise.records import content_hash
from counterpoise.rng import rng_for

__all__ = ["DATASET", "FILES", "case_id", "read"]


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of any layout: texts as the file has them, the gold answer as a text, and where it stands."""

    where: str
    premise: str
    question: str
    options: tuple[str, ...]
    gold: str
    gold_first: bool = False


def case_id(premise: str, question: str) -> str:
    """The id of an item: from its words alone, so case, spacing and punctuation do not change it.

    >>> case_id("A dog barks.", "What if it had not?") == case_id(" a dog  barks", "What if it had not")
    True
    """
    return "crass-" + content_hash([_words(premise), _words(question)], length=10)


def read(data: Path | None) -> tuple[list[Case], list[Reject]]:
    """Read the first layout that the data folder has; see :data:`FILES` for the order.

    Returns:
        The cases, sorted by id, and the items that cannot be used. A second occurrence of an item is rejected.

    Raises:
        DataError: there is no file, or it is malformed; names file and line.
    """
    for file, layout in FILES.items():
        if data is not None and (path := data / file).is_file():
            return _cases(layout.items(path), layout.revision)
    raise DataError("no CRASS file", where=str(data), expected=" or ".join(FILES))


def _cases(items: Iterator[_Item], revision: str) -> tuple[list[Case], list[Reject]]:
    cases: dict[str, Case] = {}
    rejects: list[Reject] = []
    first_seen: dict[str, str] = {}
    for item in items:
        identity = case_id(item.premise, item.question)
        if identity in first_seen:
            reason = f"the same item occurs twice ({item.where}, first {first_seen[identity]})"
            rejects.append(Reject(identity, reason))
            continue
        case = _case(item, identity, revision)
        if isinstance(case, Case):
            cases[identity] = case
            first_seen[identity] = item.where
        else:
            rejects.append(Reject(identity, f"{case} ({item.where})"))
    return [cases[identity] for identity in sorted(cases)], rejects


def _case(item: _Item, identity: str, revision: str) -> Case | str:
    """The case of an item, or why there is none."""
    if not _words(item.premise):
        return "the premise is empty"
    if not _words(item.question):
        return "the question is empty"
    gold = _clean(item.gold)
    # Three-option items of the four-column layouts leave one column empty or put a dash there.
    options = [text for text in map(_clean, item.options) if _words(text)]
    if not _words(gold):
        return "the correct answer is an empty option"
    if gold not in options:
        return "the correct answer is none of the options"
    if len(options) > 26:
        return f"{len(options)} options"
    if item.gold_first:
        rng_for(0, "crass", identity).shuffle(options)
    annotation = annotations("crass").get(identity)
    return Case(
        id=identity,
        dataset="crass",
        modality="text",
        context=_clean(item.premise),
        question=_clean(item.question),
        options=tuple(options),
        answer_kind="choice",
        variables=annotation.variables if annotation else (),
        edges=annotation.edges if annotation else (),
        intervention=annotation.intervention if annotation else {},
        target=chr(ord("A") + options.index(gold)),
        gold_kind="annotated" if annotation else "published",
        source=_SOURCE,
        revision=revision,
        cluster="crass-premise-" + content_hash(_words(item.premise), length=10),
        facets={"options": str(len(options)), "gold": "impossible" if _words(gold) == _IMPOSSIBLE else "consequence"},
    )


_SOURCE = "https://github.com/apergo-ai/CRASS-data-set"
_IMPOSSIBLE = "that is not possible"


def _clean(text: str) -> str:
    """The text with single spaces and none at its ends."""
    return " ".join(text.split())


def _words(text: str) -> str:
    """Lower-case words and numbers of a text: what two copies of an item share whatever their typography."""
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold()))


def _calm(path: Path) -> Iterator[_Item]:
    """CaLM: one object a line, options shuffled, the key is an option's number."""
    for where, record in json_lines(path):
        fields = {name: text_field(record, name, where) for name in ("premise", "QCC", *_CALM_OPTIONS)}
        key = str(record.get("gt_answer")).strip()
        if key not in ("1", "2", "3", "4"):
            raise DataError(f"field 'gt_answer' is {record.get('gt_answer')!r}", where=where, expected="1, 2, 3 or 4")
        options = tuple(fields[name] for name in _CALM_OPTIONS)
        yield _Item(where.removeprefix(f"{path} "), fields["premise"], fields["QCC"], options, options[int(key) - 1])


_CALM_OPTIONS = ("Answer1", "Answer2", "Answer3", "Answer4")


def _csv(path: Path) -> Iterator[_Item]:
    """The original file: semicolons, the correct answer in its own column before the wrong ones."""
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), delimiter=";", strict=True)
    try:
        columns = [name.strip() for name in reader.fieldnames or ()]
        if missing := [name for name in _CSV_COLUMNS if name not in columns]:
            raise DataError(
                f"no column {', '.join(missing)}", where=f"{path} line 1", expected="columns " + ", ".join(_CSV_COLUMNS)
            )
        reader.fieldnames = columns
        for row in reader:
            where = f"{path} line {reader.line_num}"
            if None in row:
                raise DataError("more cells than columns", where=where, expected=f"{len(columns)} cells")
            # Only the last column may be left out: a shorter row was cut.
            texts = [row[name] for name in _CSV_COLUMNS]
            if any(text is None for text in texts):
                raise DataError("fewer cells than columns", where=where, expected=f"{len(columns)} cells")
            premise, question, *options = texts
            yield _Item(
                f"line {reader.line_num}",
                premise,
                question,
                (*options, row.get(_CSV_THIRD) or ""),
                options[0],
                gold_first=True,
            )
    except csv.Error as error:
        # line_num is that of the last whole row.
        raise DataError(f"not valid CSV: {error}", where=f"{path} line {reader.line_num + 1}") from error


_CSV_COLUMNS = ("Premise", "QCC", "CorrectAnswer", "Answer1", "Answer2")
_CSV_THIRD = "PossibleAnswer3"


def _big_bench(path: Path) -> Iterator[_Item]:
    """BIG-bench: premise and question in one text, options as ordered keys with a score of 0 or 1."""
    task = as_object(json_value(read_text(path), path), str(path))
    examples = task.get("examples")
    if not isinstance(examples, list):
        raise DataError("no list 'examples'", where=str(path), expected="a BIG-bench task")
    for number, value in enumerate(examples, start=1):
        where = f"{path} example {number}"
        example = as_object(value, where)
        text = text_field(example, "input", where)
        scores = as_object(example.get("target_scores"), f"{where}, target_scores")
        correct = [option for option, score in scores.items() if score == 1]
        if len(correct) != 1:
            raise DataError(f"{len(correct)} options of score 1", where=where, expected="exactly one")
        parts = _QUESTION.search(text)
        premise, question = (text[: parts.start()], text[parts.start() :]) if parts else ("", text)
        yield _Item(f"example {number}", premise, question, tuple(scores), correct[0])


_QUESTION = re.compile(r"(?<=[.?!])\s+what\s+would\b", re.IGNORECASE)
"""Where the question begins: with the first sentence that opens with "What would"."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a file is read, and what its version is called."""

    revision: str
    items: Callable[[Path], Iterator[_Item]]


FILES: dict[str, _Layout] = {
    "crass/crass_274_calm_en.jsonl": _Layout("CaLM CR-C (English)", _calm),
    "crass/CRASS_FTM_main_data_set.csv": _Layout("original CSV", _csv),
    "CRASS_FTM_main_data_set.csv": _Layout("original CSV", _csv),
    "crass/crass_ftm_bigbench_60.json": _Layout("60 items in BIG-bench form", _big_bench),
    "crass/CRASS_FTM_BIG_Bench_data_set.json": _Layout("60 items in BIG-bench form", _big_bench),
    "crass/bigbench_crass_ai_task.json": _Layout("BIG-bench 1.0.0 crass_ai", _big_bench),
}
"""Where CRASS may lie below the data folder, best first: the full sets, then the 60-item file, then BIG-bench's 44."""

DATASET = Dataset(
    name="crass",
    title="everyday what-if questions with three or four options (CRASS)",
    modality="text",
    gold_kind="annotated",
    source=_SOURCE,
    revision="LREC 2022",
    licence="Apache-2.0",
    roles={
        Role.EXPOSURE: "the action or circumstance that the question replaces",
        Role.COVARIATE: "standing conditions",
        Role.MEDIATOR: "what physically or socially follows",
        Role.OUTCOME: "the result that the options speak about",
    },
    gold=(
        "The key is the authors'. Causal gold is this project's, annotated twice and reconciled; items without it are "
        "asked end to end only."
    ),
    files=tuple(FILES),
    downloads=(
        Download(
            path="crass/CRASS_FTM_main_data_set.csv",
            repository="apergo-ai/CRASS-data-set",
            revision="main",
            file="CRASS_FTM_main_data_set.csv",
        ),
    ),
    read=read,
)
