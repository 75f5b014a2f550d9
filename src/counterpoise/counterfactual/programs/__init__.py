"""The room in which foreign programs run, in the world where positions are counted from 0 and in that from 1.

:mod:`~counterpoise.counterfactual.programs.admission` says which programs come in,
:mod:`~counterpoise.counterfactual.programs.indexing` rewrites them,
:mod:`~counterpoise.counterfactual.programs.positions` is how a rewritten program counts,
:mod:`~counterpoise.counterfactual.programs.sandbox` runs one in a process of its own, and
:mod:`~counterpoise.counterfactual.programs.batch` runs many and keeps what came out.
"""

from counterpoise.counterfactual.programs.admission import refusal
from counterpoise.counterfactual.programs.batch import run_programs
from counterpoise.counterfactual.programs.indexing import Rewritten, rewrite, without_docstrings
from counterpoise.counterfactual.programs.outcome import Run, Status, World
from counterpoise.counterfactual.programs.positions import REWRITE
from counterpoise.counterfactual.programs.sandbox import Limits, Program

__all__ = [
    "REWRITE",
    "Limits",
    "Program",
    "Rewritten",
    "Run",
    "Status",
    "World",
    "refusal",
    "rewrite",
    "run_programs",
    "without_docstrings",
]
