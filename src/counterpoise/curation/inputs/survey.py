"""One pass over the records of a source: from records to texts, with what is wrong with each."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from counterpoise.curation.inputs.fields import Misfit, has_field, kind_of, value_at, value_of
from counterpoise.curation.inputs.formats import Record
from counterpoise.curation.inputs.shapes import Content, Reading
from counterpoise.curation.texts import Text
from counterpoise.records import canonical_json, content_hash

__all__ = ["Survey"]

_Problem = tuple[str, str]
"""Kind (the name of a count of the report) and reason."""

_SHOWN = 60
_EASTERN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_EASTERN}]|[^\s{_EASTERN}]{{1,20}}")


@dataclass(slots=True)
class Survey:
    """What one pass remembers and counts.

    Attributes:
        name: of the source, for the texts' places.
        unit: what its records are counted in.
        reading: how each is read.
        id_field: where its id is.
        max_words: of a question or an answer.
        total: texts so far.
        counts: texts with a problem, by its kind.
        first: place and problem of the first of each kind.
        contexts: fields that were put after questions.
        shortened: conversations of which turns were left out.
    """

    name: str
    unit: str
    reading: Reading
    id_field: str
    max_words: int
    total: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    contexts: set[str] = field(default_factory=set)
    shortened: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)
    _ids: dict[int, int] = field(default_factory=dict)
    _contents: dict[int, int] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Identity of the texts so far: their ids, questions, answers and problems."""
        return str(self._hash.hexdigest()[:12])

    def text(self, record: Record) -> Text:
        """The text of the next record."""
        content, given, problem = self._read(record)
        identity = given or (f"{self.unit}-{record.number}" if problem else _identity_of(content))
        problem = problem or self._flaw(content)
        if (before := self._ids.get(_key(identity))) is not None:
            if given:
                problem = problem or ("duplicates", f"repeats the id {given[:_SHOWN]!r} of {self.unit} {before}")
            while _key(identity) in self._ids:
                identity += f"@{self.unit}-{record.number}"
        self._ids[_key(identity)] = record.number
        # Last, so that a text is never said to repeat one that cannot be curated.
        problem = problem or self._repetition(content, record.number)
        self.total += 1
        self.shortened += content.shortened
        if content.context:
            self.contexts.add(content.context)
        reason = None
        if problem:
            kind, reason = problem
            self.counts[kind] += 1
            self.first.setdefault(kind, f"{self.unit} {record.number}: {reason}")
        self._hash.update(canonical_json([identity, content.question, content.answer, reason]).encode() + b"\n")
        where = f"{self.name} {self.unit} {record.number}"
        return Text(id=identity, question=content.question, answer=content.answer, problem=reason, where=where)

    def _read(self, record: Record) -> tuple[Content, str, _Problem | None]:
        """Content and id of a record, empty as far as there is none that can be read."""
        identity = ""
        try:
            value = value_of(record)
            identity = _identity(value, self.id_field)
            read = self.reading.content(value)
            question = None if read.question is None else _writable(read.question.strip(), "question")
            answer = _writable(read.answer.strip(), "answer")
        except Misfit as misfit:
            return Content("", ""), identity, ("misfits", str(misfit))
        return replace(read, question=question, answer=answer), identity, None

    def _flaw(self, content: Content) -> _Problem | None:
        parts = {"question": content.question, "answer": content.answer}
        for part, text in parts.items():
            if text == "":
                return "empty", f"the {part} is empty"
        for part, text in parts.items():
            if text and _exceeds(text, self.max_words):
                return "overlong", f"the {part} has more than {self.max_words} words"
        return None

    def _repetition(self, content: Content, number: int) -> _Problem | None:
        plain = [" ".join(text.casefold().split()) for text in (content.question or "", content.answer)]
        before = self._contents.setdefault(_key("\0".join(plain)), number)
        return ("duplicates", f"repeats the text of {self.unit} {before}") if before != number else None


def _identity(value: Any, name: str) -> str:
    """The id that a record has; empty when it has none.

    Raises:
        Misfit: it is of another type than an id, or cannot be written.
    """
    found = value_at(value, name) if has_field(value, name) else None
    if found is None:
        return ""
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise Misfit(f"field {name!r} is {kind_of(found)}, not a string or a whole number")
    return _writable(str(found).strip(), "id")


def _identity_of(content: Content) -> str:
    return content_hash([content.question, content.answer], length=16)


def _writable(text: str, part: str) -> str:
    if "\0" in text:
        raise Misfit(f"the {part} has a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        # From an escape such as "\\ud800": it could be read but never written.
        raise Misfit(f"the {part} is not valid Unicode: it has a lone surrogate") from None
    return text


def _exceeds(text: str, most: int) -> bool:
    return next(islice(_WORD.finditer(text), most, None), None) is not None


def _key(text: str) -> int:
    """64 bits of a digest: for a million texts, a false repetition has a chance of one in ten million."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
