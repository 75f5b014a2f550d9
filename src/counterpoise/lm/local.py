"""The local engine: a transformers model on this machine behind the language model protocol."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from jinja2 import TemplateError

from counterpoise.errors import CounterpoiseError, DataError, UnsupportedError, UsageError
from counterpoise.lm.engine.attention import one_token_attention
from counterpoise.lm.engine.constrained import SchemaGuides
from counterpoise.lm.engine.decoding import Limits, WrittenRow, decode
from counterpoise.lm.engine.packing import PackedWeights
from counterpoise.lm.engine.prefill import Prefiller
from counterpoise.lm.engine.scoring import score
from counterpoise.lm.engine.stopping import StopWatch, cut_at_stop
from counterpoise.lm.loading import end_tokens, load_folder
from counterpoise.lm.protocol import Completion, Message, Request, TokenLogprobs
from counterpoise.rng import rng_for

__all__ = ["LocalLM"]

Key = TypeVar("Key")

MAX_BATCH_TOKENS = 65_536
"""Default bound on tokens held at once: 1.5 GB of keys and values for the embedded model in bfloat16, and half that."""

PREFILL_TOKENS = 8_192
"""Prompt tokens read in one pass."""


class LocalLM:
    """A transformers causal language model with a chat template.

    Prompts are formatted with the tokenizer's chat template and read in batches; equal beginnings are read once. Each
    sample has its own parameters and its own stream of random numbers, so in float32 its text does not depend on what
    else is in the batch (in bfloat16 rounding may differ with the batch's shape). Safe to call from several threads:
    one call runs at a time.

    Args:
        model: a transformers causal language model. It is used as it is, in evaluation mode during a call.
        tokenizer: its fast tokenizer, with a chat template.
        name: reported as the model's name.
        revision: reported as the identity of the weights; give another whenever the weights change.
        max_batch: samples written at once; default 64 on a CPU and 256 elsewhere.
        max_batch_tokens: bound on tokens held at once, prompts and room for answers together; half as many again are
            kept of what prompts have in common.
        on_progress: called with samples finished and samples asked for in the current call of :meth:`generate`,
            whenever a request is completed.

    Raises:
        UnsupportedError: the tokenizer has no chat template, or the model keeps a recurrent state.
        UsageError: a bound below 1.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        name: str,
        revision: str,
        max_batch: int | None = None,
        max_batch_tokens: int = MAX_BATCH_TOKENS,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        if getattr(tokenizer, "chat_template", None) is None:
            raise UnsupportedError(
                f"the tokenizer of {name!r} has no chat template", expected="an instruction-tuned model"
            )
        for limit, value in (("max_batch", max_batch), ("max_batch_tokens", max_batch_tokens)):
            if value is not None and value < 1:
                raise UsageError(f"{limit} is {value}", expected="at least 1")
        self.name = name
        self.revision = revision
        self.model = model
        self.tokenizer = tokenizer
        self.on_progress = on_progress
        self.max_batch = max_batch or (64 if model.device.type == "cpu" else 256)
        self._limits = Limits(
            rows=self.max_batch, tokens=max_batch_tokens, prefill=min(PREFILL_TOKENS, max_batch_tokens)
        )
        self._ends = end_tokens(model, tokenizer)
        pad = tokenizer.pad_token_id
        self._prefiller = Prefiller(
            model, pad if pad is not None else min(self._ends, default=0), kept_tokens=max_batch_tokens // 2
        )
        self._guides = SchemaGuides(tokenizer, model.config.get_text_config().vocab_size, tuple(sorted(self._ends)))
        self._packed = PackedWeights(model)
        self._lock = threading.Lock()

    @classmethod
    def from_folder(
        cls,
        path: Path | str,
        *,
        name: str | None = None,
        adapter: Path | None = None,
        device: str | None = None,
        dtype: torch.dtype | None = None,
        chat_template: str | None = None,
        max_batch: int | None = None,
        max_batch_tokens: int = MAX_BATCH_TOKENS,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Load a model folder; see :func:`~counterpoise.lm.loading.load_folder` for the arguments and errors.

        ``name`` defaults to the path as given; the other arguments are those of the class.
        """
        folder = Path(path)
        loaded = load_folder(folder, adapter=adapter, device=device, dtype=dtype, chat_template=chat_template)
        return cls(
            loaded.model,
            loaded.tokenizer,
            name=name or str(path),
            revision=loaded.revision,
            max_batch=max_batch,
            max_batch_tokens=max_batch_tokens,
            on_progress=on_progress,
        )

    @property
    def context_window(self) -> int:
        """Tokens that prompt and completion may have together; very large when the model states no bound."""
        window = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return int(window) if window else 1 << 30

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """See :class:`~counterpoise.lm.protocol.LanguageModel`.

        A request whose prompt leaves no room for its ``max_tokens``, whose messages the chat template refuses or whose
        schema cannot be compiled gets completions with ``finish == "error"`` and the reason.
        """
        results: list[list[Completion]] = [[] for _ in requests]
        arriving = [list(enumerate(requests))]
        total, done = sum(request.n for request in requests), 0

        def deliver(number: int, completions: list[Completion]) -> None:
            nonlocal done
            results[number] = completions
            done += len(completions)
            if self.on_progress:
                self.on_progress(done, total)

        if requests:
            self.serve(lambda: arriving.pop() if arriving else [], deliver)
        return results

    def serve(
        self,
        source: Callable[[], Sequence[tuple[Key, Request]]],
        deliver: Callable[[Key, list[Completion]], None],
    ) -> None:
        """Complete requests that keep arriving; returns when all are done and no more have come.

        Args:
            source: asked before every step for the requests that have arrived since, each with a key of the caller's;
                they join those being written.
            deliver: called with a request's key and its ``n`` completions as soon as the last of them is finished.
        """
        open_requests: dict[int, tuple[Key, Request, dict[int, Completion]]] = {}
        numbers = count()

        def rows() -> list[WrittenRow]:
            arrived: list[WrittenRow] = []
            for key, request in source():
                number = next(numbers)
                try:
                    arrived += self._rows(request, number)
                    open_requests[number] = key, request, {}
                except CounterpoiseError as error:
                    deliver(key, [Completion(text="", finish="error", error=str(error))] * request.n)
            return arrived

        with self._lock, self._ready():
            for row in decode(self._prefiller, rows, self._limits, self._ends):
                number, sample = row.key
                key, request, finished = open_requests[number]
                finished[sample] = self._completion(row, request)
                if len(finished) == request.n:
                    del open_requests[number]
                    deliver(key, [finished[index] for index in range(request.n)])

    def logprobs(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[TokenLogprobs]:
        """See :class:`~counterpoise.lm.protocol.LanguageModel`.

        The chat-formatted prompt and the continuation are tokenised apart and joined, so a continuation has the same
        tokens after every prompt.

        Raises:
            DataError: a pair is longer than the context window, or the chat template refuses its messages.
        """
        encoded: list[tuple[list[int], list[int]]] = []
        with self._lock, self._ready():
            for number, (messages, continuation) in enumerate(pairs):
                prompt, tokens = self._prompt(messages), self._encode(continuation)
                if len(prompt) + len(tokens) > self.context_window:
                    raise DataError(
                        f"a text to score has {len(prompt) + len(tokens)} tokens with its prompt",
                        where=f"pair {number + 1}",
                        expected=f"at most {self.context_window}",
                    )
                encoded.append((prompt, tokens))
            scores = score(
                self._prefiller, encoded, rows=self._limits.rows, tokens=min(self._limits.tokens, PREFILL_TOKENS)
            )
        return [
            TokenLogprobs(tuple(self._decode([token]) for token in tokens), tuple(values))
            for (_, tokens), values in zip(encoded, scores, strict=True)
        ]

    @contextlib.contextmanager
    def _ready(self) -> Iterator[None]:
        """Evaluation mode without gradients; frees what only this call needed."""
        training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode(), one_token_attention(self.model), self._packed.used():
                yield
        finally:
            self.model.train(training)
            self._prefiller.forget()

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        if any(message.get("images") for message in messages):
            raise UnsupportedError(f"model {self.name!r} reads text only", expected="a vision model for images")
        try:
            text = self.tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)
        except (TemplateError, TypeError, ValueError) as error:
            raise DataError(f"the chat template refuses the messages: {error}") from error
        tokens = self._encode(str(text))
        if not tokens:
            raise DataError("the chat template gives an empty prompt for the messages")
        return tokens

    def _encode(self, text: str) -> list[int]:
        # The template writes the special tokens itself.
        return list(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def _decode(self, tokens: Sequence[int]) -> str:
        text = self.tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text)

    def _check_room(self, prompt: list[int], max_tokens: int) -> None:
        if len(prompt) + max_tokens > self.context_window:
            raise DataError(
                f"the prompt has {len(prompt)} tokens, which leaves no room for {max_tokens} more",
                expected=f"at most {self.context_window} together",
            )

    def _rows(self, request: Request, number: int) -> list[WrittenRow]:
        prompt = self._prompt(request.messages)
        self._check_room(prompt, request.max_tokens)
        return [
            WrittenRow(
                key=(number, sample),
                prompt=prompt,
                temperature=request.temperature,
                top_p=request.top_p,
                max_tokens=request.max_tokens,
                draws=rng_for(request.seed, "sample", sample),
                watch=StopWatch(self._decode, request.stop),
                guide=None if request.schema is None else self._guides.guide(request.schema),
            )
            for sample in range(request.n)
        ]

    def _completion(self, row: WrittenRow, request: Request) -> Completion:
        text, _ = cut_at_stop(self._decode(row.tokens), request.stop)
        return Completion(
            text=text,
            input_tokens=len(row.prompt),
            output_tokens=len(row.tokens),
            finish=row.finish or "error",
            error=row.error,
            seconds=row.seconds,
        )
