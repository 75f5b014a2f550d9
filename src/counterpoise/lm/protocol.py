"""The one thing Counterpoise asks of a language model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, Protocol, TypedDict, runtime_checkable

__all__ = ["Completion", "LanguageModel", "Message", "Request", "TokenLogprobs"]


class Message(TypedDict):
    """One turn of a chat; ``images`` are PNG or JPEG files as ``data:`` addresses, shown before the text."""

    role: Literal["system", "user", "assistant"]
    content: str
    name: NotRequired[str]
    images: NotRequired[list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One prompt and how to sample from it.

    Attributes:
        messages: the chat so far; the model writes the next assistant turn.
        n: number of samples, at least 1.
        temperature: 0 is greedy; otherwise above 0.
        top_p: nucleus mass in (0, 1].
        seed: sample ``i`` of ``n`` draws from its own stream of this seed, whatever else is in the batch.
        max_tokens: upper bound of new tokens, at least 1.
        stop: the completion ends before the first of these strings.
        schema: a JSON schema that the completion must follow; ``None`` for free text.
        tools: names, with their versions, of the tools that the model may call. Only models that Inspect AI runs call
            tools; whoever asks them offers the tools themselves.
    """

    messages: Sequence[Message]
    n: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    tools: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.messages:
            raise ValueError("messages must not be empty")
        if self.n < 1:
            raise ValueError(f"n must be at least 1; got {self.n}")
        if not self.temperature >= 0:
            raise ValueError(f"temperature must be at least 0; got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be in (0, 1]; got {self.top_p}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1; got {self.max_tokens}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a model wrote for one sample of one request.

    Attributes:
        text: the completion without special tokens; empty when the model wrote nothing. Lone surrogates, which some
            providers let through and no file can hold, are replaced by "?".
        input_tokens: tokens of the chat-formatted prompt.
        output_tokens: tokens written, the end-of-turn token not counted.
        finish: ``stop`` (ended by itself or by a stop string), ``length`` (cut at ``max_tokens``), ``error``.
        error: one line, only with ``finish == "error"``.
        seconds: wall time; for batched work the sample's share.
    """

    text: str
    input_tokens: int = 0
    output_tokens: int = 0
    finish: Literal["stop", "length", "error"] = "stop"
    error: str | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text.encode("utf-8", "replace").decode("utf-8"))


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """Natural-log probabilities of a continuation's tokens, in order.

    The end-of-turn token is not part of the continuation. An empty continuation has no tokens.
    """

    tokens: tuple[str, ...]
    logprobs: tuple[float, ...]


@runtime_checkable
class LanguageModel(Protocol):
    """A model that completes chats in batches.

    Attributes:
        name: how the user names it, for instance ``embedded/smollm2``.
        revision: identity of the weights; changes whenever outputs may change.
    """

    @property
    def name(self) -> str:
        """How the user names it."""
        ...

    @property
    def revision(self) -> str:
        """Identity of the weights."""
        ...

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Complete every request: one list of ``n`` completions per request, in the order given.

        A request that fails gives completions with ``finish == "error"``; it never takes the batch down. No
        requests give an empty list.
        """
        ...

    def logprobs(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[TokenLogprobs]:
        """Score continuations as the assistant turn after the chat-formatted messages, in the order given.

        Raises:
            UnsupportedError: the model cannot score given text (most hosted models).
        """
        ...
