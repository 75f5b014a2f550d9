"""The annotations that the authors of arXiv 2505.11839 published, and what is wrong with them.

"On the Eligibility of LLMs for Counterfactual Reasoning: A Decompositional Study" comes with roles and edges for some
thirty items of each of its eleven datasets (three for two of them). They are read here as gold of kind ``published``,
so that a user can see what they hold up to and can use the records that do. Nothing in this project is measured with
them unless a user asks for it, and no file of theirs is known by its digest: what is read is what the folder has.

A record states the four roles in both worlds, as texts, and a graph for each. In that scheme a variable has no name
beside its value, so the factual text is taken as both: name and factual value of a variable, whose counterfactual value
is the text in the same place of the other world. A mediator that only the counterfactual world has, has no factual
value. The case's graph is the factual one; the counterfactual one must be the same, or lack edges into the exposure.
What was asked comes from the raw items, see :mod:`~counterpoise.counterfactual.datasets.published_items`.

A *defect* is a reason not to use a record: it holds no value where one belongs, contradicts itself or its item, its
graph is none, or a value is longer than a stage lets a model answer, as whole programs are. Every defect is found in
the record as it stands, has a name in :data:`DEFECTS`, and is counted once a record and world. A sound record also
passes :func:`~counterpoise.counterfactual.case.problems`. That says that it has the form of gold. It does not say that
it is true: most graphs are one template, and no outcome of a program was ever run. A *remark*, see :data:`REMARKS`, is
what a reader should know and may be right: an outcome that the change leaves alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpoise.counterfactual.case import Case, Role, Variable, problems
from counterpoise.counterfactual.datasets.dataset import Download, Reject
from counterpoise.counterfactual.datasets.published_defects import ITEM_DEFECTS, RECORD_DEFECTS
from counterpoise.counterfactual.datasets.published_defects import REMARKS as REMARK_CHECKS
from counterpoise.counterfactual.datasets.published_items import JOINS, NO_ITEM, REFUSED_ITEM
from counterpoise.counterfactual.datasets.published_records import Record, read_records
from counterpoise.errors import DataError, UnknownNameError

__all__ = ["DEFECTS", "DOWNLOADS", "FOLDER", "REMARKS", "defects", "published_cases", "read_published"]

FOLDER = "published_annotations"
"""Where the source's folder ``data`` lies below the data folder."""


def read_published(data: Path | None) -> dict[str, tuple[list[Case], list[Reject]]]:
    """The sound cases and the rejects of every dataset that the data folder has annotations of, by its name there.

    Raises:
        DataError: there is no annotation file, or one is malformed; names file and record.
    """
    return {name: _read(name, path) for name, path in _present(data).items()}


def published_cases(name: str, data: Path | None) -> tuple[list[Case], list[Reject]]:
    """The sound cases of one dataset, and a reject with every defect for each of the other records.

    Args:
        name: as the source's folders are called ("CRASS").
        data: the data folder.

    Raises:
        UnknownNameError: no such dataset.
        DataError: there is no annotation file of it, or it is malformed; names file and record.
    """
    if name not in JOINS:
        raise UnknownNameError("published dataset", name, JOINS)
    path = _present(data).get(name)
    if path is None:
        raise DataError(f"no published annotations of {name}", where=str(data), expected=_path(name))
    return _read(name, path)


def defects(data: Path | None) -> dict[str, dict[str, Any]]:
    """What is wrong with the published annotations, by dataset.

    Returns:
        By dataset: ``records`` and ``sound``, their numbers; ``defects`` and ``remarks``, the number of records by
        what is wrong or notable, most frequent first.

    Raises:
        DataError: as :func:`read_published`.
    """
    table: dict[str, dict[str, Any]] = {}
    for name, path in _present(data).items():
        judged = list(_judged(name, path))
        table[name] = {
            "records": len(judged),
            "sound": sum(not one.defects for one in judged),
            "defects": _count(one.defects for one in judged),
            "remarks": _count(one.remarks for one in judged),
        }
    return table


def _count(lists: Iterable[Iterable[str]]) -> dict[str, int]:
    # What the validator says of one record is behind a colon.
    names = (name for reasons in lists for name in dict.fromkeys(reason.partition(": ")[0] for reason in reasons))
    return dict(Counter(names).most_common())


def _path(name: str) -> str:
    return f"{FOLDER}/{name}/{_FILES.get(name, 'causal_variables_and_graph_edges.json')}"


_FILES = {"Arithmetic-Base-16": "flattened_processed_16_9_first30.json"}


def _present(data: Path | None) -> dict[str, Path]:
    """The datasets that the data folder has annotations of, with their files."""
    present = {name: path for name in JOINS if data is not None and (path := data / _path(name)).is_file()}
    if not present:
        raise DataError("no published annotations", where=str(data), expected=" or ".join(map(_path, JOINS)))
    return present


def _read(name: str, path: Path) -> tuple[list[Case], list[Reject]]:
    cases: list[Case] = []
    rejects: list[Reject] = []
    for one in _judged(name, path):
        if one.case is not None and not one.defects:
            cases.append(one.case)
        else:
            rejects.append(Reject(_identity(name, one.record), "; ".join(one.defects)))
    return cases, rejects


@dataclass(frozen=True, slots=True)
class _Judged:
    """A record with its case, ``None`` where its item is not at hand, and the names of what is wrong and notable."""

    record: Record
    case: Case | None
    defects: tuple[str, ...]
    remarks: tuple[str, ...]


def _judged(name: str, path: Path) -> Iterator[_Judged]:
    records = read_records(path)
    raw, join = JOINS[name]
    raw_path = path.parent / raw if raw is not None and (path.parent / raw).is_file() else None
    seen: set[str] = set()
    for record, item in zip(records, join(raw_path, records), strict=True):
        found = [reason for reason, holds in RECORD_DEFECTS.items() if holds(record)]
        if record.id in seen:
            found.append(_REPEATED)
        seen.add(record.id)
        case = None
        if isinstance(item, str):
            found.append(item)
        else:
            found += [reason for reason, holds in ITEM_DEFECTS.get(name, {}).items() if holds(record, item)]
            case = _case(name, record, item)
            if not found:
                found += [f"{_INVALID}: {fault}" for fault in problems(case)]
        notable = tuple(reason for reason, holds in REMARK_CHECKS.items() if holds(record))
        yield _Judged(record, case, tuple(found), notable)


def _identity(name: str, record: Record) -> str:
    return f"published-{name.lower()}-{record.id}"


def _case(name: str, record: Record, item: Case) -> Case:
    """The item with the record's roles and factual graph as gold."""
    variables = []
    for role in Role:
        before, after = record.factual.roles[role], record.counterfactual.roles[role]
        for index in range(max(len(before), len(after))):
            factual, counterfactual = (texts[index] if index < len(texts) else None for texts in (before, after))
            variable = factual if factual is not None else counterfactual
            variables.append(Variable(name=variable or "", role=role, factual=factual, counterfactual=counterfactual))
    return Case(
        id=_identity(name, record),
        dataset=f"published-{name.lower()}",
        modality=item.modality,
        context=item.context,
        media=item.media,
        question=item.question,
        options=item.options,
        answer_kind=item.answer_kind,
        variables=tuple(variables),
        edges=record.factual.edges or (),
        intervention={
            variable.name: variable.counterfactual
            for variable in variables
            if variable.role is Role.EXPOSURE and variable.counterfactual is not None
        },
        target=item.target,
        original=item.original,
        gold_kind="published",
        source=f"https://github.com/{_REPOSITORY}",
        revision=_COMMITS[name],
        cluster=f"published-{name.lower()}-{item.cluster}",
    )


_REPEATED = "record occurs twice"
_INVALID = "case is not valid"

DEFECTS = (
    *RECORD_DEFECTS,
    _REPEATED,
    NO_ITEM,
    REFUSED_ITEM,
    *dict.fromkeys(reason for checks in ITEM_DEFECTS.values() for reason in checks),
    _INVALID,
)
"""Every name of a defect; the last one is followed by what :func:`~counterpoise.counterfactual.case.problems` says."""


REMARKS = tuple(REMARK_CHECKS)
"""Every name of a remark."""

_REPOSITORY = "shuai-yang/Counterfactual_NeurIPS_2025"
_COMMITS = {
    "Arithmetic": "9e8d90508c4cad974612fb95ff0a85d9315805fe",
    "Arithmetic-Base-16": "4234c5cf935e5b7a356415b74fffd5bb21406a3a",
    "CLOMO": "97a255fca75dddabaa150a026197bcf2c0cf29b0",
    "COCO": "0703bd9eef2b5ac089dbc730e3ec88992db42ccf",
    "CRASS": "687da92f6465f2a80141093c680f17d36dc2aa5b",
    "CVQA-Bool": "f9b585e4f1313df8a1f4f67319edcfe1b1330506",
    "CVQA-Count": "6d8687c8a3da0376fb22f779188ce5735eb95806",
    "Code-Preference": "07f1ec23d166bb9ecf47a3bf8b6c3d8c37d3c2b2",
    "HumanEval-Exe": "14747bed25cceb89d0a3948ccb5dd79b4bcb5fd8",
    "MalAlgoQA": "a2f2edbe0898eb0c69062f0840c608229dc20ba8",
    "Open-Critic": "bc0f17725f14e640ece6f5e0ae7d6ace6254a36a",
    "RNN-Typology": "5019f3d9e5e884784ef1fde7b966e5f0e5fd9303",
}
"""A commit that has the annotation file of the dataset, in the state that its reader was written against."""
_RAW_COMMITS = {
    "CLOMO": "a1f629651657793e843fc7901f5950a41b1e8e9c",
    "CRASS": "6d9ab032409de020b650291e5a4ed9e09714ebd8",
    "CVQA-Bool": "6fd89ceb2640cbbd682c7e3ccf86e522babb6125",
    "CVQA-Count": "6d8687c8a3da0376fb22f779188ce5735eb95806",
    "HumanEval-Exe": "14747bed25cceb89d0a3948ccb5dd79b4bcb5fd8",
    "RNN-Typology": "8853f1c80f489e921c1507850305d68f46336e96",
}


DOWNLOADS = tuple(
    Download(path=path, repository=_REPOSITORY, revision=commit, file=path.replace(FOLDER, "data", 1))
    for path, commit in (
        *((_path(name), commit) for name, commit in _COMMITS.items()),
        *((f"{FOLDER}/{name}/{JOINS[name][0]}", commit) for name, commit in _RAW_COMMITS.items()),
    )
)
"""The annotation files and their raw items at the source.

Without those of MalAlgoQA, which its authors give out on request. No digest is known.
"""
