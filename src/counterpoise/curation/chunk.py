"""One chunk of texts through the search: the models in front, the record of what they gave behind.

The models' calls are kept by content, so a run that was killed goes through its last chunk once more, with the very
same batches, gets back what was finished, and ends in the same bytes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from counterpoise.curation.beam import Found, beam_search
from counterpoise.curation.config import CurateConfig
from counterpoise.curation.deck import Deck
from counterpoise.curation.gates import failed_gate
from counterpoise.curation.helpfulness import Judge
from counterpoise.curation.perplexity import perplexity
from counterpoise.curation.prompts import prompt
from counterpoise.curation.revise import Draft, Order, Parent, Revised, drafts, prompt_name, revision
from counterpoise.curation.seeds import Seed
from counterpoise.curation.texts import Text
from counterpoise.curation.words import content_stems
from counterpoise.lm.protocol import Completion, LanguageModel
from counterpoise.records import RowFile

__all__ = ["Candidate", "ChunkResult", "Workshop", "record_key", "run_chunk"]


@dataclass(slots=True)
class Candidate:
    """A revision and all that is known of it; the columns of ``candidates.jsonl``.

    The scores are filled in as the search goes: a candidate that a gate rejected has none, one that was never judged
    has no helpfulness.

    Attributes:
        id: unique within the run.
        text_id: source text.
        question: what the text answers; revised where questions are revised too.
        text: the revised answer.
        parent: id of the revised text; empty for an original.
        round: 0 for an original.
        keywords: what was to be taken up.
        temperature: of the request.
        top_p: of the request.
        seed: of the request.
        completion: what the model wrote.
        rejected: the gate that refused it; ``None`` when none did.
        error: why the model or the judge gave nothing; ``None`` when they did.
        perplexity: under the target model.
        helpfulness: criteria and total.
        input_tokens: read by the reviser.
        output_tokens: written by the reviser.
    """

    id: str
    text_id: str
    question: str
    text: str
    parent: str = ""
    round: int = 0
    keywords: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    completion: str = ""
    rejected: str | None = None
    error: str | None = None
    perplexity: float | None = None
    helpfulness: dict[str, float] | None = None
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Models and settings, the same for every chunk."""

    reviser: LanguageModel
    target: LanguageModel
    judge: Judge
    deck: Deck
    seeds: Sequence[Seed]
    config: CurateConfig
    order: Order


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What the search found for every text of a chunk, in the texts' order.

    Attributes:
        before: perplexity of each original; ``None`` where undefined.
        found: outcome of each search.
        candidates: every candidate of a text, in the order made.
    """

    before: list[float | None]
    found: list[Found[Candidate]]
    candidates: list[list[Candidate]]


def record_key(record: Mapping[str, Any]) -> str:
    """Identity of a line of ``candidates.jsonl``."""
    return f"{record['chunk']}/{record['round']}"


def run_chunk(
    number: int,
    texts: Sequence[tuple[int, Text]],
    workshop: Workshop,
    records: RowFile,
    started: Callable[[int], None],
) -> ChunkResult:
    """Search revisions for the texts of one chunk.

    Args:
        number: of the chunk; names its lines in ``records``.
        texts: texts that can be curated and have a question, each with its place in the input.
        workshop: models and settings.
        records: the run's ``candidates.jsonl``; gets one line per round, once.
        started: called with the number of each round when it starts.
    """
    chunk = _Chunk(number, texts, workshop, records, started)
    config = workshop.config
    originals = [Candidate(text.id, text.id, text.question or "", text.answer) for _, text in texts]
    before = [_finite(value) for value in perplexity(workshop.target, [(one.question, one.text) for one in originals])]
    found = beam_search(
        originals,
        chunk.expand,
        chunk.perplexities,
        chunk.judge,
        beam=config.beam,
        rounds=config.rounds,
        objective=config.objective,
        key=lambda candidate: f"{candidate.question}\n{candidate.text}",
        seed=config.seed,
        similar=chunk.similar if config.diversity is not None else None,
        after_round=chunk.after_round,
    )
    return ChunkResult(before, found, [chunk.made[text.id] for _, text in texts])


class _Chunk:
    """The callables of the search, and the record behind them."""

    def __init__(
        self,
        number: int,
        texts: Sequence[tuple[int, Text]],
        workshop: Workshop,
        records: RowFile,
        started: Callable[[int], None],
    ) -> None:
        self.made: dict[str, list[Candidate]] = {text.id: [] for _, text in texts}
        self._number = number
        self._texts = {text.id: text for _, text in texts}
        self._hands = {text.id: workshop.deck.hand(place) for place, text in texts}
        self._workshop = workshop
        self._records = records
        self._started = started
        self._seen = {text.id: {(text.question, text.answer)} for _, text in texts}
        self._stems: dict[str, frozenset[str]] = {}
        self._round: list[Candidate] = []

    def expand(self, number: int, frontier: Sequence[Sequence[Candidate]]) -> list[list[Candidate]]:
        """All revisions of a round, in one batch; to the search go those that no gate refuses."""
        self._started(number)
        asked = [draft for parents in frontier for draft in self._drafts(number, parents)]
        completions = self._workshop.reviser.generate([draft.request for draft in asked])
        self._round = [self._candidate(draft, samples[0]) for draft, samples in zip(asked, completions, strict=True)]
        passed: dict[str, list[Candidate]] = {text_id: [] for text_id in self._texts}
        for candidate in self._round:
            self.made[candidate.text_id].append(candidate)
            if candidate.rejected is None:
                passed[candidate.text_id].append(candidate)
        return list(passed.values())

    def _drafts(self, number: int, parents: Sequence[Candidate]) -> list[Draft]:
        config, order = self._workshop.config, self._workshop.order
        points = len(order.grid)
        made = []
        for index, parent in enumerate(parents):
            at = config.hand_begin(number) + index * points
            source = Parent(text_id=parent.text_id, id=parent.id, question=parent.question, answer=parent.text)
            made += drafts(source, self._hands[parent.text_id][at : at + points], number, order)
        return made

    def _candidate(self, draft: Draft, completion: Completion) -> Candidate:
        order = self._workshop.order
        revised = revision(draft, completion, order)
        text_id = draft.parent.text_id
        rejected = "model_error" if completion.finish == "error" else self._refused(text_id, draft, revised)
        if rejected is None and revised in self._seen[text_id]:
            rejected = "duplicate"
        if rejected is None:
            self._seen[text_id].add(revised)
        return Candidate(
            id=draft.id,
            text_id=text_id,
            question=revised.question,
            text=revised.answer,
            parent=draft.parent.id,
            round=draft.round,
            keywords=draft.keywords,
            temperature=draft.temperature,
            top_p=draft.top_p,
            seed=draft.seed,
            completion=completion.text,
            rejected=rejected,
            error=completion.error,
            input_tokens=completion.input_tokens,
            output_tokens=completion.output_tokens,
        )

    def _refused(self, text_id: str, draft: Draft, revised: Revised) -> str | None:
        gates, order, original = self._workshop.config.gates, self._workshop.order, self._texts[text_id]
        examples = prompt(prompt_name(order.style, order.both)).examples
        refused = failed_gate(
            revised.answer, original.answer, draft.keywords, gates, examples=examples, question=original.question or ""
        )
        if refused is None and order.both:
            asked = failed_gate(revised.question, original.question or "", (), gates, examples=examples)
            refused = f"question_{asked}" if asked else None
        return refused

    def perplexities(self, items: Sequence[Candidate]) -> list[float | None]:
        """Under the target, in one batch; what is undefined or above the cap is refused."""
        cap = self._workshop.config.gates.max_perplexity
        values = perplexity(self._workshop.target, [(item.question, item.text) for item in items])
        for item, value in zip(items, values, strict=True):
            item.perplexity = _finite(value)
            if item.perplexity is None or (cap is not None and item.perplexity > cap):
                item.rejected = "perplexity"
        return [None if item.rejected else item.perplexity for item in items]

    def judge(self, items: Sequence[Candidate]) -> list[bool]:
        """Whether they stay helpful; one that the judge could not rate does not pass."""
        triples = [(item.question, self._texts[item.text_id].answer, item.text) for item in items]
        for item, score in zip(items, self._workshop.judge(triples), strict=True):
            if score.failed is not None:
                item.rejected, item.error = "judge_failed", score.failed
                continue
            item.helpfulness = score.as_dict()
            if score.total < self._workshop.config.min_helpfulness:
                item.rejected = "helpfulness"
        return [item.rejected is None for item in items]

    def similar(self, one: Candidate, other: Candidate) -> bool:
        """Whether two revisions of a text add nearly the same words."""
        first, second = self._added(one), self._added(other)
        either = first | second
        limit = self._workshop.config.diversity
        return limit is not None and (not either or len(first & second) / len(either) >= limit)

    def _added(self, candidate: Candidate) -> frozenset[str]:
        if candidate.id not in self._stems:
            original = self._texts[candidate.text_id].answer
            self._stems[candidate.id] = frozenset(content_stems(candidate.text) - content_stems(original))
        return self._stems[candidate.id]

    def after_round(self, number: int) -> None:
        """Write down the round, unless an earlier part of the run did."""
        record = {"chunk": self._number, "round": number, "candidates": [asdict(one) for one in self._round]}
        if record_key(record) not in self._records:
            self._records.append(record)


def _finite(value: float | None) -> float | None:
    """JSON has no infinity; six digits are far more than the models agree on."""
    return None if value is None or not math.isfinite(value) else round(value, 6)
