"""One chunk of texts through the search: the models in front, the record of what they gave behind.

A round is written as one line when it is finished. A resumed run reads the line back instead of asking the models, and
asks them again for the round that was cut short, with the very same batches: so it ends in the same bytes.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from counterpoise.curation.beam import Found, beam_search
from counterpoise.curation.config import CurateConfig
from counterpoise.curation.gates import failed_gate
from counterpoise.curation.helpfulness import Judge
from counterpoise.curation.perplexity import perplexity
from counterpoise.curation.revise import Parent, Style, candidates, example_answers, revision
from counterpoise.curation.seeds import Seed
from counterpoise.curation.texts import Text
from counterpoise.lm.protocol import LanguageModel
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
        parent: id of the revised text; empty for an original.
        round: 0 for an original.
        keywords: what was to be taken up.
        temperature: of the request.
        top_p: of the request.
        seed: of the request.
        completion: what the model wrote.
        text: the revised answer.
        rejected: the gate that refused it; ``None`` when none did.
        error: why the model wrote nothing; ``None`` when it did.
        perplexity: under the target model.
        helpfulness: criteria and total.
        input_tokens: read by the reviser.
        output_tokens: written by the reviser.
    """

    id: str
    text_id: str
    parent: str = ""
    round: int = 0
    keywords: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    completion: str = ""
    text: str = ""
    rejected: str | None = None
    error: str | None = None
    perplexity: float | None = None
    helpfulness: dict[str, float] | None = None
    input_tokens: int = 0
    output_tokens: int = 0

    @classmethod
    def load(cls, record: Mapping[str, Any]) -> "Candidate":
        """From a line's object; unknown fields are ignored."""
        known = {field.name: record[field.name] for field in fields(cls) if field.name in record}
        return cls(**{**known, "keywords": tuple(known["keywords"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Models and settings, the same for every chunk."""

    reviser: LanguageModel
    target: LanguageModel
    judge: Judge
    seeds: Sequence[Seed]
    config: CurateConfig
    style: Style


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What the search found for every text of a chunk, in the texts' order.

    Attributes:
        before: perplexity of each original; ``None`` where undefined.
        found: outcome of each search.
        drafts: every candidate of a text, in the order made.
        seconds: each text's share of the time that the models took.
    """

    before: list[float | None]
    found: list[Found[Candidate]]
    drafts: list[list[Candidate]]
    seconds: list[float]


def record_key(record: Mapping[str, Any]) -> str:
    """Identity of a line of ``candidates.jsonl``."""
    return f"{record['chunk']}/{record['round']}"


def run_chunk(
    number: int,
    texts: Sequence[Text],
    workshop: Workshop,
    records: RowFile,
    started: Callable[[int], None],
) -> ChunkResult:
    """Search revisions for the texts of one chunk.

    Args:
        number: of the chunk; names its lines in ``records``.
        texts: texts that can be curated.
        workshop: models and settings.
        records: the run's ``candidates.jsonl``; finished rounds in it are not computed again.
        started: called with the number of each round when it starts.
    """
    chunk = _Chunk(number, texts, workshop, records, started)
    config = workshop.config
    before = chunk.before()
    found = beam_search(
        [Candidate(text.id, text.id, text=text.answer) for text in texts],
        chunk.expand,
        chunk.perplexities,
        chunk.judge,
        beam=config.beam,
        rounds=config.rounds,
        objective=config.objective,
        key=lambda candidate: candidate.text,
        seed=config.seed,
        after_round=chunk.after_round,
    )
    return ChunkResult(
        before, found, [chunk.drafts[text.id] for text in texts], [chunk.seconds[text.id] for text in texts]
    )


class _Chunk:
    """The callables of the search, and the record behind them."""

    def __init__(
        self,
        number: int,
        texts: Sequence[Text],
        workshop: Workshop,
        records: RowFile,
        started: Callable[[int], None],
    ) -> None:
        self.drafts: dict[str, list[Candidate]] = {text.id: [] for text in texts}
        self.seconds: dict[str, float] = dict.fromkeys(self.drafts, 0.0)
        self._number = number
        self._texts = {text.id: text for text in texts}
        self._workshop = workshop
        self._records = records
        self._started = started
        self._finished = {row["round"]: row for row in records.rows if row["chunk"] == number}
        self._seen = {text.id: {text.answer} for text in texts}
        self._replaying = False
        self._round: list[Candidate] = []
        self._clock = 0.0

    def before(self) -> list[float | None]:
        """Perplexities of the originals, in one batch: the chunk's round 0."""
        record = self._finished.get(0)
        if record is None:
            self._clock = time.monotonic()
            items = [(text.question, text.answer) for text in self._texts.values()]
            values = [_finite(value) for value in perplexity(self._workshop.target, items)]
            record = {
                "chunk": self._number,
                "round": 0,
                "seconds": time.monotonic() - self._clock,
                "perplexity": dict(zip(self._texts, values, strict=True)),
            }
            self._records.append(record)
        for text_id in self.seconds:
            self.seconds[text_id] += record["seconds"] / len(self.seconds)
        return [record["perplexity"][text_id] for text_id in self._texts]

    def expand(self, number: int, frontier: Sequence[Sequence[Candidate]]) -> list[list[Candidate]]:
        self._clock = time.monotonic()
        self._started(number)
        record = self._finished.get(number)
        self._replaying = record is not None
        parents = [item for items in frontier for item in items]
        self._round = (
            [Candidate.load(entry) for entry in record["candidates"]] if record else self._revised(number, parents)
        )
        by_text: dict[str, list[Candidate]] = {text_id: [] for text_id in self._texts}
        for candidate in self._round:
            self.drafts[candidate.text_id].append(candidate)
            if candidate.rejected in (None, "perplexity", "helpfulness"):
                by_text[candidate.text_id].append(candidate)
                self._seen[candidate.text_id].add(candidate.text)
        return list(by_text.values())

    def _revised(self, number: int, parents: Sequence[Candidate]) -> list[Candidate]:
        shop, config = self._workshop, self._workshop.config
        drafts = candidates(
            [
                Parent(text_id=one.text_id, id=one.id, question=self._texts[one.text_id].question, answer=one.text)
                for one in parents
            ],
            shop.seeds,
            grid=config.grid,
            keywords=config.keywords,
            round=number,
            seed=config.seed,
            style=shop.style,
            max_tokens=config.max_tokens,
        )
        completions = [samples[0] for samples in shop.reviser.generate([draft.request for draft in drafts])]
        examples = example_answers(shop.style)
        made = []
        accepted: dict[str, set[str]] = {text_id: set(seen) for text_id, seen in self._seen.items()}
        for draft, completion in zip(drafts, completions, strict=True):
            text_id = draft.parent.text_id
            text = revision(draft, completion)
            if completion.finish == "error":
                rejected: str | None = "model_error"
            else:
                original = self._texts[text_id].answer
                rejected = failed_gate(text, original, draft.keywords, config.gates, examples=examples)
            if rejected is None and text in accepted[text_id]:
                rejected = "duplicate"
            if rejected is None:
                accepted[text_id].add(text)
            made.append(
                Candidate(
                    id=draft.id,
                    text_id=text_id,
                    parent=draft.parent.id,
                    round=number,
                    keywords=draft.keywords,
                    temperature=draft.temperature,
                    top_p=draft.top_p,
                    seed=draft.seed,
                    completion=completion.text.encode("utf-8", "replace").decode(),
                    text=text,
                    rejected=rejected,
                    error=completion.error,
                    input_tokens=completion.input_tokens,
                    output_tokens=completion.output_tokens,
                )
            )
        return made

    def perplexities(self, items: Sequence[Candidate]) -> list[float | None]:
        if not self._replaying:
            pairs = [(self._texts[item.text_id].question, item.text) for item in items]
            cap = self._workshop.config.gates.max_perplexity
            for item, value in zip(items, perplexity(self._workshop.target, pairs), strict=True):
                item.perplexity = _finite(value)
                if item.perplexity is None or (cap is not None and item.perplexity > cap):
                    item.rejected = "perplexity"
        return [None if item.rejected == "perplexity" else item.perplexity for item in items]

    def judge(self, items: Sequence[Candidate]) -> list[bool]:
        if not self._replaying:
            triples = [
                (self._texts[item.text_id].question, self._texts[item.text_id].answer, item.text) for item in items
            ]
            for item, score in zip(items, self._workshop.judge(triples), strict=True):
                item.helpfulness = asdict(score)
                if score.total < self._workshop.config.min_helpfulness:
                    item.rejected = "helpfulness"
        return [item.rejected is None for item in items]

    def after_round(self, number: int) -> None:
        if self._replaying:
            seconds = float(self._finished[number]["seconds"])
        else:
            seconds = time.monotonic() - self._clock
            self._records.append(
                {
                    "chunk": self._number,
                    "round": number,
                    "seconds": seconds,
                    "candidates": [asdict(candidate) for candidate in self._round],
                }
            )
        for text_id, count in Counter(candidate.text_id for candidate in self._round).items():
            self.seconds[text_id] += seconds * count / len(self._round)


def _finite(value: float | None) -> float | None:
    """JSON has no infinity; six digits are far more than the models agree on."""
    return None if value is None or not math.isfinite(value) else round(value, 6)
