"""Models that read images: a transformers vision-language model on this machine behind the language model protocol.

The library's own ``generate`` runs the model, because every architecture places images, positions and masks in its own
way. Which token comes next is decided here, row by row, as the local engine decides it.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import torch
from jinja2 import TemplateError
from PIL.Image import Image
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

from counterpoise.errors import CounterpoiseError, DataError, UnsupportedError, UsageError
from counterpoise.lm.engine.constrained import SchemaGuides
from counterpoise.lm.engine.decoding import WrittenRow, choose_next
from counterpoise.lm.engine.stopping import StopWatch, cut_at_stop
from counterpoise.lm.images import MAX_PIXELS, read_image
from counterpoise.lm.loading import end_tokens, load_vision_folder
from counterpoise.lm.protocol import Completion, Message, Request, TokenLogprobs
from counterpoise.rng import rng_for

__all__ = ["VisionLM"]

Key = TypeVar("Key")

MAX_BATCH_TOKENS = 65_536
"""Default bound on tokens held at once, those that stand for images included."""

MAX_PIXELS_TOGETHER = 4 * MAX_PIXELS
"""Of the images of a request, and of those of a batch; one request is always allowed."""


@dataclass(frozen=True, slots=True)
class _Prompt:
    """Messages as the processor takes them.

    Attributes:
        text: chat-formatted, with a placeholder for each image.
        images: in the order of their placeholders, in RGB.
        tokens: ids of the whole prompt, those that stand for images included.
    """

    text: str
    images: tuple[Image, ...]
    tokens: tuple[int, ...]

    @property
    def pixels(self) -> int:
        return sum(image.width * image.height for image in self.images)


@dataclass(slots=True)
class _Open(Generic[Key]):
    """A request that is being written, and its samples that are finished."""

    key: Key
    request: Request
    prompt: _Prompt
    finished: dict[int, Completion] = field(default_factory=dict)


class _CallerFault(Exception):
    """What the caller's functions raised, on its way through the library."""


class VisionLM:
    """A transformers image-text-to-text model with a chat template.

    Prompts of one batch, with and without images, are read in one pass and written together; requests that arrive
    meanwhile wait for the next batch. Each sample has its own parameters and its own stream of random numbers, so in
    float32 its text does not depend on what else is in the batch. Safe to call from several threads: one call runs at
    a time.

    Args:
        model: a transformers image-text-to-text model. It is used as it is, in evaluation mode during a call.
        processor: its processor, with a fast tokenizer and a chat template. A tokenizer without a padding token is
            given one.
        name: reported as the model's name.
        revision: reported as the identity of the weights; give another whenever the weights change.
        max_batch: samples written at once; default 8 on a CPU and 32 elsewhere.
        max_batch_tokens: bound on tokens held at once, prompts and room for answers together; one sample is always
            allowed.
        on_progress: called with samples finished and samples asked for in the current call of :meth:`generate`,
            whenever a request is completed.

    Raises:
        UnsupportedError: the chat template has no place for images, or the model reads its prompt apart from its
            answer (an encoder and a decoder).
        UsageError: a bound below 1.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        *,
        name: str,
        revision: str,
        max_batch: int | None = None,
        max_batch_tokens: int = MAX_BATCH_TOKENS,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        for limit, value in (("max_batch", max_batch), ("max_batch_tokens", max_batch_tokens)):
            if value is not None and value < 1:
                raise UsageError(f"{limit} is {value}", expected="at least 1")
        if model.config.is_encoder_decoder:
            raise UnsupportedError(
                f"model {name!r} is of type {model.config.model_type!r}, an encoder and a decoder",
                expected="a vision-language model that continues its prompt",
            )
        self.name = name
        self.revision = revision
        self.model = model
        self.processor = processor
        self.tokenizer = processor.tokenizer
        self.on_progress = on_progress
        self.max_batch = max_batch or (8 if model.device.type == "cpu" else 32)
        self._max_batch_tokens = max_batch_tokens
        self._ends = end_tokens(model, self.tokenizer)
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.convert_ids_to_tokens(min(self._ends, default=0))
        vocabulary = model.config.get_text_config().vocab_size
        self._guides = SchemaGuides(self.tokenizer, vocabulary, tuple(sorted(self._ends)))
        self._adds_beginning = self._check_template()
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
        max_batch: int | None = None,
        max_batch_tokens: int = MAX_BATCH_TOKENS,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Load a model folder; see :func:`~counterpoise.lm.loading.load_vision_folder` for arguments and errors.

        ``name`` defaults to the path as given; the other arguments are those of the class.
        """
        loaded = load_vision_folder(Path(path), adapter=adapter, device=device, dtype=dtype)
        return cls(
            loaded.model,
            loaded.processor,
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

        A request with an image that cannot be decoded, is neither PNG nor JPEG or has more than 50 megapixels, whose
        prompt leaves no room for its ``max_tokens``, whose messages the chat template refuses or whose schema cannot
        be compiled gets completions with ``finish == "error"`` and the reason.
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
                they are written when the batch before them is finished. What it raises ends the call.
            deliver: called with a request's key and its ``n`` completions as soon as the last of them is finished.
        """
        arrived: deque[tuple[Key, Request]] = deque()
        waiting: deque[WrittenRow] = deque()
        requests: dict[int, _Open[Key]] = {}
        numbers = count()

        def finish(row: WrittenRow) -> None:
            number, sample = row.key
            one = requests[number]
            one.finished[sample] = self._completion(row, one.request)
            if len(one.finished) == one.request.n:
                del requests[number]
                deliver(one.key, [one.finished[index] for index in range(one.request.n)])

        def poll() -> None:
            arrived.extend(source())

        with self._lock, self._ready():
            while True:
                poll()
                # Decoded images are large: no more requests are read than the next batch may hold.
                while arrived and len(waiting) < self.max_batch and not _full(waiting, requests):
                    key, request = arrived.popleft()
                    number = next(numbers)
                    try:
                        one = _Open(key, request, self._prompt(request.messages))
                        waiting.extend(self._row(one, number, sample) for sample in range(request.n))
                        requests[number] = one
                    except CounterpoiseError as error:
                        deliver(key, [Completion(text="", finish="error", error=str(error))] * request.n)
                if not waiting:
                    return
                self._write(self._fitting(waiting, requests), requests, poll, finish)

    def logprobs(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[TokenLogprobs]:
        """See :class:`~counterpoise.lm.protocol.LanguageModel`; messages may hold images.

        Prompt and continuation are tokenised apart and joined, and read one token at a time, as if written.

        Raises:
            DataError: an image cannot be read, a pair is longer than the context window, or the chat template refuses
                its messages.
        """
        scores: list[list[float]] = [[] for _ in pairs]
        continuations = [self._encode(continuation) for _, continuation in pairs]
        with self._lock, self._ready():
            batch: list[tuple[int, _Prompt]] = []
            for number, ((messages, _), tokens) in enumerate(zip(pairs, continuations, strict=True)):
                prompt = self._prompt(messages)
                if len(prompt.tokens) + len(tokens) > self.context_window:
                    raise DataError(
                        f"a text to score has {len(prompt.tokens) + len(tokens)} tokens with its prompt",
                        where=f"pair {number + 1}",
                        expected=f"at most {self.context_window}",
                    )
                if not tokens:
                    continue
                widest = max(len(one.tokens) + len(continuations[index]) for index, one in [*batch, (number, prompt)])
                pixels = sum(one.pixels for _, one in batch) + prompt.pixels
                if batch and not self._fits(len(batch) + 1, widest, pixels):
                    self._score(batch, continuations, scores)
                    batch = []
                batch.append((number, prompt))
            if batch:
                self._score(batch, continuations, scores)
        return [
            TokenLogprobs(tuple(self._decode([token]) for token in tokens), tuple(values))
            for tokens, values in zip(continuations, scores, strict=True)
        ]

    @contextlib.contextmanager
    def _ready(self) -> Iterator[None]:
        """Evaluation mode without gradients and without the folder's own sampling parameters."""
        training, settings = self.model.training, self.model.generation_config
        self.model.eval()
        # What a call leaves open is filled in from here: a penalty or a temperature would change the logits.
        self.model.generation_config = GenerationConfig()
        try:
            with torch.inference_mode():
                yield
        finally:
            self.model.generation_config = settings
            self.model.train(training)

    def _check_template(self) -> bool:
        """Whether the tokenizer must add the token that begins a text, which most templates write themselves."""
        try:
            plain = self._format([{"role": "user", "content": "probe"}])
            shown = self._format([{"role": "user", "content": "probe", "images": [""]}])
        except DataError as error:
            raise UnsupportedError(f"the chat template of {self.name!r} takes no text: {error}") from error
        # A template for text alone writes the list of parts as it stands, or leaves it out.
        if "probe" not in plain or "'type'" in plain or plain == shown:
            raise UnsupportedError(
                f"the chat template of {self.name!r} has no place for images",
                expected="a template for messages of images and text",
            )
        beginning = self.tokenizer.bos_token
        return not (beginning and plain.startswith(beginning))

    def _format(self, messages: Sequence[Message]) -> str:
        turns = [
            {
                **message,
                "content": [*({"type": "image"} for _ in images), {"type": "text", "text": message["content"]}],
            }
            for message in messages
            for images in [message.get("images") or []]
        ]
        for turn in turns:
            turn.pop("images", None)
        own = None if getattr(self.processor, "chat_template", None) else self.tokenizer.chat_template
        try:
            text = self.processor.apply_chat_template(
                turns, chat_template=own, add_generation_prompt=True, tokenize=False
            )
        except (TemplateError, LookupError, TypeError, ValueError) as error:
            raise DataError(f"the chat template refuses the messages: {error}") from error
        return str(text)

    def _prompt(self, messages: Sequence[Message]) -> _Prompt:
        """Format, decode and count; each prompt by itself, so that one with wrong placeholders spoils no other."""
        images: list[Image] = []
        for number, uri in enumerate(uri for message in messages for uri in message.get("images") or []):
            images.append(read_image(uri, f"image {number + 1}"))
            if sum(image.width * image.height for image in images) > MAX_PIXELS_TOGETHER:
                raise DataError(
                    "the images of the request are too large together",
                    expected=f"at most {MAX_PIXELS_TOGETHER // 1_000_000} megapixels",
                )
        prompt = _Prompt(self._format(messages), tuple(images), ())
        try:
            tokens = self._inputs([prompt])["input_ids"][0].tolist()
        # Every architecture's processor refuses in its own way: a placeholder in the text, an image of one pixel.
        except Exception as error:
            raise DataError(f"the processor refuses the messages: {_reason(error)}") from error
        if not tokens:
            raise DataError("the chat template gives an empty prompt for the messages")
        return _Prompt(prompt.text, prompt.images, tuple(tokens))

    def _inputs(self, prompts: Sequence[_Prompt]) -> Any:
        """What the model reads: token ids of shape ``[prompts, tokens]``, padded on the left, and its image tensors."""
        images = [list(prompt.images) for prompt in prompts]
        return self.processor(
            text=[prompt.text for prompt in prompts],
            images=images if any(images) else None,
            padding=True,
            padding_side="left",
            add_special_tokens=self._adds_beginning,
            return_tensors="pt",
        )

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def _decode(self, tokens: Sequence[int]) -> str:
        text = self.tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text)

    def _row(self, one: _Open[Any], number: int, sample: int) -> WrittenRow:
        prompt, request = one.prompt.tokens, one.request
        if len(prompt) + request.max_tokens > self.context_window:
            raise DataError(
                f"the prompt has {len(prompt)} tokens, which leaves no room for {request.max_tokens} more",
                expected=f"at most {self.context_window} together",
            )
        return WrittenRow(
            key=(number, sample),
            prompt=prompt,
            temperature=request.temperature,
            top_p=request.top_p,
            max_tokens=request.max_tokens,
            draws=rng_for(request.seed, "sample", sample),
            watch=StopWatch(self._decode, request.stop),
            guide=None if request.schema is None else self._guides.guide(request.schema),
        )

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

    def _fits(self, rows: int, widest: int, pixels: int) -> bool:
        return rows <= self.max_batch and rows * widest <= self._max_batch_tokens and pixels <= MAX_PIXELS_TOGETHER

    def _fitting(self, waiting: deque[WrittenRow], requests: dict[int, _Open[Any]]) -> list[WrittenRow]:
        """Take the waiting rows that are written next, in order."""
        group = [waiting.popleft()]
        widest, pixels = group[0].room, requests[group[0].key[0]].prompt.pixels
        while waiting:
            widest = max(widest, waiting[0].room)
            pixels += requests[waiting[0].key[0]].prompt.pixels
            if not self._fits(len(group) + 1, widest, pixels):
                break
            group.append(waiting.popleft())
        return group

    def _write(
        self,
        rows: list[WrittenRow],
        requests: dict[int, _Open[Any]],
        poll: Callable[[], None],
        finish: Callable[[WrittenRow], None],
    ) -> None:
        """Write a batch; ``poll`` is called before every step and ``finish`` with each row that is done."""
        begun = time.perf_counter()

        def choose(logits: torch.Tensor) -> list[int | None]:
            nonlocal begun
            live = [number for number, row in enumerate(rows) if row.finish is None]
            tokens = choose_next([rows[number] for number in live], logits[live], self._ends)
            begun = _share(begun, [rows[number] for number in live])
            chosen: list[int | None] = [None] * len(rows)
            try:
                for number, token in zip(live, tokens, strict=True):
                    if rows[number].finish is None:
                        chosen[number] = token
                    else:
                        finish(rows[number])
                poll()
            except BaseException as error:
                raise _CallerFault from error
            return chosen

        reason = None
        try:
            prompts = [requests[row.key[0]].prompt for row in rows]
            self._run(prompts, max(row.max_tokens for row in rows), choose)
        except _CallerFault as fault:
            raise (fault.__cause__ or fault) from None
        # An architecture fails in its own way, or the memory is too small.
        except Exception as error:
            reason = _reason(error)
        # Outside of the handler, which would keep what the failed pass held in memory.
        if reason is None:
            return
        left = [row for row in rows if row.key[0] in requests and row.key[1] not in requests[row.key[0]].finished]
        if len(rows) == 1:
            for row in left:
                row.finish, row.error = "error", f"the model failed: {reason}"
                _share(begun, [row])
                finish(row)
            return
        # One request must not take the others down: what is not finished starts anew in two parts.
        fresh = [self._row(requests[row.key[0]], *row.key) for row in left]
        for half in (fresh[: len(fresh) // 2], fresh[len(fresh) // 2 :]):
            if half:
                self._write(half, requests, poll, finish)

    def _score(
        self, batch: Sequence[tuple[int, _Prompt]], continuations: Sequence[list[int]], scores: list[list[float]]
    ) -> None:
        """Append the log-probabilities of the batch's continuations to their scores."""

        def choose(logits: torch.Tensor) -> list[int | None]:
            table = logits.log_softmax(dim=-1)
            chosen: list[int | None] = []
            for row, (number, _) in enumerate(batch):
                given, known = continuations[number], scores[number]
                if len(known) < len(given):
                    known.append(float(table[row, given[len(known)]]))
                chosen.append(given[len(known) - 1] if len(known) < len(given) else None)
            return chosen

        self._run([prompt for _, prompt in batch], max(len(continuations[number]) for number, _ in batch), choose)

    def _run(self, prompts: Sequence[_Prompt], steps: int, choose: Callable[[torch.Tensor], list[int | None]]) -> None:
        """Read the prompts and add tokens until every row is done.

        Args:
            prompts: one per row.
            steps: bound on the tokens added.
            choose: from logits of shape ``[rows, vocabulary]`` in float32 to each row's next token; ``None`` for a row
                that is done.
        """
        pad = self.tokenizer.pad_token_id
        done = [False] * len(prompts)

        def force(_: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            tokens = choose(scores)
            done[:] = [token is None for token in tokens]
            forced = torch.full_like(scores, float("-inf"))
            places = torch.tensor([[pad if token is None else token] for token in tokens], device=scores.device)
            return forced.scatter_(1, places, 0.0)

        def finished(tokens: torch.Tensor, _: Any, **__: Any) -> torch.Tensor:
            return torch.tensor(done, device=tokens.device)

        device, precision = self.model.device, self.model.dtype
        inputs = {
            name: value.to(device, precision if value.is_floating_point() else value.dtype)
            if isinstance(value, torch.Tensor)
            else value
            for name, value in self._inputs(prompts).items()
        }
        self.model.generate(
            **inputs,
            generation_config=GenerationConfig(
                do_sample=False, num_beams=1, max_new_tokens=steps, pad_token_id=pad, use_cache=True
            ),
            logits_processor=LogitsProcessorList([force]),
            stopping_criteria=StoppingCriteriaList([finished]),
        )


def _full(waiting: Sequence[WrittenRow], requests: dict[int, _Open[Any]]) -> bool:
    """Whether the images of the waiting rows are as many as a batch may hold."""
    return sum(requests[number].prompt.pixels for number in {row.key[0] for row in waiting}) > MAX_PIXELS_TOGETHER


def _share(begun: float, rows: list[WrittenRow]) -> float:
    """Divide the time since ``begun`` among the rows, and return the time now."""
    now = time.perf_counter()
    for row in rows:
        row.seconds += (now - begun) / len(rows)
    return now


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
