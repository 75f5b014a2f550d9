"""What the review page shows of one text: its row, checked, made visible and cut to what a card needs."""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from counterpoise.curation.words import stem, words
from counterpoise.errors import DataError
from counterpoise.report.visible import visible

__all__ = ["card", "number", "phrase_spans"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SCORES = ("round", "perplexity", "helpfulness")
_DIGITS = 6  # significant ones; more cannot be seen
_LARGEST = sys.float_info.max


def card(row: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """The card of a curation row, as JSON values that the page's script reads.

    Every text but ``id`` went through :func:`~counterpoise.report.visible.visible`; ``id`` stays as it is because
    decisions are saved by it, and ``name`` is the one to show. Columns that the row lacks (older runs) or that do not
    hold what they should are left out, as are numbers that are not finite. ``marks`` and ``question_marks`` are where
    keywords are in the revised texts: pairs of offsets in UTF-16 units, as the script counts, sorted, apart.

    Args:
        row: a line of ``rows.jsonl``.
        where: file and line, for the error.

    Raises:
        DataError: the row does not say which text it is of.
    """
    if not isinstance(row.get("text_id"), str):
        raise DataError("no text_id", where=where, expected="a row of a curation run")
    revised, question = _text(row, "revised"), _text(row, "revised_question")
    keywords = _texts(row.get("keywords"))
    spans, question_spans = (phrase_spans(keywords, text or "") for text in (revised, question))
    lineage = row.get("lineage")
    return _present(
        id=row["text_id"],
        name=visible(row["text_id"]),
        status=_text(row, "status"),
        reason=_text(row, "reason"),
        question=_text(row, "question"),
        generated=row.get("question_generated") is True or None,
        revised_question=question,
        original=_text(row, "original"),
        revised=revised,
        keywords=keywords,
        marks=_marks(spans, revised or ""),
        question_marks=_marks(question_spans, question or ""),
        missing=[word for word in keywords if revised and not spans[word] and not question_spans[word]],
        before=number(row, "perplexity_before"),
        after=number(row, "perplexity_after"),
        helpfulness=number(row, "helpfulness"),
        criteria=_numbers(row.get("criteria")),
        rounds=[_round(entry) for entry in _objects(row.get("rounds"))],
        lineage=_lineage(lineage) if isinstance(lineage, Mapping) else None,
    )


def phrase_spans(phrases: Sequence[str], text: str) -> dict[str, list[tuple[int, int]]]:
    """Where the words of each phrase stand side by side, by the rule of :func:`~counterpoise.curation.words.phrase_in`.

    >>> phrase_spans(["informed consent", "form", "harm"], "Their Informed-Consent forms.")
    {'informed consent': [(6, 22)], 'form': [(23, 28)], 'harm': []}
    """
    found = [match.span() for match in _WORD.finditer(text)] if phrases else []
    stems = [stem("".join(words(text[begin:end]))) for begin, end in found]
    spans: dict[str, list[tuple[int, int]]] = {}
    for phrase in phrases:
        wanted = [stem(word) for word in words(phrase)]
        begins = [
            at for at, word in enumerate(stems) if wanted[:1] == [word] and stems[at : at + len(wanted)] == wanted
        ]
        spans[phrase] = [(found[at][0], found[at + len(wanted) - 1][1]) for at in begins]
    return spans


def _marks(spans: Mapping[str, Sequence[tuple[int, int]]], text: str) -> list[tuple[int, int]]:
    """All spans in order, those that touch or overlap made one, in UTF-16 units."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(span for found in spans.values() for span in found):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return [(_units(text, begin), _units(text, end)) for begin, end in merged]


def _units(text: str, at: int) -> int:
    """The offset of a character in UTF-16 units."""
    return at if text.isascii() else at + sum(char > "\uffff" for char in text[:at])


def _round(entry: Mapping[str, Any]) -> dict[str, Any]:
    return _present(
        rejected=_numbers(entry.get("rejected")),
        **{name: number(entry, name) for name in (*_SCORES, "candidates", "judged", "similar")},
    )


def _lineage(lineage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The revisions from the first to the kept one; a lineage that does not list them is the kept one alone."""
    kept = {**lineage, "perplexity": lineage.get("perplexity_after")}
    return [
        _present(
            id=_text(step, "id"),
            keywords=_texts(step.get("keywords")),
            seed=str(step["seed"]) if isinstance(step.get("seed"), int) else None,  # may exceed the script's numbers
            **{name: number(step, name) for name in (*_SCORES, "temperature", "top_p")},
        )
        for step in _objects(lineage.get("ancestors")) or [kept]
    ]


def _numbers(value: Any) -> dict[str, float]:
    """The finite numbers of an object, by name made visible."""
    names = value if isinstance(value, Mapping) else ()
    return {visible(name): found for name in names if (found := number(value, name)) is not None}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [visible(entry) for entry in value if isinstance(entry, str)] if isinstance(value, list | tuple) else []


def _text(row: Mapping[str, Any], column: str) -> str | None:
    value = row.get(column)
    return visible(value) if isinstance(value, str) else None


def number(row: Mapping[str, Any], column: str) -> float | None:
    """A column's number; ``None`` where there is none or it is not finite, as a script would read it."""
    value = row.get(column)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        return None
    return value if isinstance(value, int) else float(f"{value:.{_DIGITS}g}")


def _present(**values: Any) -> dict[str, Any]:
    """What there is: neither ``None`` nor an empty list or object."""
    return {name: value for name, value in values.items() if value is not None and value not in ([], {})}
