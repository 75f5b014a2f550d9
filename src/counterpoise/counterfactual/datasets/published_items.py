"""The questions that the published annotations belong to; see :mod:`~counterpoise.counterfactual.datasets.published`.

An annotation file holds roles and edges and at most a sentence of the item. What was asked, and what the right answer
is, stands in a second file beside it, or follows from the record itself. A join gives, for every record in order, the
item as a case without gold of the causal stages, or the reason why there is none. Joins are by text where the record
has one and by order where it has not, as each function says; a record whose partner is not in the file stays alone.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from counterpoise.counterfactual.case import Case, Photo
from counterpoise.counterfactual.datasets import malalgoqa
from counterpoise.counterfactual.datasets.arithmetic import addition_case
from counterpoise.counterfactual.datasets.published_records import Record
from counterpoise.counterfactual.datasets.rnn_typology import word_order_case
from counterpoise.counterfactual.datasets.source_text import as_object, csv_rows, json_value, read_text, text_field
from counterpoise.errors import DataError

__all__ = ["JOINS", "NO_ITEM", "REFUSED_ITEM", "Join"]

NO_ITEM = "raw item is not at hand"
REFUSED_ITEM = "raw item is refused"

Join = Callable[[Path | None, Sequence[Record]], list[Case | str]]
"""From the raw file, ``None`` where it is not there, and the records to their items, or why one has none."""


def _none(path: Path | None, records: Sequence[Record]) -> list[Case | str]:
    """The source publishes no raw items for these."""
    return [NO_ITEM] * len(records)


def _arithmetic(path: Path | None, records: Sequence[Record]) -> list[Case | str]:
    """No file: the operands are the covariates, the base is in the exposure."""
    found: list[Case | str] = []
    for record in records:
        base = re.match(r"(\d+)-based", record.counterfactual.exposure)
        try:
            first, second = record.counterfactual.covariates
            found.append(addition_case(first, second, int(base[1]) if base else 0))
        except ValueError:
            found.append(NO_ITEM)
    return found


def _clomo(path: Path | None, records: Sequence[Record]) -> list[Case | str]:
    """By order, because a record's text is the instruction, which many items share; the text must agree."""
    items = _list(path)
    return [
        _clomo_item(item, where) if record.text == text_field(item, "instruction", where) else NO_ITEM
        for record, (where, item) in zip(records, items, strict=False)
    ] + [NO_ITEM] * (len(records) - len(items))


def _clomo_item(item: dict[str, Any], where: str) -> Case:
    info = as_object(item.get("input_info"), f"{where}, input_info")
    identity = text_field(item, "id_string", where)
    return Case(
        id=identity,
        dataset="CLOMO",
        modality="text",
        context=text_field(item, "input", where).rpartition("Please write")[0].strip(),
        question=text_field(item, "instruction", where).strip(),
        answer_kind="edit",
        target=text_field(item, "output", where).strip(),
        original=text_field(info, "P", where).strip(),
        gold_kind="published",
        source="",
        revision="",
        cluster=identity,
    )


def _crass(path: Path | None, records: Sequence[Record]) -> list[Case | str]:
    """By text, which is the whole item."""
    if path is None:
        return [NO_ITEM] * len(records)
    task = as_object(json_value(read_text(path), path), str(path))
    examples = task.get("examples")
    if not isinstance(examples, list):
        raise DataError("no list 'examples'", where=str(path), expected="a BIG-bench task")
    by_text: dict[str, Case] = {}
    for number, value in enumerate(examples, start=1):
        where = f"{path} example {number}"
        example = as_object(value, where)
        text = " ".join(text_field(example, "input", where).split())
        scores = as_object(example.get("target_scores"), f"{where}, target_scores")
        correct = [index for index, score in enumerate(scores.values()) if score == 1]
        if len(correct) != 1:
            raise DataError(f"{len(correct)} options of score 1", where=where, expected="exactly one")
        premise, *question = re.split(r"(?<=[.?!])\s+(?=what\s+would\b)", text, maxsplit=1, flags=re.IGNORECASE)
        by_text[text] = Case(
            id=text,
            dataset="CRASS",
            modality="text",
            context=premise if question else "",
            question=question[0] if question else text,
            options=tuple(" ".join(option.split()) for option in scores),
            answer_kind="choice",
            target=chr(ord("A") + correct[0]),
            gold_kind="published",
            source="",
            revision="",
            cluster=premise,
        )
    return [by_text.get(" ".join((record.text or "").split()), NO_ITEM) for record in records]


def _cvqa(path: Path | None, records: Sequence[Record]) -> list[Case | str]:
    """By question and, where a covariate names it, picture; in order, so that a repeated row has its own record."""
    rows = list(csv_rows(path, _CVQA_COLUMNS)) if path is not None else []
    found: list[Case | str] = []
    start = 0
    for record in records:
        pictures = [text for text in record.factual.covariates if text.endswith(".jpg")]
        index = next(
            (
                index
                for index, (_, row) in enumerate(rows[start:], start=start)
                if row["query"] == record.text and (not pictures or row["file_name"] in pictures)
            ),
            None,
        )
        if index is None:
            found.append(NO_ITEM)
            continue
        start = index + 1
        found.append(_cvqa_item(rows[index][1]))
    return found


def _cvqa_item(row: dict[str, str]) -> Case:
    return Case(
        id=f"{row['file_name']} {row['new query']}",
        dataset="CVQA",
        modality="image",
        context=f"A question about the picture: {row['query']} The answer: {row['answer']}.",
        media=(Photo(file=f"cvqa/images/{row['file_name']}"),),
        question=row["new query"],
        answer_kind="label" if row["type"] == "boolean" else "number",
        target=row["new answer"],
        gold_kind="published",
        source="",
        revision="",
        cluster=row["file_name"],
    )


_CVQA_COLUMNS = ("file_name", "query", "answer", "new query", "new answer", "type")


def _humaneval(path: Path | None, records: Sequence[Record]) -> list[Case | str]:
    """By program and input, which are the covariate and the mediator; the first record, written by hand, by order."""
    items = _list(path)
    by_call: dict[tuple[str, str], Case] = {}
    for where, item in items:
        case = _humaneval_item(item, where)
        by_call.setdefault((text_field(item, "instruction", where), text_field(item, "input", where)), case)
    found: list[Case | str] = []
    for index, record in enumerate(records):
        call = (record.factual.covariates[:1] or ("",))[0], (record.factual.mediators[:1] or ("",))[0]
        if index == 0 and items and call not in by_call:
            found.append(_humaneval_item(items[0][1], items[0][0]))
        else:
            found.append(by_call.get(call, NO_ITEM))
    return found


def _humaneval_item(item: dict[str, Any], where: str) -> Case:
    program, arguments, output = (text_field(item, name, where) for name in ("instruction", "input", "output"))
    names = re.findall(r"\bdef (\w+)\(", program)
    return Case(
        id=text_field(item, "id", where),
        dataset="HumanEval-Exe",
        modality="code",
        context=f"{program}\n\nThe call {names[-1] if names else ''}({arguments}) returns {output}.",
        question="What would the call return if positions in a list were counted from 1 instead of 0?",
        answer_kind="literal",
        target=text_field(item, "cf_output", where),
        gold_kind="published",
        source="",
        revision="",
        cluster=text_field(item, "source", where),
        facets={"returned": output},
    )


def _malalgoqa(path: Path | None, records: Sequence[Record]) -> list[Case | str]:
    """By order: three records a question, one for every wrong choice, whose letter the counterfactual outcome says."""
    if path is None:
        return [NO_ITEM] * len(records)
    cases, rejects = malalgoqa.cases_of(path, "")
    by_id = {case.id: case for case in cases}
    refused = {reject.id for reject in rejects}
    found: list[Case | str] = []
    for index, record in enumerate(records):
        letter = re.match(r"Choice ([A-D])\b", record.counterfactual.outcome)
        question = f"malalgoqa-{index // 3}"
        identity = f"{question}-{letter[1]}" if letter else question
        item = by_id.get(identity)
        found.append(item or (REFUSED_ITEM if refused & {question, identity} else NO_ITEM))
    return found


def _rnn(path: Path | None, records: Sequence[Record]) -> list[Case | str]:
    """By text, which is the sentence."""
    if path is None:
        return [NO_ITEM] * len(records)
    pairs = as_object(json_value(read_text(path), path), str(path))
    found: list[Case | str] = []
    for record in records:
        text = record.text or ""
        words = text.removesuffix(".").split()
        if text not in pairs or len(words) != 3:
            found.append(NO_ITEM)
            continue
        try:
            case = word_order_case(words[0], words[1], words[2], "sov")
        except ValueError:
            found.append(REFUSED_ITEM)
            continue
        found.append(case if case.target == pairs[text] else REFUSED_ITEM)
    return found


def _list(path: Path | None) -> list[tuple[str, dict[str, Any]]]:
    return [] if path is None else list(_objects(path))


def _objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    value = json_value(read_text(path), path)
    if not isinstance(value, list):
        raise DataError(f"a {type(value).__name__}", where=str(path), expected="a JSON list of items")
    for number, item in enumerate(value, start=1):
        where = f"{path} item {number}"
        yield where, dict(as_object(item, where))


JOINS: dict[str, tuple[str | None, Join]] = {
    "Arithmetic": (None, _arithmetic),
    "Arithmetic-Base-16": (None, _arithmetic),
    "CLOMO": ("parsed_data.json", _clomo),
    "COCO": (None, _none),
    "CRASS": ("CRASS_FTM_BIG_Bench_data_set.json", _crass),
    "CVQA-Bool": ("boolean.csv", _cvqa),
    "CVQA-Count": ("counting.csv", _cvqa),
    "Code-Preference": (None, _none),
    "HumanEval-Exe": ("parsed_data.json", _humaneval),
    "MalAlgoQA": ("parsed_data.json", _malalgoqa),
    "Open-Critic": (None, _none),
    "RNN-Typology": ("parsed_data.json", _rnn),
}
"""Name of a dataset to the file of its raw items, beside the annotations, and the join."""
