"""What the card of a set says in numbers."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["CHANGE", "Numbers", "moved"]

Row = Mapping[str, Any]

BEFORE, AFTER, CHANGE = "perplexity before", "perplexity after", "after ÷ before, text by text"


def moved(rows: Sequence[Row], objective: str) -> int:
    """How many revisions moved perplexity the objective's way; for ``random``, how many raised it."""
    return sum(
        _moved(row["perplexity_before"], row["perplexity_after"], objective)
        for row in rows
        if row["perplexity_before"] is not None and row["perplexity_after"] is not None
    )


def _moved(before: float, after: float, objective: str) -> bool:
    return after < before if objective == "min" else after > before


class Numbers:
    """What the card says of a set, counted a row at a time; memory grows by eight bytes a row and measure.

    Args:
        objective: of the run.

    Attributes:
        texts: rows seen, in the set or not.
        exported: rows in the set.
        decided: revisions by what a review decided: ``accept``, ``reject``, ``undecided``; empty without one.
        left_out: rows that are not in the set, by reason.
        measures: values by name; a text for which one is undefined has none.
        moved: texts whose perplexity moved the objective's way.
        keywords: uses of each keyword.
        rounds: texts by the round that their revision is from.
        rejected: rejected candidates by gate, of every text.
        gloss_copied: texts with a keyword's gloss word for word.
        questions_revised: texts whose question was revised too.
        questions_written: texts that came without a question.
        input_tokens: read by the reviser, for every text.
        output_tokens: written by the reviser, for every text.
    """

    def __init__(self, objective: str) -> None:
        self.objective = objective
        self.texts = self.exported = self.moved = self.gloss_copied = 0
        self.questions_revised = self.questions_written = 0
        self.input_tokens = self.output_tokens = 0
        self.decided: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.measures = {name: array("d") for name in (BEFORE, AFTER, CHANGE, "helpfulness")}
        self.keywords: Counter[str] = Counter()
        self.rounds: Counter[int] = Counter()
        self.rejected: Counter[str] = Counter()

    def add(self, row: Row, left_out: str | None = None) -> None:
        """Count a row; ``left_out`` says why it is not in the set."""
        self.texts += 1
        tokens = row.get("tokens") or {}
        self.input_tokens += tokens.get("input", 0)
        self.output_tokens += tokens.get("output", 0)
        for entry in row.get("rounds") or ():
            self.rejected.update(entry["rejected"])
        if left_out is not None:
            self.left_out[left_out] += 1
            return
        self.exported += 1
        before, after = row.get("perplexity_before"), row.get("perplexity_after")
        self._measure(BEFORE, before)
        self._measure(AFTER, after)
        if before and after is not None:
            self._measure(CHANGE, after / before)
            self.moved += _moved(before, after, self.objective)
        self._measure("helpfulness", row.get("helpfulness"))
        for name, value in sorted((row.get("criteria") or {}).items()):
            self._measure(f"helpfulness: {name}", value)
        self.keywords.update(row.get("keywords") or ())
        self.rounds[row["lineage"].get("round") or 0] += 1
        self.gloss_copied += bool(row["lineage"].get("gloss_copied"))
        self.questions_revised += bool(row.get("revised_question"))
        self.questions_written += bool(row.get("question_generated"))

    def _measure(self, name: str, value: float | None) -> None:
        if value is not None:
            self.measures.setdefault(name, array("d")).append(value)
