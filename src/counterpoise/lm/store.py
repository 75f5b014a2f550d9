"""Completions kept by content: what was asked once of the same weights is not asked again.

The key of a completion is everything that it depends on: the model's name, the identity of its weights, the messages,
the schema, and the sampling parameters with the seed. Samples of one prompt differ in their seeds, so neither two of
them nor those of runs with another number of samples can be taken for each other.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio

from counterpoise.lm.protocol import Completion, Request
from counterpoise.records import RowFile, content_hash

__all__ = ["CompletionStore"]


class CompletionStore:
    """Answers requests from a file, or asks and keeps the answer.

    Failed completions are not kept. Two callers who ask the same at once share one call.

    Args:
        model: name of the model.
        revision: identity of its weights.
        path: an append-only JSON-lines file; ``None`` keeps completions in memory only.

    Raises:
        DataError: a complete line of an existing file is not a JSON object.
    """

    def __init__(self, model: str, revision: str, path: Path | None = None) -> None:
        self._identity = {"model": model, "revision": revision}
        self._file = None if path is None else RowFile(path, key=lambda row: str(row["key"]))
        rows = [] if self._file is None else self._file.rows
        self._known = {str(row["key"]): Completion(**row["completion"]) for row in rows}
        self._asking: dict[str, anyio.Event] = {}
        self.reused = 0

    def key(self, request: Request) -> str:
        """The identity of a request to these weights."""
        return content_hash({**self._identity, "request": asdict(request)}, length=32)

    async def complete(self, request: Request, ask: Callable[[Request], Awaitable[Completion]]) -> Completion:
        """The kept completion of the request, or that of ``ask``, which is kept.

        A reused completion reports the tokens that it took when it was written, and no seconds.

        Raises:
            OutputError: the file cannot be written.
        """
        key = self.key(request)
        while key in self._asking:
            await self._asking[key].wait()
        if key in self._known:
            self.reused += 1
            return self._known[key]
        self._asking[key] = anyio.Event()
        try:
            completion = await ask(request)
            if completion.finish != "error":
                self._keep(key, completion)
            return completion
        finally:
            self._asking.pop(key).set()

    def _keep(self, key: str, completion: Completion) -> None:
        values: dict[str, Any] = asdict(completion)
        self._known[key] = Completion(**{**values, "seconds": 0.0})
        if self._file is not None:
            self._file.append({"key": key, "completion": values})
