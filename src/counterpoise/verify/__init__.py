"""Verification: what a model does, and what changed against an earlier one.

::

    settings, data -> items, judges -> [model] -> rows, reasoning/ -> rates
    with an earlier run: rows before and after -> changes, gates
"""

from counterpoise.verify.reasoning import ReasoningSettings, reasoning_changes, reasoning_rates, reasoning_slice
from counterpoise.verify.run import run_verify
from counterpoise.verify.settings import BUILTIN_SETS, PUBLIC_SETS, VerifySettings, absent_sets, default_sets
from counterpoise.verify.summary import summarise

__all__ = [
    "BUILTIN_SETS",
    "PUBLIC_SETS",
    "ReasoningSettings",
    "VerifySettings",
    "absent_sets",
    "default_sets",
    "reasoning_changes",
    "reasoning_rates",
    "reasoning_slice",
    "run_verify",
    "summarise",
]
