"""C-VQA: the rows behind ``cvqa-bool`` and ``cvqa-count``, and the words for things in their questions.

Source: Zhang et al., "What If the TV Was Off? Examining Counterfactual Reasoning Abilities of Multi-modal Language
Models" (arXiv 2310.06627). A row is a photograph of COCO, a question about it with its answer, and a counterfactual
question, written by people, with its answer. A case shows the photograph and says the first question but never its
answer: that is for the eye to find.

Read are the authors' table of real photographs and the two copies of it, one per kind of answer, that travel with the
annotations of arXiv 2505.11839; these call their first column ``file_name`` and hold some rows twice. A second row with
the same photograph and counterfactual question is rejected, and so is a row whose counterfactual question supposes
nothing, whose answer is of another kind, or whose picture is no plain file name. Rows whose answer stays the same are
kept and marked. Rows of one photograph are one cluster.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from counterpoise.counterfactual.case import AnswerKind, Case, Edge, Photo, Role, Variable
from counterpoise.counterfactual.datasets.dataset import Download, Reject
from counterpoise.counterfactual.datasets.source_text import csv_rows, read_text
from counterpoise.errors import DataError
from counterpoise.records import content_hash

__all__ = [
    "CHANGE",
    "COPY",
    "DOWNLOAD",
    "KINDS",
    "LICENCE",
    "LONGEST_QUESTION",
    "LONGEST_VALUE",
    "OBTAIN",
    "REAL_FILES",
    "SOURCE",
    "UNCHANGED",
    "Gold",
    "Item",
    "case",
    "context",
    "exposure",
    "read_items",
    "same_thing",
    "singular",
    "supposition",
]

KINDS = ("boolean", "direct", "indirect")
"""The authors' kinds of rows; ``direct`` and ``indirect`` ask for a number."""
CHANGE = "change to the scene"
"""Name of the exposure."""
UNCHANGED = "no change"
"""Its factual value."""
LONGEST_VALUE = 80
"""Characters of a name or a value that a stage may be answered with; longer ones have no gold."""
LONGEST_QUESTION = 400
"""Characters of a question."""


@dataclass(frozen=True, slots=True)
class Item:
    """A usable row.

    Attributes:
        id: from the picture's name and the words of the counterfactual question.
        image: the picture's file name.
        query: the question about the photograph.
        answer: its answer.
        question: the counterfactual question.
        target: its answer.
        kind: one of :data:`KINDS`.
        where: the row, for messages.
        revision: version of the file.
    """

    id: str
    image: str
    query: str
    answer: str
    question: str
    target: str
    kind: str
    where: str
    revision: str

    @property
    def photo(self) -> Photo:
        """The photograph, which need not be there before a model is shown it."""
        return Photo(file=f"cvqa/images/{self.image}")

    @property
    def effect(self) -> str:
        """Whether the supposed change changes the answer."""
        return "same" if self.answer == self.target else "changed"


def read_items(
    data: Path | None, dataset: str, files: Mapping[str, str], kinds: Sequence[str], answer: Callable[[str], str | None]
) -> tuple[list[Item], list[Reject]]:
    """The rows of some kinds in the first of the files that the data folder has.

    Args:
        data: the data folder.
        dataset: name of the dataset, with which ids begin.
        files: path below the data folder to name of the version, best first.
        kinds: the rows to take; those of other kinds are passed over.
        answer: from a cell to the answer in one spelling, or ``None`` where it holds none.

    Returns:
        The items in the order of the file, and the rows of these kinds that cannot be used.

    Raises:
        DataError: there is no file, or it is malformed; names file and line.
    """
    for file, revision in files.items():
        if data is not None and (path := data / file).is_file():
            return _items(path, dataset, revision, kinds, answer)
    raise DataError("no C-VQA file", where=str(data), expected=" or ".join(files))


def _items(
    path: Path, dataset: str, revision: str, kinds: Sequence[str], answer: Callable[[str], str | None]
) -> tuple[list[Item], list[Reject]]:
    items: list[Item] = []
    rejects: list[Reject] = []
    first_seen: dict[str, str] = {}
    for where, image, row in _rows(path):
        if row["type"] not in KINDS:
            raise DataError(f"type {row['type'][:40]!r}", where=where, expected=" or ".join(KINDS))
        if row["type"] not in kinds:
            continue
        query, question = _clean(row["query"]), _clean(row["new query"])
        identity = f"{dataset}-{content_hash([image.casefold(), _words(question)], length=12)}"
        short = where.removeprefix(f"{path} ")
        factual, target = answer(row["answer"]), answer(row["new answer"])
        if identity in first_seen:
            reason: str | None = f"the same item occurs twice ({short}, first {first_seen[identity]})"
        elif not _IMAGE.fullmatch(image):
            reason = f"{image[:80]!r} is not the name of a picture ({short})"
        elif not _words(query) or not _words(question):
            reason = f"a question is empty ({short})"
        elif max(len(query), len(question)) > LONGEST_QUESTION:
            reason = f"a question of more than {LONGEST_QUESTION} characters ({short})"
        elif supposition(question) is None:
            reason = f"the question supposes nothing ({short})"
        elif factual is None or target is None:
            cell = row["answer"] if factual is None else row["new answer"]
            reason = f"answer {cell[:40]!r} is of another kind ({short})"
        else:
            reason = None
            items.append(Item(identity, image, query, factual, question, target, row["type"], short, revision))
        if reason is not None:
            rejects.append(Reject(identity, reason))
        first_seen.setdefault(identity, short)
    return items, rejects


def _rows(path: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Where a row ends, the name of its picture, and its other columns."""
    header = [name.strip() for name in read_text(path).partition("\n")[0].split(",")]
    first = "file_name" if "file_name" in header else "img_path"
    for where, row in csv_rows(path, (first, "query", "answer", "new query", "new answer", "type")):
        yield where, row.pop(first).strip(), {name: cell.strip() for name, cell in row.items()}


def context(query: str, hint: str = "") -> str:
    """What is said beside the photograph.

    Args:
        query: the question about the scene as it is.
        hint: how the values of this case are written; empty where it has no gold of the stages.
    """
    return f'The photograph shows a scene as it is, without any change. About this scene it was asked: "{query}"' + (
        f" {hint}" if hint else ""
    )


@dataclass(frozen=True, slots=True)
class Gold:
    """Gold of the causal stages.

    Attributes:
        variables: the exposure first.
        edges: the graph.
        hint: how values are written, for the context.
        change: form of the change, for the facets.
    """

    variables: tuple[Variable, ...]
    edges: tuple[Edge, ...]
    hint: str
    change: str

    @property
    def answerable(self) -> bool:
        """Whether no name or value is longer than an answer may be."""
        texts = [text or "" for one in self.variables for text in (one.name, one.factual, one.counterfactual)]
        return max(map(len, texts)) <= LONGEST_VALUE


def case(item: Item, dataset: str, kind: AnswerKind, target: str, options: tuple[str, ...], gold: Gold | None) -> Case:
    """The case of an item, with the answer stage only where it has no gold."""
    if gold is not None and not gold.answerable:
        gold = None
    return Case(
        id=item.id,
        dataset=dataset,
        modality="image",
        context=context(item.query, gold.hint if gold else ""),
        media=(item.photo,),
        question=item.question,
        options=options,
        answer_kind=kind,
        variables=gold.variables if gold else (),
        edges=gold.edges if gold else (),
        intervention={CHANGE: gold.variables[0].counterfactual or ""} if gold else {},
        target=target,
        gold_kind="derived" if gold else "published",
        source=SOURCE,
        revision=item.revision,
        cluster=f"cvqa-{item.image}",
        facets={"kind": item.kind, "change": gold.change if gold else "other", "effect": item.effect},
    )


def exposure(change: str, alias: str) -> Variable:
    """The exposure variable with the change that a question supposes."""
    return Variable(
        name=CHANGE,
        role=Role.EXPOSURE,
        factual=UNCHANGED,
        counterfactual=change,
        aliases=("change", "supposed change", "change in the scene", alias),
        gloss="what the question supposes to be done",
    )


def supposition(question: str) -> tuple[str, str] | None:
    """What a counterfactual question asks and what it supposes, or ``None`` where it supposes nothing.

    >>> supposition("Would it rain if there were clouds?")
    ('Would it rain', 'there were clouds')
    >>> supposition("If there were clouds, would it rain?")
    ('would it rain', 'there were clouds')
    """
    said = question.rstrip("? ")
    if found := re.fullmatch(r"if (.+?), (.+)", said, re.IGNORECASE):
        return found[2], found[1]
    if found := re.fullmatch(r"(.+?) if (.+)", said, re.IGNORECASE):
        return found[1], found[2]
    return None


def same_thing(named: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two noun phrases name the same thing: equal but for number, or one says more about it than the other.

    >>> same_thing(["sign"], ["street", "signs"]), same_thing(["red", "cups"], ["cup"]), same_thing(["car"], ["train"])
    (True, True, False)
    >>> same_thing(["slices"], ["slices", "of", "bread"]), same_thing(["bread"], ["slices", "of", "bread"])
    (True, False)
    """
    (first, whose), (second, whose_other) = _head(named), _head(other)
    if not first or not second or (whose and whose_other and whose != whose_other):
        return False
    shorter = min(len(first), len(second))
    return first[-shorter:] == second[-shorter:]


def _head(phrase: Sequence[str]) -> tuple[list[str], list[str]]:
    """Singular words before and after an "of"."""
    words = [singular(word) for word in phrase]
    cut = words.index("of") if "of" in words else len(words)
    return words[:cut], words[cut + 1 :]


def singular(word: str) -> str:
    """The lower-case singular of a noun; good enough to compare two spellings of one.

    >>> [singular(word) for word in ("Boxes", "berries", "people", "glass", "bus", "horses")]
    ['box', 'berry', 'person', 'glass', 'bus', 'horse']
    """
    word = word.casefold()
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(?:ss|sh|ch|x|zz|to)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


_IRREGULAR = {
    "buses": "bus",
    "busses": "bus",
    "calves": "calf",
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "halves": "half",
    "knives": "knife",
    "leaves": "leaf",
    "loaves": "loaf",
    "men": "man",
    "mice": "mouse",
    "people": "person",
    "persons": "person",
    "shelves": "shelf",
    "teeth": "tooth",
    "women": "woman",
}
_IMAGE = re.compile(r"[A-Za-z0-9][\w-]{0,120}\.(?:jpg|jpeg|png)", re.ASCII)


def _clean(text: str) -> str:
    """The question with single spaces, and with the apostrophe that an encoding broke."""
    return " ".join(text.replace("\u00a1\u00af", "'").split())


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


SOURCE = "https://github.com/Letian2003/C-VQA"
LICENCE = "none stated (the questions begin with those of VQAv2, CC BY 4.0)"
_COMMIT = "440d0713f37bca9327edc62cefa411d49a443737"
_FILE = "C-VQA/C-VQA-Real/C-VQA-Real_questions.csv"
REAL_FILES: dict[str, str] = {
    "cvqa/C-VQA-Real_questions.csv": _COMMIT,
    _FILE: _COMMIT,
    "C-VQA-Real_questions.csv": _COMMIT,
}
"""Where the authors' table may lie below the data folder, with its version: fetched, in their folders, or by itself."""
COPY = "copy beside the annotations of arXiv 2505.11839"
"""Version of the other files."""
DOWNLOAD = Download(
    path="cvqa/C-VQA-Real_questions.csv",
    repository="Letian2003/C-VQA",
    revision=_COMMIT,
    file=_FILE,
    sha256="2e1ba4ada17a479757777a6f973fc9eb854850787d74990d17aefe2f8e95d07a",
)
OBTAIN = (
    "The pictures: get http://images.cocodataset.org/zips/val2014.zip (6 GB) and put its JPEG files into the folder "
    "cvqa/images, so that cvqa/images/COCO_val2014_000000402685.jpg is one of them."
)
