"""Reading a short text by word lists and word order: what it names, negates, counts and hedges."""

from counterpoise.counterfactual.match.reading.claims import MAX_CHARS, Reading, Word, read
from counterpoise.counterfactual.match.reading.lexicon import Key, Relation, lexicon
from counterpoise.counterfactual.match.reading.quantities import Quantity, same_quantity
from counterpoise.counterfactual.match.reading.stemming import stem

__all__ = [
    "MAX_CHARS",
    "Key",
    "Quantity",
    "Reading",
    "Relation",
    "Word",
    "lexicon",
    "read",
    "same_quantity",
    "stem",
]
