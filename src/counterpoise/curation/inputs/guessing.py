"""How a record might be read, judged by the names of its fields."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from counterpoise.curation.inputs.fields import Misfit, field_names, kind_of, listed
from counterpoise.curation.inputs.shapes import CONTEXTS, Reading, Shape

__all__ = ["guess", "rivals"]

_QUESTIONS = {
    "question": "answer",
    "query": "response",
    "prompt": "completion",
    "instruction": "output",
    "problem": "solution",
    "input": "target",
}
"""Fields that may be a question, in order, and the answer that usually goes with each."""
_ANSWERS = ("answer", "response", "output", "completion", "chosen", "solution", "target")
_NAMES: dict[Shape, dict[str, tuple[str, ...]]] = {
    "messages": {"messages": ("messages", "conversations", "conversation")},
    "choices": {
        "question": ("question.stem", "question_stem", *_QUESTIONS),
        "choices": ("question.choices", "choices", "options"),
        "answer": ("answerkey", "answer_key", "answer", "label"),
    },
    "pairs": {"question": tuple(_QUESTIONS), "answer": _ANSWERS},
    "texts": {"text": ("text",)},
}
"""Names to look for, in order and in small letters."""


def guess(record: Any, given: Mapping[str, str], shapes: Sequence[Shape]) -> Reading:
    """The first way to read a record, of those that its fields' names suggest; capitals in names do not matter.

    Of several questions and answers, those come first that usually go together.

    Args:
        record: what stands in it.
        given: names of fields by what they are; the others are looked for.
        shapes: what to try, in order.

    Raises:
        Misfit: there is none.
    """
    first: Misfit | None = None
    for reading in _suggested(record, given, shapes):
        try:
            reading.content(record)
        except Misfit as misfit:
            first = first or misfit
        else:
            return reading
    if first is None and isinstance(record, Mapping):
        first = Misfit(
            f"no question with an answer, conversation or text among the fields {listed(field_names(record))}"
        )
    raise first or Misfit(f"{kind_of(record)}, not an object with fields")


def rivals(record: Any, reading: Reading) -> list[str]:
    """Other fields of a record of question and answer that might have been meant."""
    if reading.shape != "pairs":
        return []
    taken = {*reading.fields.values(), reading.content(record).context}
    known = {*_QUESTIONS, *_ANSWERS} - (set() if reading.context else {*CONTEXTS})
    return [
        name
        for name, value in record.items()
        if name not in taken and name.casefold() in known and isinstance(value, str) and value.strip()
    ]


def _suggested(record: Any, given: Mapping[str, str], shapes: Sequence[Shape]) -> Iterator[Reading]:
    names = {name.casefold(): name for name in reversed(field_names(record))}
    for shape in shapes:
        found = {
            part: [given[part]] if part in given else [names[one] for one in looked_for if one in names]
            for part, looked_for in _NAMES[shape].items()
        }
        if shape == "messages" and isinstance(record, list):
            found = {"messages": [""]}
        if "context" in given:
            found["context"] = [given["context"]]
        readings = [
            Reading(shape=shape, **dict(zip(found, names_of, strict=True))) for names_of in product(*found.values())
        ]
        if shape == "pairs":
            readings.sort(key=lambda one: _QUESTIONS.get(one.question.casefold()) != one.answer.casefold())
        yield from readings
