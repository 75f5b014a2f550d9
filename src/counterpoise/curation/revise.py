"""Ask a language model for revisions that take up safety keywords."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Template
from typing import Literal

from counterpoise.curation.seeds import Seed, sample
from counterpoise.curation.words import sentences
from counterpoise.lm.protocol import Completion, Message, Request
from counterpoise.records import content_hash
from counterpoise.rng import rng_for, seed_for

__all__ = [
    "PROMPT_VERSION",
    "Draft",
    "Parent",
    "Style",
    "candidates",
    "cleaned",
    "example_answers",
    "prompt_hash",
    "revision",
]

PROMPT_VERSION = "v1"

Style = Literal["rewrite", "extend"]
"""How a model is asked.

``rewrite``: to write the whole answer again; needs a capable model. ``extend``: to write one more sentence, which is
put after the answer; what a model of 100 million parameters can do without losing the answer's facts.
"""


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
        style: how the model is asked.
        request: what the model gets.
    """

    id: str
    parent: Parent
    round: int
    keywords: tuple[str, ...]
    temperature: float
    top_p: float
    seed: int
    style: Style
    request: Request


def candidates(
    parents: Sequence[Parent],
    seeds: Sequence[Seed],
    *,
    grid: Sequence[tuple[float, float]],
    keywords: int,
    round: int,
    seed: int,
    style: Style,
    max_tokens: int,
) -> list[Draft]:
    """One draft for every parent and grid point, parents in order: a whole round in one batch.

    Keywords and sampling seed of a draft depend on the run's seed, the text, the parent, the round and the grid point
    alone, so neither the order of texts nor what else is in the batch changes them.

    Args:
        parents: texts to revise, of any number of source texts.
        seeds: the seed set that keywords are drawn from.
        grid: pairs of temperature and top-p.
        keywords: how many keywords a revision takes up, at least 1.
        round: number of the round, from 1.
        seed: of the run.
        style: how the model is asked.
        max_tokens: upper bound of new tokens.

    Raises:
        ValueError: fewer seeds than keywords.
    """
    drafts = []
    for parent in parents:
        for temperature, top_p in grid:
            address = (parent.text_id, parent.id, round, temperature, top_p)
            chosen = sample(seeds, keywords, rng_for(seed, "keywords", *address))
            sampling_seed = seed_for(seed, "revise", *address)
            request = Request(
                messages=_messages(style, parent, chosen),
                temperature=temperature,
                top_p=top_p,
                seed=sampling_seed,
                max_tokens=max_tokens,
            )
            draft = Draft(
                id=f"{parent.id}/{round}-{temperature:g}-{top_p:g}",
                parent=parent,
                round=round,
                keywords=tuple(one.keyword for one in chosen),
                temperature=temperature,
                top_p=top_p,
                seed=sampling_seed,
                style=style,
                request=request,
            )
            drafts.append(draft)
    return drafts


def revision(draft: Draft, completion: Completion) -> str:
    """The revised answer that a completion stands for; empty when it holds nothing usable.

    The completion is cleaned. A sentence that was cut off at the token limit is dropped; ``extend`` keeps the first
    paragraph's first two sentences and puts them after the parent's answer.
    """
    text = cleaned(completion.text)
    if completion.finish == "length":
        text = _whole_sentences(text)
    if draft.style == "extend":
        added = " ".join(sentences(text.split("\n", 1)[0])[:2])
        return f"{_ended(draft.parent.answer)} {added}" if added else ""
    return text


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


def prompt_hash(style: Style) -> str:
    """Identity of the prompt's text: a run of another prompt is another run."""
    return content_hash([[role, content.template] for role, content in _prompt(style)])


def example_answers(style: Style) -> tuple[str, ...]:
    """The answers that the prompt shows as examples; a weak model may give one of them back."""
    return tuple(content.template for role, content in _prompt(style) if role == "assistant")


@cache
def _prompt(style: Style) -> tuple[tuple[Literal["system", "user", "assistant"], Template], ...]:
    """The turns of a prompt file: ``[role]`` lines, each followed by its text."""
    file = resources.files("counterpoise.curation") / "prompts" / PROMPT_VERSION / f"{style}.txt"
    parts = re.split(r"^\[(system|user|assistant)\]\n", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    roles: list[Literal["system", "user", "assistant"]] = parts[::2]  # type: ignore[assignment]
    return tuple((role, Template(text.strip())) for role, text in zip(roles, parts[1::2], strict=True))


def _messages(style: Style, parent: Parent, seeds: Sequence[Seed]) -> list[Message]:
    # Template substitutes once: a question that reads "$answer" stays as it is.
    values = {
        "question": parent.question,
        "answer": parent.answer,
        "keywords": _listed([seed.keyword for seed in seeds]),
        "hints": " ".join(seed.gloss for seed in seeds if seed.gloss),
    }
    return [{"role": role, "content": content.substitute(values).strip()} for role, content in _prompt(style)]


def _listed(names: Sequence[str]) -> str:
    """Names as they stand in a sentence.

    >>> _listed(["privacy", "consent", "care"])
    'privacy, consent and care'
    """
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
