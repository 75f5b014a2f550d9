"""Curate texts in a run folder: revise, score, search, and hand on what passed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from counterpoise.curation.chunk import Workshop, record_key, run_chunk
from counterpoise.curation.config import CurateConfig
from counterpoise.curation.export import export, moved
from counterpoise.curation.helpfulness import Helpfulness
from counterpoise.curation.revise import PROMPT_VERSION, Style, prompt_hash
from counterpoise.curation.rows import CurationRow, RoundSummary, curation_row, model_identity, unscored_row
from counterpoise.curation.seeds import Seed, builtin_seeds
from counterpoise.curation.texts import Text, read_texts
from counterpoise.errors import ConfigError, DataError
from counterpoise.lm.protocol import LanguageModel
from counterpoise.records import RowFile, RunFolder, Tokens, content_hash

if TYPE_CHECKING:
    from counterpoise.lm.embedding import Embedder

__all__ = ["CurateConfig", "CurationRow", "CurationSummary", "RoundSummary", "Text", "curate", "read_texts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationSummary:
    """What a curation came to.

    Attributes:
        run: id of the run.
        texts: how many were given.
        curated: how many have a revision.
        moved: how many revisions moved perplexity the objective's way (``random``: raised it).
        left_out: the other texts, counted by status.
        rejected: rejected candidates, counted by gate.
        candidates: completions asked for.
        perplexity_before: median over the curated texts; ``None`` without any.
        perplexity_after: median over their revisions.
        helpfulness: median over their revisions.
        tokens: read and written by the reviser.
        seconds: of model work, earlier parts of a resumed run included.
        warnings: what a reader must know.
    """

    run: str
    texts: int
    curated: int
    moved: int
    left_out: dict[str, int]
    rejected: dict[str, int]
    candidates: int
    perplexity_before: float | None
    perplexity_after: float | None
    helpfulness: float | None
    tokens: Tokens
    seconds: float
    warnings: tuple[str, ...]


Progress = Callable[[int, int, str], None]


def curate(
    texts: Sequence[Text],
    reviser: LanguageModel,
    target: LanguageModel,
    embedder: "Embedder",
    config: CurateConfig,
    out: Path,
    *,
    seeds: Sequence[Seed] | None = None,
    progress: Progress | None = None,
) -> CurationSummary:
    """Revise texts so that they carry safety implications, and write the curated set into a run folder.

    The folder gets ``candidates.jsonl`` (one line per chunk and round, append-only), ``rows.jsonl`` (one
    :class:`CurationRow` per text), ``curated.jsonl`` (``messages`` and ``lineage``),
    ``curated.prompt_completion.jsonl`` and ``README.md`` (the dataset card). A text for which no candidate passed is
    left out of the curated set; its row says why and the manifest warns. A run that was killed resumes when it is
    called again with the same arguments and ends in the same ``curated.jsonl``, byte for byte, if the models are
    deterministic.

    Args:
        texts: what to curate; one with a problem gets a row and is left alone.
        reviser: writes the revisions.
        target: the model to be customized, under which perplexity is measured; may be the reviser.
        embedder: of the offline helpfulness score.
        config: settings.
        out: the run folder; new, empty, or of the same run.
        seeds: the seed set; by default the one that comes with Counterpoise.
        progress: called with steps done, steps in all (a step is one round of one text) and what is being done.

    Raises:
        DataError: there are no texts, or two have the same id.
        ConfigError: the seed set has fewer keywords than a revision takes up.
        OutputError: the folder belongs to another run or cannot be written.
        UnsupportedError: the target cannot score given text.
    """
    chosen = tuple(seeds) if seeds is not None else builtin_seeds()
    _check(texts, chosen, config)
    style: Style = config.style if config.style != "auto" else _style_for(reviser)
    judge = Helpfulness(embedder)
    settings = {
        **config.model_dump(mode="json"),
        "style": style,
        "prompt_version": PROMPT_VERSION,
        "prompt": prompt_hash(style),
        "texts": content_hash([[text.id, text.question, text.answer, text.problem] for text in texts]),
        "seeds": content_hash([seed.model_dump() for seed in chosen]),
        "reviser": model_identity(reviser),
        "target": model_identity(target),
        "judge": {"name": judge.name, "revision": embedder.revision},
    }
    workshop = Workshop(reviser=reviser, target=target, judge=judge, seeds=chosen, config=config, style=style)
    with RunFolder.open(out, kind="curate", config=settings) as folder:
        if judge.name == reviser.name or embedder.name == reviser.name:
            folder.warn("the reviser judges its own revisions")
        if settings["reviser"] == settings["target"]:
            folder.warn(
                "reviser and target are the same model: what it writes is less perplexing to itself than to others"
            )
        records = folder.rows(key=record_key, name="candidates.jsonl")
        rows = folder.rows(key=lambda row: str(row["text_id"]))
        total = len(texts) * config.rounds
        for number, begin in enumerate(range(0, len(texts), config.chunk)):
            part = texts[begin : begin + config.chunk]
            if any(text.id not in rows for text in part):
                _run_part(
                    number, part, workshop, folder.run, records, rows, _steps(progress, begin, len(part), total, config)
                )
        if progress:
            progress(total, total, "revising texts")
        return _finish(folder, rows.rows, config)


def _check(texts: Sequence[Text], seeds: Sequence[Seed], config: CurateConfig) -> None:
    if not texts:
        raise DataError("no texts to curate")
    repeated = sorted(identity for identity, count in Counter(text.id for text in texts).items() if count > 1)
    if repeated:
        raise DataError(f"the text id {repeated[0]!r} occurs more than once", expected="a different id for every text")
    if len(seeds) < config.keywords:
        raise ConfigError(f"a revision takes up {config.keywords} keyword(s), but the seed set has {len(seeds)}")


def _style_for(reviser: LanguageModel) -> Style:
    return "extend" if reviser.name.startswith("embedded/") else "rewrite"


def _steps(progress: Progress | None, begin: int, size: int, total: int, config: CurateConfig) -> Callable[[int], None]:
    """From a round's start to a call of ``progress``: earlier chunks are done, and this chunk's earlier rounds."""

    def started(round: int) -> None:
        if progress:
            progress(begin * config.rounds + (round - 1) * size, total, "revising texts")

    return started


def _run_part(
    number: int,
    part: Sequence[Text],
    workshop: Workshop,
    run: str,
    records: RowFile,
    rows: RowFile,
    started: Callable[[int], None],
) -> None:
    """One chunk from texts to rows."""
    usable = [text for text in part if text.problem is None]
    result = run_chunk(number, usable, workshop, records, started) if usable else None
    position = {text.id: index for index, text in enumerate(usable)}
    for text in part:
        if text.id in rows:
            continue
        index = position.get(text.id)
        if result is None or index is None:
            rows.append(unscored_row(text, workshop, run))
        else:
            rows.append(curation_row(text, index, result, workshop, run))


def _finish(folder: RunFolder, rows: Sequence[Mapping[str, Any]], config: CurateConfig) -> CurationSummary:
    kept = [row for row in rows if row["revised"] is not None]
    left_out = Counter(str(row["status"]) for row in rows if row["revised"] is None)
    if left_out:
        counts = ", ".join(f"{count} {status}" for status, count in sorted(left_out.items()))
        folder.warn(f"{len(rows) - len(kept)} of {len(rows)} texts have no revision and are left out ({counts})")
    rejected: Counter[str] = Counter()
    for row in rows:
        for entry in row["rounds"]:
            rejected.update(entry["rejected"])
    summary = CurationSummary(
        run=folder.run,
        texts=len(rows),
        curated=len(kept),
        moved=moved(kept, config.objective),
        left_out=dict(sorted(left_out.items())),
        rejected=dict(sorted(rejected.items())),
        candidates=sum(entry["candidates"] for row in rows for entry in row["rounds"]),
        perplexity_before=_median(kept, "perplexity_before"),
        perplexity_after=_median(kept, "perplexity_after"),
        helpfulness=_median(kept, "helpfulness"),
        tokens=Tokens(
            input=sum(row["tokens"]["input"] for row in rows), output=sum(row["tokens"]["output"] for row in rows)
        ),
        seconds=round(sum(row["seconds"] for row in rows), 3),
        warnings=tuple(folder.manifest.warnings),
    )
    export(folder.path, rows, folder.manifest)
    folder.complete(
        texts=summary.texts, curated=summary.curated, candidates=summary.candidates, tokens=summary.tokens.model_dump()
    )
    return summary


def _median(rows: Sequence[Mapping[str, Any]], column: str) -> float | None:
    values = [row[column] for row in rows if row[column] is not None]
    return median(values) if values else None
