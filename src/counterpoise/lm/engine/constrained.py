"""Keeping a completion inside a JSON schema: which tokens may come next."""

import json
from collections.abc import Mapping
from typing import Any

import llguidance
import llguidance.hf
import numpy as np
import torch

from counterpoise.errors import UnsupportedError

__all__ = ["Guide", "SchemaGuides"]

# The spacing that json.dumps writes and that models have read most of. Free white space would let a small model
# spend its whole budget on line breaks.
_LAYOUT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class Guide:
    """The state of one row: what it has written so far and what may follow.

    Args:
        matcher: an llguidance matcher of this row alone.
    """

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    @property
    def finished(self) -> bool:
        """Whether the text is complete and nothing can be added."""
        return bool(self._matcher.is_stopped()) and not self._matcher.is_error()

    @property
    def error(self) -> str | None:
        """Why the guide cannot go on; ``None`` as long as it can."""
        if not self._matcher.is_error():
            return None
        return " ".join(str(self._matcher.get_error()).split()) or "the schema's grammar failed"

    def forbid(self, logits: torch.Tensor) -> None:
        """Set the logits of all tokens that may not come next to ``-inf``, in place; shape ``[vocabulary]``."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.unpackbits(bits, bitorder="little")[: logits.shape[0]].astype(bool)
        forbidden = np.ones(logits.shape[0], dtype=bool)
        forbidden[: allowed.shape[0]] = ~allowed
        logits.masked_fill_(torch.from_numpy(forbidden).to(logits.device), float("-inf"))

    def accept(self, token: int) -> None:
        """Note the token that was taken."""
        self._matcher.consume_token(token)


class SchemaGuides:
    """Compiles JSON schemas for one tokenizer; a schema seen before is not compiled again.

    Args:
        tokenizer: a fast transformers tokenizer.
        vocabulary: number of logits of the model, which may exceed the tokenizer's tokens.
        ends: ids of the tokens that end a turn.
    """

    def __init__(self, tokenizer: Any, vocabulary: int, ends: tuple[int, ...]) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._ends = ends
        self._compiled: Any = None
        self._matchers: dict[str, Any] = {}

    def guide(self, schema: Mapping[str, Any]) -> Guide:
        """A fresh guide for one row.

        Raises:
            UnsupportedError: the schema is not valid, uses a feature that cannot be enforced, or the tokenizer is
                not a fast one.
        """
        try:
            # Not canonical: properties are written in the schema's order, which is part of what was asked.
            key = json.dumps(schema)
        except (TypeError, ValueError) as error:
            raise UnsupportedError(f"the schema is not a JSON value: {error}") from error
        if key not in self._matchers:
            self._matchers[key] = self._compile(key)
        return Guide(self._matchers[key].deep_copy())

    def _compile(self, schema: str) -> Any:
        if self._compiled is None:
            try:
                self._compiled = llguidance.hf.from_tokenizer(
                    self._tokenizer, n_vocab=self._vocabulary, eos_token=list(self._ends)
                )
            except ValueError as error:
                raise UnsupportedError(f"this tokenizer cannot follow a schema: {error}") from error
        try:
            grammar = llguidance.LLMatcher.grammar_from_json_schema(schema, overrides=_LAYOUT)
        except ValueError as error:
            raise UnsupportedError(f"the schema cannot be compiled: {error}") from error
        matcher = llguidance.LLMatcher(self._compiled, grammar, log_level=0)
        if matcher.is_error():
            raise UnsupportedError(f"the schema cannot be compiled: {matcher.get_error()}")
        return matcher
