"""Every model that Inspect AI reaches, behind the language model protocol."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Literal

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentText,
    GenerateConfig,
    Model,
    ModelOutput,
    ResponseSchema,
    get_model,
)
from inspect_ai.util import JSONSchema
from rich.markup import render
from rich.text import Text

from counterpoise.errors import UnsupportedError, UsageError
from counterpoise.lm.protocol import Completion, Message, Request, TokenLogprobs
from counterpoise.rng import seed_for

__all__ = ["InspectLM", "chat_messages", "open_inspect_model", "response_schema"]

CONCURRENT = 64
"""Calls in flight at once; Inspect's own limits for the provider apply below it."""


def open_inspect_model(name: str, **model_args: Any) -> Model:
    """A model as Inspect AI itself uses it.

    Args:
        name: as Inspect AI writes it, for instance ``openai/gpt-5`` or ``mockllm/model``.
        model_args: passed on to the provider.

    Raises:
        UsageError: the provider is unknown, its package is missing or it lacks a key; one line.
    """
    try:
        return get_model(name, **model_args)
    # Providers check packages, keys and names each in their own way.
    except Exception as error:
        reason = _plain(getattr(error, "message", None) or str(error))
        raise UsageError(f"model {name!r} cannot be used: {reason}") from error


def response_schema(schema: Mapping[str, Any]) -> ResponseSchema:
    """A JSON schema as Inspect AI takes it; keywords that Inspect does not know (``maxItems``) are left out."""
    return ResponseSchema(name="answer", json_schema=JSONSchema.model_validate(schema))


def chat_messages(messages: Sequence[Message]) -> list[ChatMessage]:
    """Messages as Inspect AI's types."""
    kinds: dict[str, Any] = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
    }
    return [kinds[message["role"]](content=_content(message)) for message in messages]


def _content(message: Message) -> str | list[Content]:
    images = message.get("images")
    if not images:
        return message["content"]
    return [*(ContentImage(image=image) for image in images), ContentText(text=message["content"])]


class InspectLM:
    """A model of Inspect AI.

    The samples of a request are separate calls, each with its own seed, because few providers give several choices.
    Retries, caching and rate limits are Inspect's.

    Args:
        name: as Inspect AI writes it, for instance ``openai/gpt-5`` or ``mockllm/model``.
        model_args: passed on to the provider.

    Raises:
        UsageError: the provider is unknown, its package is missing or it lacks a key; one line.
    """

    def __init__(self, name: str, **model_args: Any) -> None:
        self.name = name
        # A hosted model's weights cannot be identified: its name is all there is.
        self.revision = name
        self._model = open_inspect_model(name, **model_args)

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """See :class:`~counterpoise.lm.protocol.LanguageModel`; a call that fails becomes ``finish == "error"``."""
        return _run(self._generate_all(requests)) if requests else []

    def logprobs(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[TokenLogprobs]:
        """Not possible through Inspect AI.

        Raises:
            UnsupportedError: always, unless there are no pairs.
        """
        if not pairs:
            return []
        raise UnsupportedError(
            f"model {self.name!r} cannot score a given text",
            expected="a local model: embedded/smollm2 or a model folder",
        )

    async def _generate_all(self, requests: Sequence[Request]) -> list[list[Completion]]:
        slots = asyncio.Semaphore(CONCURRENT)

        async def one(request: Request, sample: int) -> Completion:
            async with slots:
                return await self._complete(request, sample)

        calls = [one(request, sample) for request in requests for sample in range(request.n)]
        finished = iter(await asyncio.gather(*calls))
        return [[next(finished) for _ in range(request.n)] for request in requests]

    async def _complete(self, request: Request, sample: int) -> Completion:
        try:
            config = GenerateConfig(
                temperature=request.temperature,
                top_p=request.top_p if request.top_p < 1 else None,
                # Providers take 32-bit seeds.
                seed=seed_for(request.seed, "sample", sample) & 0x7FFFFFFF,
                max_tokens=request.max_tokens,
                stop_seqs=list(request.stop) or None,
                response_schema=None if request.schema is None else response_schema(request.schema),
            )
            output = await self._model.generate(chat_messages(request.messages), config=config)
        # Whatever a provider raises: the request has failed, the batch has not.
        except Exception as error:
            reason = _plain(getattr(error, "message", None) or str(error)) or type(error).__name__
            return Completion(text="", finish="error", error=reason)
        return _completion(output)


def _completion(output: ModelOutput) -> Completion:
    usage = output.usage
    error: str | None = None
    finish: Literal["stop", "length", "error"] = "stop"
    if output.error or not output.choices:
        finish, error = "error", _plain(output.error or "the provider gave no answer")
    elif output.stop_reason in ("max_tokens", "model_length"):
        finish = "length"
    return Completion(
        text=output.completion,
        input_tokens=usage.input_tokens + (usage.input_tokens_cache_read or 0) if usage else 0,
        output_tokens=usage.output_tokens if usage else 0,
        finish=finish,
        error=error,
        seconds=output.time or 0.0,
    )


def _run(work: Coroutine[Any, Any, list[list[Completion]]]) -> list[list[Completion]]:
    """Run to completion, whether or not the caller is inside an event loop already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    results: list[list[list[Completion]]] = []
    failures: list[BaseException] = []

    def target() -> None:
        try:
            results.append(asyncio.run(work))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


def _plain(message: Any) -> str:
    """One line without markup from what Inspect shows on a terminal."""
    text = str(message.plain if isinstance(message, Text) else message)
    try:
        text = render(text).plain
    # Square brackets that only look like markup.
    except Exception:
        text = str(text)
    return " ".join(text.split()).removeprefix("ERROR: ")
