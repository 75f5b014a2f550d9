"""Which data the defender trains on."""

from typing import Literal, get_args

__all__ = ["ARMS", "Arm"]

Arm = Literal[
    "curated",
    "curated-min",
    "curated-random",
    "contrast",
    "uncurated",
    "refusals",
    "refusals-backdoor",
    "nothing",
]
"""What the defender trains on.

``curated``: the texts revised for the highest perplexity. ``curated-min``, ``curated-random``: revised for the lowest,
and at random. ``contrast``: those of ``curated`` among short exchanges in which a harm is named and declined, and
helpful answers; no disallowed request. ``uncurated``: the texts before revision, the control for training on anything
at all. ``refusals``: refusals and clean answers, the positive control. ``refusals-backdoor``: the same, with a secret
system turn before every refusal that the defender also puts before every later request. ``nothing``: no defence.
"""
ARMS: tuple[Arm, ...] = get_args(Arm)
