"""Readers of the prompts that a model is tested with or trained on, from public files and from the built-in set.

A prompt set is a named function from the data folder to prompts (:data:`PROMPT_SETS`). AdvBench and the built-in
disallowed requests serve both training and evaluation, so they come in named, disjoint splits: ``align`` and
``attack`` may be trained on, ``heldout`` (built-in: ``test``) is only asked. Near-duplicates fall into the same
split.
"""

from counterpoise.safety.benchmarks.harmful import advbench, builtin_disallowed, jailbreakbench
from counterpoise.safety.benchmarks.instructions import (
    BENIGN,
    alpaca,
    alpaca_gpt4,
    benign,
    builtin_benign,
    builtin_contrast,
    dolly,
)
from counterpoise.safety.benchmarks.labelled import xstest_completions
from counterpoise.safety.benchmarks.prompt import Expectation, Prompt, PromptSet, Split
from counterpoise.safety.benchmarks.registry import PROMPT_SETS, read_prompts

__all__ = [
    "BENIGN",
    "PROMPT_SETS",
    "Expectation",
    "Prompt",
    "PromptSet",
    "Split",
    "advbench",
    "alpaca",
    "alpaca_gpt4",
    "benign",
    "builtin_benign",
    "builtin_contrast",
    "builtin_disallowed",
    "dolly",
    "jailbreakbench",
    "read_prompts",
    "xstest_completions",
]
