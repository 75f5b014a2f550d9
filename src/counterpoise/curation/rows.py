"""The rows of a curation: one per source text, with all that its revision came from."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from counterpoise.curation.beam import Kept, Trace
from counterpoise.curation.chunk import Candidate, ChunkResult, Workshop
from counterpoise.curation.prompts import PROMPT_VERSION
from counterpoise.curation.seeds import Seed
from counterpoise.curation.texts import Text
from counterpoise.curation.words import words
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
        similar: how many were passed over because a better one that was kept adds nearly the same words.
        rejected: rejections by gate; ``helpfulness`` and ``perplexity`` count among the gates.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    round: int
    perplexity: float | None
    helpfulness: float | None
    candidates: int
    judged: int
    similar: int = 0
    rejected: dict[str, int]


class CurationRow(Row):
    """One source text.

    ``status`` is ``ok`` when a revision was kept, ``parse_failed`` when the reviser answered but no candidate passed,
    ``model_failed`` when it failed every time, ``unscored`` when the text could not be curated at all. ``score`` is the
    helpfulness of the kept revision, 0 where there is none, ``None`` for ``unscored``. ``tokens`` are the reviser's.
    Rows carry no times, so that a run that was killed and resumed writes the same bytes; the manifest has them.

    Attributes:
        text_id: id of the source text.
        question: of the source text.
        question_generated: the text came without a question, and the reviser wrote one.
        original: its answer: the same text uncurated.
        revised: the best revision; ``None`` when none passed.
        revised_question: its question; ``None`` where questions are not revised.
        keywords: taken up by the revision and its ancestors, in order.
        objective: of the run.
        perplexity_before: of the original under the target model; ``None`` where undefined.
        perplexity_after: of the revision.
        helpfulness: total of the revision.
        criteria: its helpfulness by criterion.
        rounds: what each round brought.
        lineage: where the revision comes from; ``None`` when none passed.
    """

    text_id: str
    question: str
    question_generated: bool = False
    original: str
    revised: str | None = None
    revised_question: str | None = None
    keywords: tuple[str, ...] = ()
    objective: str
    perplexity_before: float | None = None
    perplexity_after: float | None = None
    helpfulness: float | None = None
    criteria: dict[str, float] | None = None
    rounds: tuple[RoundSummary, ...] = ()
    lineage: dict[str, Any] | None = None


class _Known(Protocol):
    """A model or a judge."""

    @property
    def name(self) -> str: ...

    @property
    def revision(self) -> str: ...


def model_identity(model: _Known) -> dict[str, str]:
    """Name and revision of a model or a judge, as manifests and lineages have them."""
    return {"name": model.name, "revision": model.revision}


def unscored_row(text: Text, workshop: Workshop, run: str) -> CurationRow:
    """The row of a text that cannot be curated."""
    return CurationRow(**_columns(text, workshop, run), status="unscored", reason=text.problem)


def curation_row(
    text: Text, index: int, result: ChunkResult, workshop: Workshop, run: str, *, generated: bool = False
) -> CurationRow:
    """The row of a text that was searched; ``index`` is its place in its chunk's result."""
    found, made = result.found[index], result.candidates[index]
    columns: dict[str, Any] = {
        **_columns(text, workshop, run),
        "question_generated": generated,
        "tokens": Tokens(input=sum(one.input_tokens for one in made), output=sum(one.output_tokens for one in made)),
        "perplexity_before": result.before[index],
        "rounds": tuple(_round(trace, made) for trace in found.trace),
    }
    if not found.kept:
        failed = all(one.rejected == "model_error" for one in made)
        counts = ", ".join(f"{count} {gate}" for gate, count in sorted(_rejections(made).items()))
        reason = f"no candidate passed: {counts}"
        if failed:
            reason = f"the reviser failed every time: {made[0].error}"
        return CurationRow(**columns, status="model_failed" if failed else "parse_failed", reason=reason, score=0.0)
    best = found.kept[0]
    line = _line(best.item, made)
    keywords = tuple(dict.fromkeys(keyword for one in line for keyword in one.keywords))
    return CurationRow(
        **columns,
        status="ok",
        score=_helpfulness(best),
        revised=best.item.text,
        revised_question=best.item.question if workshop.order.both else None,
        keywords=keywords,
        perplexity_after=best.perplexity,
        helpfulness=_helpfulness(best),
        criteria={name: value for name, value in (best.item.helpfulness or {}).items() if name != "total"},
        lineage=_lineage(text, best, line, keywords, result.before[index], workshop),
    )


def _columns(text: Text, workshop: Workshop, run: str) -> dict[str, Any]:
    return {
        "run": run,
        "kind": "curate",
        "model": workshop.reviser.name,
        "text_id": text.id,
        "question": text.question or "",
        "original": text.answer,
        "objective": workshop.config.objective,
    }


def _lineage(
    text: Text,
    best: Kept[Candidate],
    line: Sequence[Candidate],
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
        "style": workshop.order.style,
        "prompt_version": PROMPT_VERSION,
        "reviser": model_identity(workshop.reviser),
        "target": model_identity(workshop.target),
        "judge": workshop.judge.name,
        "perplexity_before": before,
        "perplexity_after": best.perplexity,
        "helpfulness": _helpfulness(best),
        "gloss_copied": _gloss_copied(item.text, keywords, workshop.seeds),
        "ancestors": [_ancestor(one) for one in line],
    }


def _ancestor(one: Candidate) -> dict[str, Any]:
    return {
        "id": one.id,
        "parent": one.parent,
        "round": one.round,
        "question": one.question,
        "text": one.text,
        "keywords": list(one.keywords),
        "temperature": one.temperature,
        "top_p": one.top_p,
        "seed": one.seed,
        "perplexity": one.perplexity,
        "helpfulness": one.helpfulness["total"] if one.helpfulness else None,
    }


def _gloss_copied(text: str, keywords: Sequence[str], seeds: Sequence[Seed]) -> bool:
    """Whether the revision has the gloss of one of its keywords word for word: the reviser added nothing of its own."""
    plain = f" {' '.join(words(text))} "
    glosses = [" ".join(words(seed.gloss)) for seed in seeds if seed.keyword in keywords]
    return any(gloss and f" {gloss} " in plain for gloss in glosses)


def _line(candidate: Candidate, made: Sequence[Candidate]) -> list[Candidate]:
    """From the first revision down to the candidate."""
    by_id = {one.id: one for one in made}
    line = [candidate]
    while line[-1].parent in by_id:
        line.append(by_id[line[-1].parent])
    return line[::-1]


def _helpfulness(kept: Kept[Candidate] | None) -> float | None:
    return kept.item.helpfulness["total"] if kept and kept.item.helpfulness else None


def _rejections(made: Sequence[Candidate]) -> Counter[str]:
    return Counter(one.rejected for one in made if one.rejected)


def _round(trace: Trace[Candidate], made: Sequence[Candidate]) -> RoundSummary:
    of_round = [one for one in made if one.round == trace.round]
    return RoundSummary(
        round=trace.round,
        perplexity=trace.best.perplexity if trace.best else None,
        helpfulness=_helpfulness(trace.best),
        candidates=len(of_round),
        judged=trace.judged,
        similar=trace.similar,
        rejected=dict(sorted(_rejections(of_round).items())),
    )
