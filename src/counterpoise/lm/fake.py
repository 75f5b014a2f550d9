"""A deterministic language model without weights, for tests and dry runs."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence

from counterpoise.lm.protocol import Completion, Message, Request, TokenLogprobs
from counterpoise.rng import rng_for

__all__ = ["FakeLM"]

Responder = Callable[[Request, int], str]


class FakeLM:
    """Answers from a function or a table; a token is a whitespace-separated word.

    Args:
        respond: text for ``(request, sample index)``; or a mapping from the last message's content to text (an
            unknown prompt gets the empty string). An exception raised by the function becomes a completion
            with ``finish == "error"``. By default the answer repeats the last message's words in a seeded order.
        logprob: log-probability of a word; by default between -4 and -0.1, from a hash of the word alone.
        name: reported as the model's name.
        revision: reported as the identity of its weights.

    Attributes:
        requests: every request seen, in order: what a test looks at.
    """

    def __init__(
        self,
        respond: Responder | Mapping[str, str] | None = None,
        *,
        logprob: Callable[[str], float] | None = None,
        name: str = "fake/lm",
        revision: str = "1",
    ) -> None:
        self.name = name
        self.revision = revision
        self.requests: list[Request] = []
        self._respond = _table(respond) if isinstance(respond, Mapping) else respond or _shuffled_words
        self._logprob = logprob or _hashed_logprob

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """See :class:`~counterpoise.lm.protocol.LanguageModel`; honours ``n``, ``max_tokens`` and ``stop``."""
        self.requests.extend(requests)
        return [[self._complete(request, sample) for sample in range(request.n)] for request in requests]

    def logprobs(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[TokenLogprobs]:
        """See :class:`~counterpoise.lm.protocol.LanguageModel`; the messages have no influence."""
        scored = []
        for _, continuation in pairs:
            words = tuple(continuation.split())
            scored.append(TokenLogprobs(words, tuple(self._logprob(word) for word in words)))
        return scored

    def _complete(self, request: Request, sample: int) -> Completion:
        read = sum(len(message["content"].split()) for message in request.messages)
        try:
            text = self._respond(request, sample)
        except Exception as error:
            return Completion(text="", input_tokens=read, finish="error", error=str(error) or type(error).__name__)
        for stop in request.stop:
            text = text.split(stop, 1)[0]
        words = text.split()
        if len(words) > request.max_tokens:
            text = " ".join(words[: request.max_tokens])
            return Completion(text=text, input_tokens=read, output_tokens=request.max_tokens, finish="length")
        return Completion(text=text, input_tokens=read, output_tokens=len(words))


def _table(answers: Mapping[str, str]) -> Responder:
    return lambda request, _: answers.get(request.messages[-1]["content"], "")


def _shuffled_words(request: Request, sample: int) -> str:
    words = request.messages[-1]["content"].split()
    rng_for(request.seed, "fake", sample).shuffle(words)
    return " ".join(words)


def _hashed_logprob(word: str) -> float:
    fraction = hashlib.sha256(word.encode()).digest()[0] / 255
    return -math.exp(math.log(0.1) + fraction * math.log(40))
