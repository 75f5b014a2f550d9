"""Build a seed set from documents."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoise.curation.seeds.compare import NEAR, leaders
from counterpoise.curation.seeds.documents import Document, find_documents, read_document
from counterpoise.curation.seeds.gloss import with_glosses
from counterpoise.curation.seeds.phrases import Phrase, keyphrases, meaning_key
from counterpoise.curation.seeds.relevance import MIN_RELEVANCE, Relevance
from counterpoise.curation.seeds.seed import Provenance, Seed
from counterpoise.errors import ConfigError, DataError
from counterpoise.lm.embedding import Embedder
from counterpoise.lm.protocol import LanguageModel
from counterpoise.records import content_hash

__all__ = ["BuildConfig", "Built", "Dropped", "Read", "build_seeds"]

Report = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildConfig:
    """Settings of a build.

    Attributes:
        min_relevance: a phrase below it is dropped; in [-2, 2].
        min_count: so is one that stands in all documents together less often; 1 at least.
        per_document: keyphrases looked at in each document; 1 at least.
        max_new: keywords added at most; all by default.

    Raises:
        ConfigError: a value is out of range.
    """

    min_relevance: float = MIN_RELEVANCE
    min_count: int = 2
    per_document: int = 100
    max_new: int | None = None

    def __post_init__(self) -> None:
        if not -2 <= self.min_relevance <= 2:
            raise ConfigError(f"min_relevance is {self.min_relevance}", expected="a number in [-2, 2]")
        for name in ("min_count", "per_document", "max_new"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} is {value}", expected="at least 1")


@dataclass(frozen=True, slots=True)
class Read:
    """What became of a document.

    Attributes:
        name: the document.
        phrases: how many keyphrases it gave; 0 with a problem.
        problem: why it gave none; ``None`` where it gave some.
    """

    name: str
    phrases: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A phrase that is no keyword of the set.

    Attributes:
        phrase: as it stands in the documents.
        reason: ``rare``, ``not a noun``, ``in the base set``, ``not about safety``, ``near a keyword of the base set``,
            ``near a better phrase``, or ``beyond the limit``.
        detail: the count, the relevance or the other keyword that decided.
    """

    phrase: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A new seed set, and how it came about.

    Attributes:
        base: the keywords that it started from.
        added: the keywords from the documents, the most prominent first: those of more documents, then those with the
            better YAKE score.
        documents: in the order read.
        dropped: in the order of the steps.
    """

    base: tuple[Seed, ...]
    added: tuple[Seed, ...]
    documents: tuple[Read, ...]
    dropped: tuple[Dropped, ...]

    @property
    def seeds(self) -> tuple[Seed, ...]:
        """The whole set."""
        return self.base + self.added

    def to_json(self) -> dict[str, Any]:
        """Counts, and all that was added and dropped, as JSON values."""
        return {
            "base": len(self.base),
            "added": [seed.model_dump(mode="json") for seed in self.added],
            "documents": [{"name": one.name, "phrases": one.phrases, "problem": one.problem} for one in self.documents],
            "dropped": [{"phrase": one.phrase, "reason": one.reason, "detail": one.detail} for one in self.dropped],
            "dropped_counts": dict(Counter(one.reason for one in self.dropped)),
        }


@dataclass(slots=True)
class _Candidate:
    """A phrase as all documents have it."""

    key: str
    score: float = float("inf")
    documents: list[str] = field(default_factory=list)
    forms: Counter[str] = field(default_factory=Counter)
    noun: bool = False
    gloss: tuple[str, str] = ("", "")
    vector: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    relevance: float = 0.0
    variants: list[str] = field(default_factory=list)

    def add(self, phrase: Phrase, document: str) -> None:
        self.score = min(self.score, phrase.score)
        self.documents.append(document)
        self.forms[phrase.text] += phrase.count
        self.noun = self.noun or phrase.noun
        if phrase.gloss and not self.gloss[0]:
            self.gloss = phrase.gloss, document

    @property
    def text(self) -> str:
        return min(self.forms, key=lambda form: (-self.forms[form], form))

    @property
    def rank(self) -> tuple[int, float, str]:
        return -len(self.documents), self.score, self.key


def build_seeds(
    paths: Sequence[Path],
    embedder: Embedder,
    config: BuildConfig,
    *,
    base: Sequence[Seed] = (),
    gloss_model: LanguageModel | None = None,
    progress: Report | None = None,
) -> Built:
    """Extract safety keywords from documents and add them to a base set.

    Documents are read one at a time, and only their keyphrases are kept. Forms of a phrase with the same stems are one
    phrase. Then, in this order, phrases are dropped that are rare, that never stand where a noun does, that the base
    set has (same stems), that are not about safety, that are near a keyword of the base set or a more prominent phrase
    (cosine similarity of at least :data:`~counterpoise.curation.seeds.compare.NEAR`; the latter become its variants),
    and that are beyond the limit.
    The same documents give the same set, in whatever order they are named.

    Args:
        paths: files and folders.
        embedder: makes vectors of phrases.
        config: settings.
        base: keywords to start from; they stay as they are.
        gloss_model: writes the glosses that the documents do not hold; without one these stay empty.
        progress: called with the number of documents read, of all, and what is counted.

    Raises:
        DataError: a path is not there, no document can be used (names the first with its problem), or nothing is added.
        MissingExtraError: a package of the extra ``curate`` is not installed.
    """
    documents = find_documents(paths)
    candidates: dict[str, _Candidate] = {}
    read: list[Read] = []
    seen: dict[str, Document] = {}
    for number, document in enumerate(documents, start=1):
        read.append(_take(document, candidates, seen, config.per_document))
        if progress:
            progress(number, len(documents), "documents")
    if all(one.problem for one in read):
        raise DataError(f"none of {len(read)} document(s) can be used: {read[0].problem}")
    dropped: list[Dropped] = []
    relevance = Relevance(embedder)
    ranked = sorted(candidates.values(), key=lambda one: one.rank)
    kept = _relevant(ranked, relevance, embedder, config, base, dropped)
    kept = _distinct(kept, embedder, base, dropped)
    limit = len(kept) if config.max_new is None else config.max_new
    dropped += [Dropped(one.text, "beyond the limit", f"relevance {one.relevance}") for one in kept[limit:]]
    kept = kept[:limit]
    if not kept:
        counts = ", ".join(f"{count} {reason}" for reason, count in Counter(one.reason for one in dropped).items())
        raise DataError(
            f"no phrase is left to add: {counts}", fix="lower --min-relevance or --min-count, or add documents"
        )
    categories = relevance.categories(np.stack([one.vector for one in kept]))
    added = tuple(_as_seed(one, category) for one, category in zip(kept, categories, strict=True))
    if gloss_model is not None:
        added = with_glosses(added, gloss_model)
    return Built(base=tuple(base), added=added, documents=tuple(read), dropped=tuple(dropped))


def _take(document: Document, candidates: dict[str, _Candidate], seen: dict[str, Document], limit: int) -> Read:
    """Add the keyphrases of a document; ``seen`` are the documents read so far by the hash of their text."""
    try:
        paragraphs = read_document(document)
    except DataError as error:
        return Read(document.name, 0, str(error))
    first = seen.setdefault(content_hash(paragraphs, length=32), document)
    if first is not document:
        return Read(document.name, 0, f"document has the same text as {first.name} ({document.name})")
    phrases = keyphrases(paragraphs, limit)
    for phrase in phrases:
        candidates.setdefault(phrase.key, _Candidate(phrase.key)).add(phrase, document.name)
    return Read(document.name, len(phrases), None if phrases else f"document has no keyphrases ({document.name})")


def _relevant(
    ranked: Sequence[_Candidate],
    relevance: Relevance,
    embedder: Embedder,
    config: BuildConfig,
    base: Sequence[Seed],
    dropped: list[Dropped],
) -> list[_Candidate]:
    """The frequent, new nouns that are about safety, with their vectors; the other candidates go to ``dropped``."""
    known = {meaning_key(seed.keyword): seed.keyword for seed in base}
    plausible = []
    for one in ranked:
        if one.forms.total() < config.min_count:
            dropped.append(Dropped(one.text, "rare", f"count {one.forms.total()}"))
        elif not one.noun:
            dropped.append(Dropped(one.text, "not a noun", "never after an article, a preposition or the like"))
        elif one.key in known:
            dropped.append(Dropped(one.text, "in the base set", known[one.key]))
        else:
            plausible.append(one)
    vectors = embedder.embed([one.text for one in plausible])
    kept = []
    for one, vector, score in zip(plausible, vectors, relevance.scores(vectors), strict=True):
        one.vector, one.relevance = vector, score
        if score < config.min_relevance:
            dropped.append(Dropped(one.text, "not about safety", f"relevance {score}"))
        else:
            kept.append(one)
    return kept


def _distinct(
    candidates: Sequence[_Candidate], embedder: Embedder, base: Sequence[Seed], dropped: list[Dropped]
) -> list[_Candidate]:
    """The candidates that are not near one before them, nor near the base set; the others go to ``dropped``."""
    if not candidates:
        return []
    own = np.stack([one.vector for one in candidates])
    vectors = np.vstack([embedder.embed([seed.keyword for seed in base]), own]) if base else own
    kept = []
    for index, leader in enumerate(leaders(vectors, NEAR, fixed=len(base))[len(base) :]):
        one = candidates[index]
        if leader < len(base):
            dropped.append(Dropped(one.text, "near a keyword of the base set", base[leader].keyword))
        elif (first := candidates[leader - len(base)]) is not one:
            first.variants.append(one.text)
            dropped.append(Dropped(one.text, "near a better phrase", first.text))
        else:
            kept.append(one)
    return kept


def _as_seed(one: _Candidate, category: str) -> Seed:
    gloss, source = one.gloss
    provenance = Provenance(
        documents=tuple(sorted(set(one.documents))),
        count=one.forms.total(),
        relevance=one.relevance,
        variants=tuple(sorted(one.variants)),
        gloss_source=source,
    )
    return Seed(keyword=one.text, category=category, gloss=gloss, provenance=provenance)
