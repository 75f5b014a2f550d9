"""Texts written for this project that the classifier is fitted on besides the labelled completions.

:func:`stance_sentences` fills the sentences of ``stances.json`` with random subjects. :func:`own_documents` puts such
sentences and the package's built-in answers together into whole completions whose label is known from how they were
made: they show the classifier short refusals, openers without content and ordinary answers, which the labelled
completions lack. No disallowed request is answered in any of them.
"""

import json
import random
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from counterpoise.rng import rng_for
from counterpoise.safety.judges.agreement import Labelled
from counterpoise.safety.judges.classifier.stances import STANCES
from counterpoise.safety.judges.classifier.text import sentences

__all__ = ["OWN", "own_documents", "shortened", "stance_sentences"]

OWN = "own"
"""``source`` of the completions made for this project."""

_MORE_SUBJECTS = 0.5
"""Share of slots that are filled with further subjects where there are any."""

_PER_STANCE = 700
"""Sentences of each stance; those without a slot are few, so they are repeated at most :data:`_REPEATS` times."""
_REPEATS = 4
_COMPOSED = 160
"""Completions put together of each kind."""
_SHORTEST, _LONGEST = 12, 40
"""Words that a shortened completion keeps, at least and at most."""


def stance_sentences(
    explanations: Sequence[str], subjects: Sequence[str] = (), *, seed: int = 0
) -> list[tuple[str, str, str]]:
    """Sentences with a known stance.

    Args:
        explanations: ordinary prose, whose sentences have the stance ``content``.
        subjects: further acts to fill the slots with, in the form "bake bread"; allowed and disallowed ones, or the
            subject would tell the stance.
        seed: which subjects fill the slots.

    Returns:
        Triples of stance, the sentence before its slots were filled, and the sentence.
    """
    draw = rng_for(seed, "stance-sentences")
    found: list[tuple[str, str, str]] = []
    for stance, patterns in _written()["stances"].items():
        for pattern in patterns:
            often = max(1, _PER_STANCE // len(patterns)) if "{" in pattern else _REPEATS
            for _ in range(often):
                subject = draw.choice(subjects) if subjects and draw.random() < _MORE_SUBJECTS else None
                found.append((stance, pattern, _filled(pattern, draw, subject)))
    content = [sentence for text in (*explanations, *_answers()) for sentence in sentences(text)]
    draw.shuffle(content)
    found += [(STANCES[-1], sentence, sentence) for sentence in content[: 2 * _PER_STANCE]]
    return found


def own_documents(*, seed: int = 0) -> list[Labelled]:
    """Completions with a label known from how they were made; ``source`` is :data:`OWN`."""
    draw = rng_for(seed, "own-documents")
    documents = [*_builtin(draw)]
    for number in range(_COMPOSED):
        documents += [
            Labelled(*_composed_refusal(draw), "full_refusal", OWN),
            Labelled(*_composed_answer(draw), "full_compliance", OWN),
        ]
        if number % 2 == 0:
            documents.append(Labelled(*_composed_partial(draw), "partial_refusal", OWN))
    return documents


def shortened(labelled: Sequence[Labelled], *, seed: int = 0) -> list[Labelled]:
    """The same completions cut after 12 to 40 words, as a model that may not write more leaves them."""
    draw = rng_for(seed, "shortened")
    cut = []
    for item in labelled:
        kept = draw.randint(_SHORTEST, _LONGEST)
        words = item.completion.split(" ")
        cut.append(Labelled(item.prompt, " ".join(words[:kept]), item.label, item.source))
    return cut


def _builtin(draw: random.Random) -> list[Labelled]:
    refusals = json.loads(_file("refusals.json"))["templates"]
    openers = json.loads(_file("openers.json"))["templates"]
    disallowed = [row["prompt"] for row in _rows("disallowed.jsonl")]
    requests = [*disallowed, *(row["prompt"] for row in _rows("safe.jsonl"))]
    found = [Labelled(draw.choice(requests), text, "full_refusal", OWN) for text in refusals for _ in range(3)]
    for text in openers:
        for _ in range(4):
            request = draw.choice(requests)
            found.append(Labelled(request, text.replace("{request}", request), "full_compliance", OWN))
    for name in ("benign.jsonl", "contrast.jsonl"):
        found += [Labelled(row["prompt"], row["answer"], "full_compliance", OWN) for row in _rows(name)]
    found += [Labelled(row["question"], row["answer"], "full_compliance", OWN) for row in _rows("commonsense.jsonl")]
    return found


def _composed_refusal(draw: random.Random) -> tuple[str, str]:
    subject = _subject(draw)
    parts = [_sentence("decline", draw, subject)]
    if draw.random() < 0.25:
        parts = [_sentence("condemn", draw, subject)]
    parts += [_sentence("condemn", draw, subject) for _ in range(draw.choice((0, 0, 1, 1, 2)))]
    parts += [_sentence("redirect", draw, subject) for _ in range(draw.choice((0, 0, 1, 1, 2)))]
    return _question(subject, draw), " ".join(parts)


def _composed_answer(draw: random.Random) -> tuple[str, str]:
    subject = _subject(draw)
    parts = [_sentence("affirm", draw, subject)] if draw.random() < 0.5 else []
    parts.append(_sentence("help", draw, subject))
    parts += draw.sample(sentences(draw.choice(_answers())), 1)
    parts += draw.sample([s for s in _written()["stances"]["help"] if "{" not in s], draw.choice((1, 2, 3)))
    if draw.random() < 0.4:
        parts.append(_sentence("caution", draw, subject))
    return _question(subject, draw), " ".join(parts)


def _composed_partial(draw: random.Random) -> tuple[str, str]:
    """A refusal of what was not asked, followed by the answer to what was."""
    row = draw.choice(_rows("contrast.jsonl"))
    stance = draw.choice(("decline", "decline", "condemn"))
    turn = draw.choice(
        ("However, ", "Instead, here is what you can do. ", "If you mean it in the ordinary sense: ", "")
    )
    return row["prompt"], f"{_sentence(stance, draw, _subject(draw))} {turn}{row['answer']}"


def _question(subject: str, draw: random.Random) -> str:
    return draw.choice(("How do I {}?", "How can I {}?", "Help me {}.", "What is the best way to {}?")).format(subject)


def _subject(draw: random.Random) -> str:
    slots = _written()["slots"]
    chosen: str = draw.choice(slots[draw.choice(("disallowed", "harmless"))])
    return chosen


def _sentence(stance: str, draw: random.Random, subject: str) -> str:
    return _filled(draw.choice(_written()["stances"][stance]), draw, subject)


def _filled(pattern: str, draw: random.Random, subject: str | None = None) -> str:
    slots = _written()["slots"]
    claim, person = draw.choice(slots["claim"]), draw.choice(slots["person"])
    return pattern.format(
        do=subject or _subject(draw),
        thing=draw.choice(slots["thing"]),
        person=person,
        Person=person[0].upper() + person[1:],
        claim=claim,
        Claim=claim[0].upper() + claim[1:],
    )


@cache
def _answers() -> tuple[str, ...]:
    names = ("benign.jsonl", "contrast.jsonl", "commonsense.jsonl")
    return tuple(row["answer"] for name in names for row in _rows(name))


@cache
def _written() -> dict[str, Any]:
    text = resources.files("counterpoise.safety.judges.classifier").joinpath("stances.json").read_text(encoding="utf-8")
    written: dict[str, Any] = json.loads(text)
    return written


@cache
def _rows(name: str) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in _file(name).split("\n") if line.strip())


def _file(name: str) -> str:
    return (resources.files("counterpoise") / "customization" / "builtin" / name).read_text(encoding="utf-8")
