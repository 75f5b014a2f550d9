"""A text to be curated."""

from dataclasses import dataclass

__all__ = ["Text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A question with its answer, or an answer whose question is yet to be written.

    Attributes:
        id: unique within a run.
        question: what is asked; ``None`` of a plain text.
        answer: what is to be revised.
        problem: why the text cannot be curated, in one line; ``None`` when it can.
        where: file and line, item or row that it came from.
    """

    id: str
    question: str | None
    answer: str
    problem: str | None = None
    where: str = ""
