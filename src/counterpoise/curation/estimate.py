"""What a curation would take, before it is run."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from counterpoise.curation.config import CurateConfig
from counterpoise.curation.curate import curate, style_for
from counterpoise.curation.deck import Deck
from counterpoise.curation.helpfulness import Judge, ModelJudge
from counterpoise.curation.revise import Order, Parent, drafts
from counterpoise.curation.seeds import Seed, builtin_seeds
from counterpoise.curation.texts import Text
from counterpoise.errors import DataError
from counterpoise.lm.protocol import LanguageModel, Request

__all__ = ["Estimate", "estimate"]

_CHARACTERS = 4
"""Characters per token, where no tokenizer tells."""
_SAMPLE = 50
"""Texts that are looked at for the length of a prompt."""
_PROBED = 2
"""Texts that are curated to learn the speed of a model on this machine."""
_WAVES = 2.0
"""Candidates that are judged for each one that is kept: about every second one passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run would take. Candidates are bounds; tokens, time and cost are for as many as the upper one.

    Attributes:
        texts: in the input.
        usable: texts that can be curated.
        candidates: revisions asked for if no text is finished early.
        least_candidates: revisions asked for if every text is finished after its first round.
        input_tokens: read by the reviser; prompts of later rounds are somewhat longer than those that were looked at.
        output_tokens: written by the reviser.
        judge_tokens: read and written by the judge, for an expected number of calls; 0 without a language model.
        seconds: on this machine; ``None`` where the reviser runs elsewhere.
        cost: in the currency of the prices; ``None`` without prices.
        basis: what the numbers rest on, in words.
    """

    texts: int
    usable: int
    candidates: int
    least_candidates: int
    input_tokens: int
    output_tokens: int
    judge_tokens: int
    seconds: float | None
    cost: float | None
    basis: str


def estimate(
    texts: Iterable[Text],
    reviser: LanguageModel,
    target: LanguageModel,
    judge: Judge,
    config: CurateConfig,
    *,
    seeds: Sequence[Seed] | None = None,
    probe: bool,
    prices: tuple[float, float] | None = None,
) -> Estimate:
    """Tokens, time and cost of a run, without writing anything that stays.

    Args:
        texts: what would be curated; gone through twice.
        reviser: as for :func:`~counterpoise.curation.curate.curate`.
        target: likewise.
        judge: likewise.
        config: settings of the run.
        seeds: the seed set; by default the built-in one.
        probe: curate two texts to learn the tokens of a completion and the speed; for models on this machine. Otherwise
            no model is asked, prompts are counted at four characters a token and completions at their upper bound.
        prices: of a million tokens read and of a million tokens written.

    Raises:
        DataError: no text can be curated.
    """
    chosen = tuple(seeds) if seeds is not None else builtin_seeds()
    total = 0
    sample: list[Text] = []
    usable = 0
    for text in texts:
        total += 1
        if text.problem is None:
            usable += 1
            if len(sample) < _SAMPLE:
                sample.append(text)
    if not sample:
        raise DataError("no text can be curated", fix="see the problems that were reported")
    candidates, least = usable * config.hand, usable * len(config.grid)
    judged = min(candidates, round(usable * config.rounds * config.beam * _WAVES))
    judge_tokens = judged * _judge_tokens(judge, sample) if isinstance(judge, ModelJudge) else 0
    if probe:
        read, written, seconds = _probed(sample, reviser, target, judge, config, chosen)
        basis = f"{min(_PROBED, len(sample))} text(s) curated here and now"
    else:
        read, written, seconds = _prompt_tokens(sample, reviser, config, chosen), float(config.max_tokens), None
        basis = f"{_CHARACTERS} characters a token, completions of {config.max_tokens} tokens; nothing was asked"
    input_tokens, output_tokens = round(candidates * read), round(candidates * written)
    cost = None
    if prices is not None:
        cost = ((input_tokens + judge_tokens) * prices[0] + output_tokens * prices[1]) / 1e6
    return Estimate(
        texts=total,
        usable=usable,
        candidates=candidates,
        least_candidates=least,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        judge_tokens=judge_tokens,
        seconds=None if seconds is None else round(seconds * candidates, 1),
        cost=None if cost is None else round(cost, 4),
        basis=basis,
    )


def _probed(
    sample: Sequence[Text],
    reviser: LanguageModel,
    target: LanguageModel,
    judge: Judge,
    config: CurateConfig,
    seeds: Sequence[Seed],
) -> tuple[float, float, float]:
    """Tokens read, tokens written and seconds per candidate of a small run, thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="counterpoise-") as folder:
        found = curate(sample[:_PROBED], reviser, target, judge, config, Path(folder) / "probe", seeds=seeds)
    made = max(1, found.candidates)
    return found.tokens.input / made, found.tokens.output / made, sum(found.seconds.values()) / made


def _prompt_tokens(
    sample: Sequence[Text], reviser: LanguageModel, config: CurateConfig, seeds: Sequence[Seed]
) -> float:
    """Mean tokens of a first-round prompt."""
    style = config.style if config.style != "auto" else style_for(reviser)
    order = Order(
        style=style,
        both=config.revise == "both",
        grid=config.grid[:1],
        seed=config.seed,
        max_tokens=config.max_tokens,
    )
    deck = Deck(seeds, config.seed, size=config.keywords, together=config.keywords)
    sizes = []
    for place, text in enumerate(sample):
        parent = Parent(text_id=text.id, id=text.id, question=text.question or "", answer=text.answer)
        sizes += [_size(draft.request) for draft in drafts(parent, deck.hand(place), 1, order)]
    return sum(sizes) / len(sizes)


def _judge_tokens(judge: ModelJudge, sample: Sequence[Text]) -> int:
    """Tokens of one judgement, read and written: the revision as long as the original, and the reply a small object."""
    asked = [_size(judge.request(text.question or "", text.answer, text.answer)) for text in islice(sample, _SAMPLE)]
    return round(sum(asked) / len(asked)) + 40


def _size(request: Request) -> float:
    return sum(len(message["content"]) for message in request.messages) / _CHARACTERS
