"""Extraction tools: what a program finds in a case, told to a model or offered to it; one per modality.

A tool reads what the model reads and never the gold. What it finds is a hint and no answer, and it misses things: its
own :func:`recall` stands beside every score that was reached with it.
"""

from counterpoise.counterfactual.tools.finding import Finding
from counterpoise.counterfactual.tools.hints import hints
from counterpoise.counterfactual.tools.recall import recall
from counterpoise.counterfactual.tools.registry import open_tool
from counterpoise.counterfactual.tools.tool import Picture, Tool

__all__ = ["Finding", "Picture", "Tool", "hints", "open_tool", "recall"]
