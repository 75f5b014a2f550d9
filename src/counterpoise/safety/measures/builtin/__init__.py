"""Texts of this project that a model is measured with, and that nothing here trains on."""

import json
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["lines", "refusals"]


@cache
def refusals() -> tuple[str, ...]:
    """Refusals whose perplexity is measured; other texts than those that alignment trains on."""
    text = _file("refusals.json")
    return tuple(json.loads(text)["refusals"])


@cache
def lines(name: str) -> tuple[dict[str, Any], ...]:
    """The objects of a built-in JSON-lines file."""
    return tuple(json.loads(line) for line in _file(name).split("\n") if line.strip())


def _file(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
