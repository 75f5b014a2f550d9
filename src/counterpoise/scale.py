"""A language model spread over a Ray cluster, behind the same protocol as one on this machine.

Each worker opens the model once and keeps it; requests are dealt out in chunks, and answers come back in order.
What is computed does not change, only where: everything that takes a language model takes this one.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from counterpoise.errors import MissingExtraError, RunError
from counterpoise.lm.protocol import Completion, LanguageModel, Message, Request, TokenLogprobs

__all__ = ["ScaledLM"]


class ScaledLM:
    """Workers of a Ray cluster that hold one model each; use as a context manager.

    Connects to the cluster that Ray's own settings name (``RAY_ADDRESS``), else starts one on this machine's loopback
    address.

    Args:
        open_model: opens the model; runs once in each worker, so it must be picklable
            (``functools.partial(open_model, "embedded/smollm2")``).
        workers: how many, at least 1.
        chunk: requests handed to a worker at a time.
        cpus: processors reserved for each worker.
        gpus: accelerators reserved for each worker.

    Raises:
        MissingExtraError: Ray is not installed.
        RunError: a worker could not open the model.
    """

    def __init__(
        self,
        open_model: Callable[[], LanguageModel],
        *,
        workers: int,
        chunk: int = 64,
        cpus: float = 1,
        gpus: float = 0,
    ) -> None:
        if workers < 1 or chunk < 1:
            raise ValueError(f"workers and chunk must be at least 1; got {workers} and {chunk}")
        try:
            import ray
        except ImportError:
            raise MissingExtraError("ray", extra="scale", purpose="running on a cluster") from None
        self._ray: Any = ray
        self._started = not ray.is_initialized()
        if self._started:
            ray.init(include_dashboard=False, log_to_driver=False, configure_logging=False)
        worker = ray.remote(num_cpus=cpus, num_gpus=gpus)(_Worker)
        self._workers = [worker.remote(open_model) for _ in range(workers)]
        self._chunk = chunk
        self.name, self.revision = self._get([self._workers[0].identity.remote()])[0]

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """See :class:`~counterpoise.lm.protocol.LanguageModel`."""
        return self._deal("generate", requests)

    def logprobs(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[TokenLogprobs]:
        """See :class:`~counterpoise.lm.protocol.LanguageModel`."""
        return self._deal("logprobs", pairs)

    def close(self) -> None:
        """Free the workers, and the cluster if it was started here."""
        for worker in self._workers:
            self._ray.kill(worker)
        self._workers = []
        if self._started:
            self._ray.shutdown()

    def __enter__(self) -> "ScaledLM":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _deal(self, method: str, items: Sequence[Any]) -> list[Any]:
        chunks = [list(items[begin : begin + self._chunk]) for begin in range(0, len(items), self._chunk)]
        pool = self._ray.util.ActorPool(self._workers)
        try:
            # The pool gives the next chunk to whichever worker is free and returns the results in order.
            return list(chain.from_iterable(pool.map(lambda worker, part: worker.call.remote(method, part), chunks)))
        except self._ray.exceptions.RayError as error:
            raise RunError(f"a worker failed: {_reason(error)}") from error

    def _get(self, references: list[Any]) -> Any:
        try:
            return self._ray.get(references)
        except self._ray.exceptions.RayError as error:
            self.close()
            raise RunError(f"a worker could not open the model: {_reason(error)}") from error


class _Worker:
    """Lives in a worker process and holds its model."""

    def __init__(self, open_model: Callable[[], LanguageModel]) -> None:
        self._model = open_model()

    def identity(self) -> tuple[str, str]:
        return self._model.name, self._model.revision

    def call(self, method: str, items: list[Any]) -> list[Any]:
        results: list[Any] = getattr(self._model, method)(items)
        return results


def _reason(error: Exception) -> str:
    """The last line of a remote traceback, which says what happened."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
