"""What a record's fields mean: which holds the question and which the answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from string import ascii_uppercase
from typing import Any, Literal, get_args

from counterpoise.curation.inputs.fields import Misfit, has_field, kind_of, string, value_at

__all__ = ["CONTEXTS", "FIELDS", "PARTS", "SHAPES", "Content", "Reading", "Shape"]

Shape = Literal["messages", "choices", "pairs", "texts"]
"""What records are like, in the order in which it is tried.

``messages``: a conversation, as turns with ``role`` and ``content`` or with ``from`` and ``value``. ``choices``: a
question with choices and a key to the right one. ``pairs``: a question and an answer, each a string or a list of turns.
``texts``: a text without a question.
"""
SHAPES: tuple[Shape, ...] = get_args(Shape)
PARTS: dict[Shape, tuple[str, ...]] = {
    "messages": ("messages",),
    "choices": ("question", "choices", "answer", "context"),
    "pairs": ("question", "answer", "context"),
    "texts": ("text",),
}
"""What each shape has fields for."""
FIELDS = ("question", "answer", "context", "choices", "messages", "text", "id")
"""What a field can be named for."""
CONTEXTS = ("input", "context")
"""Fields that are put after the question, unless one is named or it is said that there is none."""
_ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "model": "assistant"}


@dataclass(frozen=True, slots=True)
class Content:
    """What a record says.

    Attributes:
        question: ``None`` where the shape has none.
        answer: the text to revise.
        context: name of the field that was put after the question; ``None`` when none was.
        shortened: whether turns of a conversation were left out.
    """

    question: str | None
    answer: str
    context: str | None = None
    shortened: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the records of a source are read: a shape and the names of its fields, dotted where they are nested.

    Attributes:
        shape: see :data:`Shape`.
        question: of ``pairs`` and ``choices``.
        answer: the same; of ``choices`` the key to the right one: its label, else its place from 0, else its text.
        context: put after the question, where a record has it; by default a string in one of :data:`CONTEXTS`; empty
            for none.
        choices: a list of texts, which are then A, B, C ...; a list of objects with ``label`` and ``text``; an object
            of two such lists; or an object of texts by label.
        messages: of ``messages``; empty where the record itself is the list of turns.
        text: of ``texts``.
    """

    shape: Shape
    question: str = ""
    answer: str = ""
    context: str | None = None
    choices: str = ""
    messages: str = ""
    text: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """The names of the fields in use, by what they are."""
        return {part: name for part in PARTS[self.shape] if (name := getattr(self, part))}

    def content(self, record: Any) -> Content:
        """Read one record; of a conversation, the first user turn that an assistant turn follows.

        Raises:
            Misfit: it lacks a field, or has one of another type.
        """
        if self.shape == "texts":
            return Content(None, string(value_at(record, self.text), self.text))
        if self.shape == "messages":
            return _exchange(value_at(record, self.messages) if self.messages else record)
        question, answer = value_at(record, self.question), value_at(record, self.answer)
        if self.shape == "choices":
            answer = _right(value_at(record, self.choices), answer)
        elif _is_turns(question) or _is_turns(answer):
            return _exchange([*_turns(question, "user"), *_turns(answer, "assistant")])
        context, name = self._context(record)
        question = string(question, self.question)
        return Content(f"{question}\n\n{context}" if context else question, string(answer, self.answer), name)

    def _context(self, record: Mapping[str, Any]) -> tuple[str, str | None]:
        """What is put after the question, and the name of its field."""
        if self.context is None:
            found = {
                name: value
                for name, value in record.items()
                if name.casefold() in CONTEXTS and name not in (self.question, self.answer) and isinstance(value, str)
            }
        elif has_field(record, self.context) and (value := value_at(record, self.context)) is not None:
            found = {self.context: string(value, self.context)}
        else:
            found = {}
        return next(((value, name) for name, value in found.items() if value.strip()), ("", None))


def _exchange(turns: Any) -> Content:
    if not _is_turns(turns):
        raise Misfit(f"{kind_of(turns)}, not a list of turns")
    spoken = [(role, turn) for turn in turns if (role := _ROLES.get(_of(turn, "role", "from").casefold()))]
    for (asker, question), (answerer, answer) in pairwise(spoken):
        if (asker, answerer) == ("user", "assistant"):
            said = [_of(turn, "content", "value") for turn in (question, answer)]
            return Content(said[0], said[1], shortened=len(turns) > 2)
    raise Misfit("no user turn that an assistant turn follows")


def _of(turn: Mapping[str, Any], *names: str) -> str:
    for name in names:
        if name in turn:
            return string(turn[name], name)
    raise Misfit("a turn without " + " or ".join(repr(name) for name in names))


def _is_turns(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(turn, Mapping) for turn in value)


def _turns(value: Any, role: str) -> list[Any]:
    return value if isinstance(value, list) else [{"role": role, "content": value}]


def _right(choices: Any, key: Any) -> str:
    """The text of the right choice."""
    labelled = _labelled(choices)
    if isinstance(key, str | int) and not isinstance(key, bool):
        texts = [text for _, text in labelled]
        by_label = {label.strip().casefold(): text for label, text in reversed(labelled)}
        by_text = {text.strip().casefold(): text for text in texts}
        wanted = str(key).strip().casefold()
        if wanted and wanted in by_label:
            return by_label[wanted]
        if isinstance(key, int) and 0 <= key < len(texts):
            return texts[key]
        if isinstance(key, str) and wanted and wanted in by_text:
            return by_text[wanted]
    raise Misfit(f"the key names none of the {len(labelled)} choices")


def _labelled(choices: Any) -> list[tuple[str, str]]:
    pairs: Iterable[tuple[Any, Any]]
    match choices:
        case {"label": [*labels], "text": [*texts]}:
            pairs = zip_longest(labels, texts)
        case {}:
            pairs = choices.items()
        case [{"label": _, "text": _}, *_] if _is_turns(choices):
            pairs = [(one.get("label"), one.get("text")) for one in choices]
        case [*texts]:
            pairs = zip_longest(ascii_uppercase[: len(texts)], texts, fillvalue="")
        case _:
            pairs = ()
    labelled = [(str(label), text) for label, text in pairs]
    if not labelled or not all(isinstance(text, str) for _, text in labelled):
        raise Misfit("the choices are not labelled texts")
    return labelled
