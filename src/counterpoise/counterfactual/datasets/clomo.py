"""CLOMO: rewrite an argument until another premise stands in the stated relation to it.

Source: Huang et al., "CLOMO: Counterfactual Logical Modification with Large Language Models" (arXiv 2311.17438). An
item is an argument in numbered statements, two premises, and a relation (necessary assumption, sufficient assumption,
strengthens, weakens) that the first premise has to the argument. The question supposes that the second premise had it
instead; the target is the rewritten argument of the authors' annotators. Other rewritings can be as good: the score
compares the words that were taken out and put in, so it is lower than a reader's judgement would be.

The authors number the statements of some rewritten arguments with gaps (Statement1, Statement3). Where the rewritten
argument has as many statements as the original one, in order, its markers are numbered like those of the original: a
number is no part of the edit. Nothing else is changed in a text but the white space around it.

Which statements an edit changes follows from a comparison statement by statement and is kept as a facet. It is not
made gold of the causal stages: which statement is the conclusion, and what a change is about, do not follow from the
fields of an item, and a statement is too long for a value. Gold of the stages is this project's own, for the items it
has annotated; the others have the answer stage only.

Rejected are items whose markers are broken (``sent3:`` inside a statement, a marker twice or out of order) or whose
edit adds a statement, empties one, or changes nothing.

The test set is read where it is there, in one file or in the four files by relation that make it up; the development
set, which shares no item with it, only where no test file is there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from typing import Any

from counterpoise.counterfactual.case import Case, Role
from counterpoise.counterfactual.datasets.annotation import annotations
from counterpoise.counterfactual.datasets.dataset import Dataset, Download, Reject
from counterpoise.counterfactual.datasets.source_text import as_object, json_value, read_text, text_field
from counterpoise.errors import DataError
from counterpoise.records import content_hash

__all__ = ["DATASET", "LAYOUTS", "read"]


@dataclass(frozen=True, slots=True)
class _Relation:
    """What a premise is to the argument: as a facet, as it is, and as it is supposed to be."""

    name: str
    stated: str
    supposed: str


_RELATIONS = {
    0: _Relation("necessary assumption", "is a necessary assumption of", "were a necessary assumption of"),
    1: _Relation("sufficient assumption", "is a sufficient assumption of", "were a sufficient assumption of"),
    2: _Relation("strengthens", "strengthens", "strengthened"),
    3: _Relation("weakens", "weakens", "weakened"),
}
"""By the authors' ``qtype``."""


def read(data: Path | None) -> tuple[list[Case], list[Reject]]:
    """Read the first layout that the data folder has a file of; see :data:`LAYOUTS` for the order.

    Returns:
        The cases, sorted by id, and the items that cannot be used. A second occurrence of an item is rejected.

    Raises:
        DataError: there is no file, or it is malformed; names file and item.
    """
    for layout in LAYOUTS:
        paths = [path for file in layout.files if data is not None and (path := data / file).is_file()]
        if paths:
            return _cases(paths, layout.revision)
    raise DataError("no CLOMO file", where=str(data), expected=" or ".join(DATASET.files))


def _cases(paths: list[Path], revision: str) -> tuple[list[Case], list[Reject]]:
    cases: dict[str, Case] = {}
    rejects: list[Reject] = []
    first_seen: dict[str, str] = {}
    for path in paths:
        for number, value in enumerate(_items(path), start=1):
            where = f"{path} item {number}"
            item = as_object(value, where)
            identity = f"clomo-{_identity(item, where)}"
            short = f"{path.name} item {number}"
            if identity in first_seen:
                reason = f"the same item occurs twice ({short}, first {first_seen[identity]})"
                rejects.append(Reject(identity, reason))
                continue
            first_seen[identity] = short
            case = _case(item, identity, revision, where)
            if isinstance(case, Case):
                cases[identity] = case
            else:
                rejects.append(Reject(identity, f"{case} ({short})"))
    return [cases[identity] for identity in sorted(cases)], rejects


def _items(path: Path) -> list[Any]:
    value = json_value(read_text(path), path)
    if not isinstance(value, list):
        raise DataError(f"a {type(value).__name__}", where=str(path), expected="a JSON list of items")
    return value


def _identity(item: Mapping[str, Any], where: str) -> str:
    identity = text_field(item, "id_string", where).strip()
    if not identity:
        raise DataError("field 'id_string' is empty", where=where, expected="the id of the item")
    return identity


def _relation(item: Mapping[str, Any], where: str) -> _Relation:
    """The relation; the authors write its number as a number in some files and as a text in others."""
    said = item.get("qtype")
    if isinstance(said, str) and said.strip() in {str(number) for number in _RELATIONS}:
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int) or said not in _RELATIONS:
        raise DataError(f"field 'qtype' is {said!r}", where=where, expected="0, 1, 2 or 3")
    return _RELATIONS[said]


def _case(item: Mapping[str, Any], identity: str, revision: str, where: str) -> Case | str:
    """The case of an item, or why there is none."""
    relation = _relation(item, where)
    info = as_object(item.get("input_info"), f"{where}, input_info")
    original = text_field(info, "P", where).strip()
    edited = text_field(item, "output", where).strip()
    first = _premise(text_field(info, "O", where), 1)
    second = _premise(text_field(info, "Om", where), 2)
    if first is None or second is None:
        return "the marker of a premise is broken"
    if not _words(first) or not _words(second):
        return "a premise is empty"
    if _words(first) == _words(second):
        return "the two premises are the same"
    before, after = _statements(original), _statements(edited)
    if before is None or list(before) != list(range(1, len(before) + 1)) or not all(map(_words, before.values())):
        return "the markers of the statements are broken"
    if after is None:
        return "the markers of the edited statements are broken"
    if len(after) != len(before):
        return f"the edit makes {len(after)} statements of {len(before)}"
    changed = []
    for number, old, new in zip(before, before.values(), after.values(), strict=True):
        if not _words(new):
            return f"the edit leaves Statement{number} without words"
        if _words(old) != _words(new):
            changed.append(str(number))
    if not changed:
        return "the edit changes no word"
    annotation = annotations("clomo").get(identity)
    return Case(
        id=identity,
        dataset="clomo",
        modality="text",
        context=(
            f"Argument: {original}\nPremise 1: {first}\nPremise 2: {second}\nPremise 1 {relation.stated} the argument."
        ),
        question=(
            f"Suppose that Premise 2, and no longer Premise 1, {relation.supposed} the argument. How would the "
            "statements of the argument have to read? Keep their markers and add no statement."
        ),
        answer_kind="edit",
        variables=annotation.variables if annotation else (),
        edges=annotation.edges if annotation else (),
        intervention=annotation.intervention if annotation else {},
        target=_renumbered(edited),
        original=original,
        gold_kind="annotated" if annotation else "published",
        source=_SOURCE,
        revision=revision,
        # Two items can ask for other relations of the same argument.
        cluster="clomo-argument-" + content_hash(_words(original), length=10),
        facets={"relation": relation.name, "statements": str(len(before)), "changed": ", ".join(changed)},
    )


_MARKER = re.compile(r"\bStatement\s*(\d+)\s*:")
_FOREIGN_MARKER = re.compile(r"\b(?:sent(?:ence)?|premise)\s*\d+\s*:", re.IGNORECASE)


def _premise(text: str, number: int) -> str | None:
    """A premise without its marker; ``None`` where it has another one or none."""
    found = re.fullmatch(rf"\s*Premise\s*{number}\s*:(.*)", text, re.DOTALL)
    return found[1].strip() if found else None


def _statements(text: str) -> dict[int, str] | None:
    """Number in the marker to statement, in order; ``None`` where the markers are broken."""
    before, *parts = _MARKER.split(text)
    numbers = [int(number) for number in parts[::2]]
    in_order = all(first < second for first, second in pairwise(numbers))
    if before.strip() or not numbers or not in_order or _FOREIGN_MARKER.search(text):
        return None
    return dict(zip(numbers, (statement.strip() for statement in parts[1::2]), strict=True))


def _renumbered(text: str) -> str:
    """The text with its markers numbered from 1 on."""
    numbers = count(1)
    return _MARKER.sub(lambda _: f"Statement{next(numbers)}:", text)


def _words(text: str) -> list[str]:
    """Lower-case words and numbers: what an edit changes beyond typography."""
    return re.findall(r"[^\W_]+", text.casefold())


@dataclass(frozen=True, slots=True)
class _Layout:
    """Files that belong together, and what their version is called."""

    revision: str
    files: tuple[str, ...]


_SOURCE = "https://github.com/Eleanor-H/CLOMO"
_COMMIT = "9259ec19405cff8df1e9305b21d862c1e0d8bc58"
_CLONES = ("CLOMO/data/", "data/")
"""Where the authors' folder of data may lie: in a clone of their repository, or by itself."""
_BY_RELATION = tuple(f"zero_{relation}_test.json" for relation in ("ona", "osa", "os", "ow"))


def _layouts() -> Iterator[_Layout]:
    test, by_relation, dev = (
        f"{what} at {_COMMIT[:7]}"
        for what in ("zero-shot test set", "zero-shot test set by relation", "zero-shot development set")
    )
    for folder in ("clomo/", *_CLONES):
        yield _Layout(test, (f"{folder}zero_test.json",))
    for folder in ("clomo/", *(f"{clone}type_picked/" for clone in _CLONES)):
        yield _Layout(by_relation, tuple(folder + name for name in _BY_RELATION))
    for folder in ("clomo/", *_CLONES):
        yield _Layout(dev, (f"{folder}zero_dev.json",))


LAYOUTS = tuple(_layouts())
"""Where CLOMO may lie below the data folder, best first: the test set, its parts by relation, the development set."""

DATASET = Dataset(
    name="clomo",
    title="arguments rewritten so that another premise has the stated relation (CLOMO)",
    modality="text",
    gold_kind="annotated",
    source=_SOURCE,
    revision=_COMMIT,
    licence="none stated",
    roles={
        Role.EXPOSURE: "which of the two premises has the stated relation to the argument",
        Role.COVARIATE: "what the argument says that the edit keeps",
        Role.MEDIATOR: "the claim of the argument that the edit changes",
        Role.OUTCOME: "the conclusion of the argument",
    },
    gold="Rewritten arguments by the source's annotators; variables, edges and values annotated by this project.",
    files=tuple(file for layout in LAYOUTS for file in layout.files),
    downloads=(
        Download(
            path="clomo/zero_test.json",
            repository="Eleanor-H/CLOMO",
            revision=_COMMIT,
            file="data/zero_test.json",
            sha256="bd014f2a0c02f8314f90f7d8391e6ae10fa17517eeeb87679d00a0367ec01bbd",
        ),
    ),
    read=read,
)
