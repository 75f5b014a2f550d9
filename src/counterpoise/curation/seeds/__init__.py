"""The seed sets: safety keywords that revisions take up, and how to build more of them from documents.

:mod:`~counterpoise.curation.seeds.seed` reads sets, :mod:`~counterpoise.curation.seeds.compare` compares them.
:mod:`~counterpoise.curation.seeds.build` makes one: :mod:`~counterpoise.curation.seeds.documents` reads a document,
:mod:`~counterpoise.curation.seeds.phrases` finds its keyphrases, :mod:`~counterpoise.curation.seeds.relevance` keeps
those about safety.
"""

from counterpoise.curation.seeds.seed import Provenance, Seed, builtin_seeds, load_seeds

__all__ = ["Provenance", "Seed", "builtin_seeds", "load_seeds"]
