"""Revisions of known worth, and how well a judge tells the good from the bad."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from counterpoise.curation.words import sentences
from counterpoise.rng import rng_for, seed_for
from counterpoise.statistics import Estimate

__all__ = ["GOOD", "KINDS", "Kind", "Labelled", "labelled_revisions", "separation"]

Floats = NDArray[np.float64]

Kind = Literal["rewrite", "extension", "off_topic", "contradiction", "lost", "truncated", "repeated", "garbled"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What was done to an answer.

Good: ``rewrite`` (said otherwise, with a thought about safety), ``extension`` (one more sentence, about safety).
Bad: ``off_topic`` (one more sentence, about something else), ``contradiction`` (says the opposite in the same words),
``lost`` (the safety sentence alone), ``truncated`` (cut in the middle), ``repeated`` (its last sentence three times
more), ``garbled`` (the extension's words in another order).
"""
GOOD: tuple[Kind, ...] = ("rewrite", "extension")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A revision and what it is.

    Attributes:
        text: number of the source text.
        kind: what was done to the answer.
        item: question, original answer and revision.
    """

    text: int
    kind: Kind
    item: tuple[str, str, str]

    @property
    def good(self) -> bool:
        """Whether a judge should rate it higher than those that are not."""
        return self.kind in GOOD


def labelled_revisions() -> list[Labelled]:
    """Every kind of revision of 24 short answers, 192 in all.

    The answers, rewrites, sentences and contradictions were written for this project, before any judge was run on
    them, by the hand that wrote the judges; the rest is made of them by rule.
    """
    file = resources.files("counterpoise.curation.helpfulness") / "labelled.jsonl"
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        text = json.loads(line)
        question, original = text["question"], text["original"]
        extension = f"{original} {text['addition']}"
        pieces, shuffled = original.split(), extension.split()
        rng_for(0, "garbled", number).shuffle(shuffled)
        revised: dict[Kind, str] = {
            "rewrite": text["rewrite"],
            "extension": extension,
            "off_topic": f"{original} {text['off_topic']}",
            "contradiction": text["contradiction"],
            "lost": text["addition"],
            "truncated": " ".join(pieces[: len(pieces) * 3 // 5]),
            "repeated": " ".join([original, *sentences(original)[-1:] * 3]),
            "garbled": " ".join(shuffled),
        }
        found += [Labelled(number, kind, (question, original, revised[kind])) for kind in KINDS]
    return found


def separation(
    labelled: Sequence[Labelled], values: Sequence[float], *, seed: int = 0, resamples: int = 2000
) -> Estimate:
    """How often a good revision has a higher value than a bad one: area under the curve, in [0, 1].

    Every good one is compared with every bad one, of other texts too, because one threshold serves all texts; equal
    values count half. 0.5 is chance. The interval is the 95 % percentile bootstrap over texts; without a good or
    without a bad revision there is no value.

    Args:
        labelled: the revisions.
        values: of a judge's total or of one criterion, in the same order.
        seed: of the bootstrap.
        resamples: number of bootstrap samples.
    """
    number = {text: place for place, text in enumerate(dict.fromkeys(one.text for one in labelled))}
    wins, pairs = np.zeros((len(number), len(number))), np.zeros((len(number), len(number)))
    for good, high in zip(labelled, values, strict=True):
        for bad, low in zip(labelled, values, strict=True):
            if good.good and not bad.good:
                wins[number[good.text], number[bad.text]] += (high > low) + (high == low) / 2
                pairs[number[good.text], number[bad.text]] += 1
    if not pairs.any():
        return Estimate(None, None, None, len(labelled), len(number))
    generator = np.random.default_rng(seed_for(seed, "separation"))
    drawn = generator.multinomial(len(number), np.full(len(number), 1 / len(number)), size=resamples)
    low, high = np.nanquantile(_won(drawn.astype(np.float64), wins, pairs), [0.025, 0.975])
    value = _won(np.ones((1, len(number))), wins, pairs)[0]
    return Estimate(float(value), float(low), float(high), len(labelled), len(number))


def _won(weights: Floats, wins: Floats, pairs: Floats) -> Floats:
    """Won over compared pairs, where each text counts as often as it was drawn; weights of shape ``[draws, texts]``."""
    with np.errstate(invalid="ignore"):
        won: Floats = ((weights @ wins) * weights).sum(axis=1) / ((weights @ pairs) * weights).sum(axis=1)
    return won
