"""The local engine as a provider of Inspect AI: ``counterpoise/smollm2`` and ``counterpoise/<model folder>``.

Inspect asks for one completion at a time, from many tasks at once. Every call goes into a queue; one thread per model
feeds the queue's content to the engine, where a new request joins those being written.
"""

import concurrent.futures
import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import torch
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageTool,
    ContentImage,
    GenerateConfig,
    Model,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    get_model,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from counterpoise.errors import CounterpoiseError, DataError, UnknownNameError, UnsupportedError
from counterpoise.lm.embedded import EMBEDDED, smollm2_folder
from counterpoise.lm.loading import reads_images
from counterpoise.lm.local import LocalLM
from counterpoise.lm.protocol import Completion, LanguageModel, Message, Request
from counterpoise.lm.vision import VisionLM

__all__ = ["CounterpoiseAPI", "as_inspect"]

GATHER_SECONDS = 0.02
"""An idle engine waits this long after the first request, so that those sent together are read together."""

DEFAULT_MAX_TOKENS = 1024

_ARGUMENTS = {"adapter", "device", "dtype", "max_batch", "max_batch_tokens"}
_PRECISIONS = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float16": torch.float16}


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """A request on its way; the caller who no longer waits cancels the answer."""

    request: Request
    answer: "concurrent.futures.Future[list[Completion]]" = field(default_factory=concurrent.futures.Future)


class _NobodyWaits(Exception):
    """Every caller has gone: what is being written is of no use."""


class _Engine:
    """One loaded model and the thread that runs it."""

    def __init__(self, model: "LocalLM | VisionLM | _Lent") -> None:
        self.model = model
        # Not a daemon thread: the interpreter waits for it at exit, because torch does not survive being cut off.
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix=f"counterpoise {model.name}")
        self._lock = threading.Lock()
        self._waiting: list[_Call] = []
        self._running = False

    def submit(self, call: _Call) -> None:
        with self._lock:
            self._waiting.append(call)
            if not self._running:
                self._running = True
                self._thread.submit(self._work)

    def _work(self) -> None:
        time.sleep(GATHER_SECONDS)
        while True:
            self._serve()
            with self._lock:
                if not self._waiting:
                    self._running = False
                    return

    def _serve(self) -> None:
        being_written: set[_Call] = set()

        def source() -> list[tuple[_Call, Request]]:
            with self._lock:
                arrived, self._waiting = [call for call in self._waiting if not call.answer.cancelled()], []
            being_written.update(arrived)
            if being_written and all(call.answer.cancelled() for call in being_written):
                raise _NobodyWaits
            return [(call, call.request) for call in arrived]

        def deliver(call: _Call, completions: list[Completion]) -> None:
            being_written.discard(call)
            with contextlib.suppress(concurrent.futures.InvalidStateError):  # cancelled meanwhile
                call.answer.set_result(completions)

        try:
            self.model.serve(source, deliver)
        # A fault of the engine must reach the callers, not end the thread in silence.
        except BaseException as error:
            for call in being_written:
                with contextlib.suppress(concurrent.futures.InvalidStateError):
                    call.answer.set_exception(error)


class _Lent:
    """A model that is open already, for the engine's thread.

    It is not held: Inspect keeps what it was given until its next evaluation, and a checkpoint must go when its owner
    is done with it.
    """

    def __init__(self, model: LanguageModel) -> None:
        self.name = model.name
        self.revision = model.revision
        self.max_batch: int = getattr(model, "max_batch", 64)
        self._model = weakref.ref(model)

    def serve(
        self,
        source: Callable[[], Sequence[tuple[_Call, Request]]],
        deliver: Callable[[_Call, list[Completion]], None],
    ) -> None:
        model = self._model()
        if model is None:
            raise RuntimeError(f"the model {self.name!r} has been closed")
        if isinstance(model, LocalLM):
            model.serve(source, deliver)
            return
        # What has arrived is one batch.
        while arrived := source():
            completed = model.generate([request for _, request in arrived])
            for (call, _), completions in zip(arrived, completed, strict=True):
                deliver(call, completions)


_ENGINES: dict[tuple[str, str], _Engine] = {}
_LOADING = threading.Lock()


def _engine(model_name: str, model_args: dict[str, Any]) -> _Engine:
    """The engine of that model; every user of the process shares it."""
    with _LOADING:
        key = (model_name, repr(sorted(model_args.items())))
        if key not in _ENGINES:
            if (folder := Path(model_name)).is_dir():
                kind = VisionLM if reads_images(folder) else LocalLM
                loaded = kind.from_folder(folder, name=f"counterpoise/{model_name}", **model_args)
            elif f"embedded/{model_name}" in EMBEDDED:
                if EMBEDDED[f"embedded/{model_name}"].kind != "language model":
                    raise UnsupportedError(f"{model_name!r} is not a language model", expected="counterpoise/smollm2")
                loaded = LocalLM.from_folder(smollm2_folder(), name=f"embedded/{model_name}", **model_args)
            elif "/" in model_name:
                raise DataError(f"no model folder at {model_name}")
            else:
                known = [name.removeprefix("embedded/") for name, one in EMBEDDED.items() if one.kind != "embedder"]
                raise UnknownNameError("embedded model", model_name, known)
            _ENGINES[key] = _Engine(loaded)
        return _ENGINES[key]


def as_inspect(model: LanguageModel) -> Model:
    """A model that is open already as Inspect AI uses one: a checkpoint in memory has no name that it could open.

    The model must be held by the caller as long as Inspect uses it.
    """
    name = f"open-{id(model)}"
    key = (name, repr([]))
    with _LOADING:
        _ENGINES[key] = _Engine(_Lent(model))
    try:
        return get_model(f"counterpoise/{name}", memoize=False)
    finally:
        # From here on the engine is the returned model's alone.
        with _LOADING:
            del _ENGINES[key]


@modelapi(name="counterpoise")
class CounterpoiseAPI(ModelAPI):
    """Models of this machine for Inspect AI.

    Args:
        model_name: ``smollm2``, or the path of a model folder; it may hold a model that reads images.
        base_url: not used.
        api_key: not used.
        config: Inspect's defaults for the model.
        model_args: ``adapter``, ``device``, ``dtype`` (by name), ``max_batch`` and ``max_batch_tokens`` of
            :meth:`~counterpoise.lm.local.LocalLM.from_folder` or
            :meth:`~counterpoise.lm.vision.VisionLM.from_folder`.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config or GenerateConfig())
        unknown = sorted(model_args.keys() - _ARGUMENTS)
        if unknown:
            raise PrerequisiteError(f"counterpoise models take no argument {', '.join(unknown)}")
        if isinstance(model_args.get("adapter"), str):
            model_args["adapter"] = Path(model_args["adapter"])
        if isinstance(model_args.get("dtype"), str):
            if model_args["dtype"] not in _PRECISIONS:
                raise PrerequisiteError(f"unknown dtype {model_args['dtype']!r}; expected {' or '.join(_PRECISIONS)}")
            model_args["dtype"] = _PRECISIONS[model_args["dtype"]]
        try:
            self._engine = _engine(model_name, model_args)
        except CounterpoiseError as error:
            raise PrerequisiteError(str(error)) from error

    @property
    def revision(self) -> str:
        """Identity of the weights."""
        return self._engine.model.revision

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        """One completion, or ``num_choices`` of them; temperature is 0 unless asked otherwise.

        A request that cannot be carried out gives an output with ``error`` and stop reason ``unknown``.

        Raises:
            PrerequisiteError: tools are to be called.
            UnsupportedError: a message holds what the model cannot read, which would be lost.
        """
        if tools and tool_choice != "none":
            raise PrerequisiteError(f"counterpoise/{self.model_name} cannot call tools; use a model that can")
        call = _Call(_request(input, config, images=isinstance(self._engine.model, VisionLM)))
        self._engine.submit(call)
        try:
            completions = await anyio.to_thread.run_sync(call.answer.result, abandon_on_cancel=True, limiter=_waiters())
        finally:
            call.answer.cancel()
        return self._output(completions)

    def max_connections(self) -> int:
        """Twice the batch, so that the next requests wait where the engine can see them."""
        return 2 * self._engine.model.max_batch

    def max_tokens(self) -> int | None:
        """New tokens when the caller states no bound."""
        return DEFAULT_MAX_TOKENS

    def should_retry(self, ex: BaseException) -> bool:
        """Never: the same request fails the same way."""
        return False

    def _output(self, completions: list[Completion]) -> ModelOutput:
        read = completions[0].input_tokens
        written = sum(completion.output_tokens for completion in completions)
        reasons = [completion.error for completion in completions if completion.error]
        return ModelOutput(
            model=f"counterpoise/{self.model_name}",
            choices=[
                ChatCompletionChoice(
                    message=ChatMessageAssistant(content=completion.text, source="generate", model=self.model_name),
                    stop_reason={"stop": "stop", "length": "max_tokens", "error": "unknown"}[completion.finish],
                )
                for completion in completions
            ],
            usage=ModelUsage(input_tokens=read, output_tokens=written, total_tokens=read + written),
            time=sum(completion.seconds for completion in completions),
            error=reasons[0] if reasons else None,
        )


_LIMITERS = threading.local()


def _waiters() -> anyio.CapacityLimiter:
    """A limiter of its own: waiting for the engine must not use up the threads that others need."""
    try:
        limiter: anyio.CapacityLimiter = _LIMITERS.waiters
    except AttributeError:
        limiter = _LIMITERS.waiters = anyio.CapacityLimiter(1024)
    return limiter


def _request(messages: list[ChatMessage], config: GenerateConfig, *, images: bool) -> Request:
    asked = config.response_schema
    # Dumped by itself, a subclass keeps the keywords that it adds to Inspect's schema (maxItems).
    schema = None if asked is None else asked.json_schema.model_dump(exclude_none=True)
    return Request(
        messages=[_message(message, images=images) for message in messages],
        n=config.num_choices or 1,
        temperature=config.temperature or 0.0,
        top_p=config.top_p if config.top_p is not None else 1.0,
        seed=config.seed or 0,
        max_tokens=config.max_tokens or DEFAULT_MAX_TOKENS,
        stop=tuple(config.stop_seqs or ()),
        schema=schema,
    )


def _message(message: ChatMessage, *, images: bool) -> Message:
    """A chat turn; what a tool returned is shown to the model as the user's words.

    Args:
        message: as Inspect AI holds it; its images at ``data:`` addresses.
        images: whether the model reads images.

    Raises:
        UnsupportedError: the turn holds an image that the model does not read, or sound, which would be lost.
    """
    parts = [] if isinstance(message.content, str) else message.content
    shown = [part.image for part in parts if isinstance(part, ContentImage)]
    if shown and not images:
        raise UnsupportedError("this model reads text only", expected="a vision model for images")
    if other := sorted({part.type for part in parts} - {"text", "image"}):
        raise UnsupportedError(f"this model reads no {' and no '.join(other)}", expected="text")
    turn: Message = {"role": "user", "content": message.text}
    if isinstance(message, ChatMessageTool):
        turn["content"] = f"Result of {message.function or 'the tool'}:\n{message.text}"
    else:
        turn["role"] = message.role
    if shown:
        turn["images"] = shown
    return turn
