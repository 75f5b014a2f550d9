"""Ask a language model for revisions that take up safety keywords."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from counterpoise.curation.prompts import prompt
from counterpoise.curation.seeds import Seed
from counterpoise.curation.words import sentences
from counterpoise.lm.protocol import Completion, Request
from counterpoise.rng import seed_for

__all__ = ["Draft", "Order", "Parent", "Revised", "Style", "cleaned", "drafts", "prompt_name", "revision"]

Style = Literal["rewrite", "extend"]
"""How a model is asked.

``rewrite``: to write the whole text again; needs a capable model. ``extend``: to write one more sentence, which is
put after the text; what a model of 100 million parameters can do without losing the answer's facts.
"""

_BOTH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
    "required": ["question", "answer"],
    "additionalProperties": False,
}


class Revised(NamedTuple):
    """A question and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A text to be revised: an original or a revision that was kept.

    Attributes:
        text_id: the source text.
        id: the parent's own id; the source text's for an original.
        question: what is answered.
        answer: the text to revise.
    """

    text_id: str
    id: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How revisions are asked for, the same for a whole run.

    Attributes:
        style: how the model is asked.
        both: questions are revised too.
        grid: pairs of temperature and top-p.
        seed: of the run.
        max_tokens: upper bound of new tokens.
    """

    style: Style
    both: bool
    grid: Sequence[tuple[float, float]]
    seed: int
    max_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A revision that is asked for: its lineage, and the request to a model.

    Attributes:
        id: unique among the drafts of the source text.
        parent: what is revised.
        round: 1 for revisions of originals.
        keywords: what the revision should take up.
        temperature: of the grid point.
        top_p: of the grid point.
        seed: of the request.
        request: what the model gets.
    """

    id: str
    parent: Parent
    round: int
    keywords: tuple[str, ...]
    temperature: float
    top_p: float
    seed: int
    request: Request


def drafts(parent: Parent, hand: Sequence[Sequence[Seed]], round: int, order: Order) -> list[Draft]:
    """One draft of a parent for every point of the grid.

    The sampling seed of a draft depends on the run's seed, the text, the parent, the round and the grid point alone,
    so neither the order of texts nor what else is in the batch changes it.

    Args:
        parent: what is revised.
        hand: the keywords of each draft; as many as the grid has points.
        round: number of the round, from 1.
        order: how revisions are asked for.
    """
    made = []
    for (temperature, top_p), chosen in zip(order.grid, hand, strict=True):
        sampling_seed = seed_for(order.seed, "revise", parent.text_id, parent.id, round, temperature, top_p)
        values = {
            "question": parent.question,
            "answer": parent.answer,
            "keywords": _listed([seed.keyword for seed in chosen]),
            "hints": " ".join(seed.gloss for seed in chosen if seed.gloss),
        }
        made.append(
            Draft(
                id=f"{parent.id}/{round}-{temperature:g}-{top_p:g}",
                parent=parent,
                round=round,
                keywords=tuple(one.keyword for one in chosen),
                temperature=temperature,
                top_p=top_p,
                seed=sampling_seed,
                request=Request(
                    messages=prompt(prompt_name(order.style, order.both)).messages(values),
                    temperature=temperature,
                    top_p=top_p,
                    seed=sampling_seed,
                    max_tokens=order.max_tokens,
                    schema=_BOTH_SCHEMA if order.both else None,
                ),
            )
        )
    return made


def prompt_name(style: Style, both: bool) -> str:
    """Name of the prompt file."""
    return f"{style}_both" if both else style


def revision(draft: Draft, completion: Completion, order: Order) -> Revised:
    """The revised text that a completion stands for; an answer that holds nothing usable is empty.

    The completion is cleaned. A sentence that was cut off at the token limit is dropped; ``extend`` keeps the first
    paragraph's first two sentences and puts them after the parent's answer. Where questions are revised too, the
    completion is an object with both, and one that is no such object holds nothing usable.
    """
    parent = draft.parent
    asked, answered = ("", completion.text) if not order.both else _both(completion.text)
    answer = cleaned(answered)
    if completion.finish == "length":
        answer = _whole_sentences(answer)
    if order.style == "extend":
        added = _first(answer, 2)
        answer = f"{_ended(parent.answer)} {added}" if added else ""
    if not order.both:
        return Revised(parent.question, answer)
    question = cleaned(asked)
    if order.style == "extend":
        added = _first(question, 1)
        question = f"{_ended(parent.question)} {added}" if added else ""
    return Revised(question, answer)


def _both(text: str) -> tuple[str, str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(value, dict):
        return "", ""
    question, answer = value.get("question"), value.get("answer")
    return (question, answer) if isinstance(question, str) and isinstance(answer, str) else ("", "")


def _first(text: str, count: int) -> str:
    return " ".join(sentences(text.split("\n", 1)[0])[:count])


_LABEL = re.compile(
    r"^\s*(\*\*)?((new|revised|rewritten|edited|improved|final|updated)\s+)?(answer|sentence|text|version|assistant|response)(\*\*)?\s*:(\*\*)?\s*",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    r"^\s*(sure|certainly|of course|here is|here's|here are|below is)\b[^\n]{0,100}:\s*\n+", re.IGNORECASE
)
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»"}


def cleaned(text: str) -> str:
    r"""A completion without what models put around an answer: preambles, labels, quotation marks, stray spacing.

    >>> cleaned('Here is the revised answer:\n\n"Ice floats  because it is light."')
    'Ice floats because it is light.'
    >>> cleaned("Revised answer: Ice floats.")
    'Ice floats.'
    """
    # A lone surrogate cannot be written to a file.
    text = text.encode("utf-8", "replace").decode("utf-8").strip()
    text = _LABEL.sub("", _PREAMBLE.sub("", text, count=1), count=1)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    text = "\n".join(line for line in lines if line)
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text[-1] not in text[1:-1]:
        text = text[1:-1].strip()
    return text


def _whole_sentences(text: str) -> str:
    parts = sentences(text)
    if parts and parts[-1].rstrip("\"'”’)")[-1:] not in set(".!?…。！？"):
        return text[: text.rfind(parts[-1])].rstrip()
    return text


def _ended(answer: str) -> str:
    answer = answer.strip()
    return answer if answer[-1:] in set(".!?…。！？\"'”’)") else answer + "."


def _listed(names: Sequence[str]) -> str:
    """Names as they stand in a sentence.

    >>> _listed(["privacy", "consent", "care"])
    'privacy, consent and care'
    """
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
