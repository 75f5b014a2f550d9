"""How unexpected an answer is to a language model."""

import math
from collections.abc import Sequence

from counterpoise.errors import DataError
from counterpoise.lm.protocol import LanguageModel, Message, TokenLogprobs

__all__ = ["perplexity"]


def perplexity(lm: LanguageModel, items: Sequence[tuple[str, str]]) -> list[float | None]:
    r"""Perplexity of each answer given its chat-formatted question.

    With the answer's tokens :math:`a_1 \dots a_T` after the chat-formatted question :math:`q`,

    .. math:: \mathrm{ppl}(a \mid q) = \exp\Bigl(-\frac{1}{T} \sum_{t=1}^{T} \ln p(a_t \mid q, a_{<t})\Bigr)

    The question's own tokens and the end-of-turn token are not counted. All items go to the model in one batch.

    Args:
        lm: the model whose view counts: the one that is to be customized.
        items: pairs of question and answer.

    Returns:
        One value per item, in order, at least 1 for a proper model. ``None`` where it is undefined: an answer that is
        blank, has no tokens, or is too long for the model. ``inf`` where the model gives a token no probability, or
        where the value is too large for a float.

    Raises:
        UnsupportedError: the model cannot score given text.

    Source: arXiv 2410.02220 and its predecessor arXiv 2405.19358.
    """
    asked = [index for index, (_, answer) in enumerate(items) if answer.strip()]
    pairs: list[tuple[list[Message], str]] = [
        ([{"role": "user", "content": items[index][0]}], items[index][1]) for index in asked
    ]
    values: list[float | None] = [None] * len(items)
    if pairs:
        for index, scored in zip(asked, _scored(lm, pairs), strict=True):
            values[index] = _from_logprobs(scored) if scored else None
    return values


def _scored(lm: LanguageModel, pairs: Sequence[tuple[Sequence[Message], str]]) -> Sequence[TokenLogprobs | None]:
    try:
        return lm.logprobs(pairs)
    except DataError:
        if len(pairs) == 1:
            return [None]
    # One text that the model cannot take fails a whole call: halve until it stands alone.
    middle = len(pairs) // 2
    return [*_scored(lm, pairs[:middle]), *_scored(lm, pairs[middle:])]


def _from_logprobs(scored: TokenLogprobs) -> float | None:
    if not scored.logprobs:
        return None
    mean = math.fsum(scored.logprobs) / len(scored.logprobs) if all(map(math.isfinite, scored.logprobs)) else -math.inf
    try:
        return math.exp(-mean)
    except OverflowError:
        return math.inf
