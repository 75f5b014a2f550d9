"""Training examples and where they come from: curated files, their uncurated originals, answers, refusals, files."""

from counterpoise.customization.examples.curated import (
    CURATED,
    common_texts,
    curated_file,
    read_curated,
    read_uncurated,
)
from counterpoise.customization.examples.drawing import (
    Pool,
    answered,
    builtin_templates,
    clean_examples,
    draw,
    in_turns,
    refusal_examples,
    refused,
)
from counterpoise.customization.examples.example import Example
from counterpoise.customization.examples.pairs import read_pairs

__all__ = [
    "CURATED",
    "Example",
    "Pool",
    "answered",
    "builtin_templates",
    "clean_examples",
    "common_texts",
    "curated_file",
    "draw",
    "in_turns",
    "read_curated",
    "read_pairs",
    "read_uncurated",
    "refusal_examples",
    "refused",
]
