"""A language model whose calls are kept by content: the same call to the same weights is not made again.

A whole call is the unit, not a request: in bfloat16 a text may depend on what it was batched with, so only the very
same batch may be answered from memory. A run that was killed repeats its calls, gets the finished ones back and ends
in the same bytes; runs that share a folder share the calls that they have in common.
"""

import gzip
import json
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from counterpoise.errors import OutputError
from counterpoise.lm.protocol import Completion, LanguageModel, Message, Request, TokenLogprobs
from counterpoise.records import canonical_json, content_hash, write_atomic

__all__ = ["CachedLM"]

T = TypeVar("T")


class CachedLM:
    """Answers calls from a folder, or makes them and keeps what they gave.

    The key of a call is everything that it depends on: the model's name, the identity of its weights, and every
    request with its messages, sampling parameters and seed. Each call is one compressed file that appears complete or
    not at all; a damaged one is made again. A call in which a completion failed is not kept.

    Args:
        lm: the model.
        folder: created when the first call is kept; several runs may use it at once.
        on_call: called after every call with what was asked (``generate`` or ``logprobs``), how many items it had, and
            the seconds that the model took (``None`` where the call was kept already).
    """

    def __init__(
        self,
        lm: LanguageModel,
        folder: Path,
        *,
        on_call: Callable[[str, int, float | None], None] | None = None,
    ) -> None:
        self._lm = lm
        self._folder = folder
        self._on_call = on_call

    @property
    def name(self) -> str:
        """The model's name."""
        return self._lm.name

    @property
    def revision(self) -> str:
        """Identity of the model's weights."""
        return self._lm.revision

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """See :class:`~counterpoise.lm.protocol.LanguageModel`.

        Raises:
            OutputError: the folder cannot be written.
        """
        return self._call(
            "generate",
            [asdict(request) for request in requests],
            lambda: self._lm.generate(requests),
            dump=lambda samples: [asdict(sample) for sample in samples],
            load=lambda samples: [Completion(**sample) for sample in samples],
            keep=lambda samples: all(sample.finish != "error" for sample in samples),
        )

    def logprobs(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[TokenLogprobs]:
        """See :class:`~counterpoise.lm.protocol.LanguageModel`.

        Raises:
            OutputError: the folder cannot be written.
            UnsupportedError: the model cannot score given text.
        """
        return self._call(
            "logprobs",
            [[list(messages), text] for messages, text in pairs],
            lambda: self._lm.logprobs(pairs),
            dump=lambda scored: [list(scored.tokens), list(scored.logprobs)],
            load=lambda scored: TokenLogprobs(tuple(scored[0]), tuple(scored[1])),
            keep=lambda scored: True,
        )

    def _call(
        self,
        what: str,
        items: Sequence[Any],
        make: Callable[[], list[T]],
        *,
        dump: Callable[[T], Any],
        load: Callable[[Any], T],
        keep: Callable[[T], bool],
    ) -> list[T]:
        if not items:
            return []
        identity = {"model": self.name, "revision": self.revision, "call": what, "items": items}
        key = content_hash(identity, length=32)
        path = self._folder / key[:2] / f"{key}.json.gz"
        seconds: float | None = None
        try:
            results = [load(value) for value in _read(path)]
        except (OSError, EOFError, ValueError, TypeError, LookupError, zlib.error):
            results = []
        if len(results) != len(items):
            begun = time.monotonic()
            results = make()
            seconds = time.monotonic() - begun
            if all(keep(result) for result in results):
                _write(path, [dump(result) for result in results])
        if self._on_call:
            self._on_call(what, len(items), seconds)
        return results


def _read(path: Path) -> list[Any]:
    value = json.loads(gzip.decompress(path.read_bytes()))
    if not isinstance(value, Mapping):
        raise ValueError("not a call")
    return list(value["results"])


def _write(path: Path, results: Sequence[Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write below {path.parent}: {error.strerror or error}") from error
    write_atomic(path, gzip.compress(canonical_json({"results": results}).encode(), compresslevel=5, mtime=0))
