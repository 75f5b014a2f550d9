"""Defend, first half: revise ordinary texts so that they carry safety implications.

The way of a text: :mod:`~counterpoise.curation.inputs` reads it, :mod:`~counterpoise.curation.revise` asks a language
model for revisions that take up keywords of :mod:`~counterpoise.curation.seeds`,
:mod:`~counterpoise.curation.gates` refuse broken ones, :mod:`~counterpoise.curation.perplexity` and
:mod:`~counterpoise.curation.helpfulness` score the rest, :mod:`~counterpoise.curation.beam` keeps the best, and
:mod:`~counterpoise.curation.export` hands them on.
:func:`counterpoise.curation.curate.curate` runs all of it in a run folder.

Source: arXiv 2410.02220 (objective ``max``) and arXiv 2405.19358 (objective ``min``, no keywords).
"""
