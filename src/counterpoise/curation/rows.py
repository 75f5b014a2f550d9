"""The rows of a curation: one per source text, with all that its revision came from."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from counterpoise.curation.beam import Kept, Trace
from counterpoise.curation.chunk import Candidate, ChunkResult, Workshop
from counterpoise.curation.revise import PROMPT_VERSION
from counterpoise.curation.seeds import Seed
from counterpoise.curation.texts import Text
from counterpoise.curation.words import words
from counterpoise.lm.protocol import LanguageModel
from counterpoise.records import Row, Tokens

__all__ = ["CurationRow", "RoundSummary", "curation_row", "model_identity", "unscored_row"]


class RoundSummary(BaseModel):
    """One round of one text.

    Attributes:
        round: from 1.
        perplexity: of the best kept so far; ``None`` while there is none.
        helpfulness: of the same candidate.
        candidates: completions asked for.
        judged: how many were judged.
        rejected: rejections by gate; ``helpfulness`` and ``perplexity`` count among the gates.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    round: int
    perplexity: float | None
    helpfulness: float | None
    candidates: int
    judged: int
    rejected: dict[str, int]


class CurationRow(Row):
    """One source text.

    ``status`` is ``ok`` when a revision was kept, ``parse_failed`` when the reviser answered but no candidate passed,
    ``model_failed`` when it failed every time, ``unscored`` when the text could not be curated at all. ``score`` is the
    helpfulness of the kept revision, 0 where there is none, ``None`` for ``unscored``. ``tokens`` are the reviser's.

    Attributes:
        text_id: id of the source text.
        question: of the source text.
        original: its answer: the same text uncurated.
        revised: the best revision; ``None`` when none passed.
        keywords: taken up by the revision and its ancestors, in order.
        objective: of the run.
        perplexity_before: of the original under the target model; ``None`` where undefined.
        perplexity_after: of the revision.
        helpfulness: total of the revision.
        rounds: what each round brought.
        lineage: where the revision comes from; ``None`` when none passed.
    """

    text_id: str
    question: str
    original: str
    revised: str | None = None
    keywords: tuple[str, ...] = ()
    objective: str
    perplexity_before: float | None = None
    perplexity_after: float | None = None
    helpfulness: float | None = None
    rounds: tuple[RoundSummary, ...] = ()
    lineage: dict[str, Any] | None = None


def model_identity(model: LanguageModel) -> dict[str, str]:
    """Name and revision, as manifests and lineages have them."""
    return {"name": model.name, "revision": model.revision}


def unscored_row(text: Text, workshop: Workshop, run: str) -> CurationRow:
    """The row of a text that cannot be curated."""
    return CurationRow(
        run=run,
        kind="curate",
        model=workshop.reviser.name,
        status="unscored",
        reason=text.problem,
        text_id=text.id,
        question=text.question,
        original=text.answer,
        objective=workshop.config.objective,
    )


def curation_row(text: Text, index: int, result: ChunkResult, workshop: Workshop, run: str) -> CurationRow:
    """The row of a text that was searched; ``index`` is its place in its chunk's result."""
    found, drafts = result.found[index], result.drafts[index]
    columns: dict[str, Any] = {
        "run": run,
        "kind": "curate",
        "model": workshop.reviser.name,
        "tokens": Tokens(
            input=sum(draft.input_tokens for draft in drafts), output=sum(draft.output_tokens for draft in drafts)
        ),
        "seconds": round(result.seconds[index], 3),
        "text_id": text.id,
        "question": text.question,
        "original": text.answer,
        "objective": workshop.config.objective,
        "perplexity_before": result.before[index],
        "rounds": tuple(_round(trace, drafts) for trace in found.trace),
    }
    if not found.kept:
        failed = all(draft.rejected == "model_error" for draft in drafts)
        counts = ", ".join(f"{count} {gate}" for gate, count in sorted(_rejections(drafts).items()))
        reason = f"no candidate passed: {counts}"
        if failed:
            reason = f"the reviser failed every time: {drafts[0].error}"
        return CurationRow(**columns, status="model_failed" if failed else "parse_failed", reason=reason, score=0.0)
    best = found.kept[0]
    helpfulness = _helpfulness(best)
    keywords = _ancestral_keywords(best.item, drafts)
    return CurationRow(
        **columns,
        status="ok",
        score=helpfulness,
        revised=best.item.text,
        keywords=keywords,
        perplexity_after=best.perplexity,
        helpfulness=helpfulness,
        lineage=_lineage(text, best, helpfulness, keywords, result.before[index], workshop),
    )


def _lineage(
    text: Text,
    best: Kept[Candidate],
    helpfulness: float | None,
    keywords: Sequence[str],
    before: float | None,
    workshop: Workshop,
) -> dict[str, Any]:
    item = best.item
    return {
        "source": text.id,
        "id": item.id,
        "parent": item.parent,
        "round": item.round,
        "keywords": list(keywords),
        "objective": workshop.config.objective,
        "temperature": item.temperature,
        "top_p": item.top_p,
        "seed": item.seed,
        "style": workshop.style,
        "prompt_version": PROMPT_VERSION,
        "reviser": model_identity(workshop.reviser),
        "target": model_identity(workshop.target),
        "judge": workshop.judge.name,
        "perplexity_before": before,
        "perplexity_after": best.perplexity,
        "helpfulness": helpfulness,
        "gloss_copied": _gloss_copied(item.text, keywords, workshop.seeds),
    }


def _gloss_copied(text: str, keywords: Sequence[str], seeds: Sequence[Seed]) -> bool:
    """Whether the revision has the gloss of one of its keywords word for word: the reviser added nothing of its own."""
    plain = f" {' '.join(words(text))} "
    glosses = [" ".join(words(seed.gloss)) for seed in seeds if seed.keyword in keywords]
    return any(gloss and f" {gloss} " in plain for gloss in glosses)


def _ancestral_keywords(candidate: Candidate, drafts: Sequence[Candidate]) -> tuple[str, ...]:
    """Keywords from the first revision down to the candidate's own, each once."""
    by_id = {draft.id: draft for draft in drafts}
    line = [candidate]
    while line[-1].parent in by_id:
        line.append(by_id[line[-1].parent])
    return tuple(dict.fromkeys(keyword for one in reversed(line) for keyword in one.keywords))


def _helpfulness(kept: Kept[Candidate] | None) -> float | None:
    return kept.item.helpfulness["total"] if kept and kept.item.helpfulness else None


def _rejections(drafts: Sequence[Candidate]) -> Counter[str]:
    return Counter(draft.rejected for draft in drafts if draft.rejected)


def _round(trace: Trace[Candidate], drafts: Sequence[Candidate]) -> RoundSummary:
    made = [draft for draft in drafts if draft.round == trace.round]
    return RoundSummary(
        round=trace.round,
        perplexity=trace.best.perplexity if trace.best else None,
        helpfulness=_helpfulness(trace.best),
        candidates=len(made),
        judged=trace.judged,
        rejected=dict(sorted(_rejections(made).items())),
    )
