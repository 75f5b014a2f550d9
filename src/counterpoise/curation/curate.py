"""Curate texts in a run folder: revise, score, search, and hand on what passed."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from counterpoise.curation.chunk import Workshop, record_key, run_chunk
from counterpoise.curation.config import CurateConfig
from counterpoise.curation.deck import Deck
from counterpoise.curation.export import export, moved
from counterpoise.curation.helpfulness import Judge, Rating
from counterpoise.curation.inputs import Texts
from counterpoise.curation.prompts import PROMPT_VERSION, prompt
from counterpoise.curation.questions import generated_questions
from counterpoise.curation.revise import Order, Style, prompt_name
from counterpoise.curation.rows import CurationRow, RoundSummary, curation_row, model_identity, unscored_row
from counterpoise.curation.seeds import Seed, builtin_seeds
from counterpoise.curation.texts import Text
from counterpoise.errors import ConfigError, DataError
from counterpoise.lm.cached import CachedLM
from counterpoise.lm.protocol import LanguageModel
from counterpoise.records import (
    RowFile,
    RunFolder,
    Tokens,
    append_line,
    canonical_json,
    content_hash,
    drop_torn_line,
    iter_numbered,
)

__all__ = ["CACHE", "CurateConfig", "CurationRow", "CurationSummary", "RoundSummary", "Text", "curate", "style_for"]

CACHE = "cache"
"""Folder of the models' calls within a run folder."""


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
        judged: candidates that were judged.
        keywords: different keywords in the curated set.
        perplexity_before: median over the curated texts; ``None`` without any.
        perplexity_after: median over their revisions.
        helpfulness: median over their revisions.
        tokens: read and written by the reviser.
        seconds: of model work by kind of call, earlier parts of a resumed run included; what a cache gave costs none.
        warnings: what a reader must know.
    """

    run: str
    texts: int
    curated: int
    moved: int
    left_out: dict[str, int]
    rejected: dict[str, int]
    candidates: int
    judged: int
    keywords: int
    perplexity_before: float | None
    perplexity_after: float | None
    helpfulness: float | None
    tokens: Tokens
    seconds: dict[str, float]
    warnings: tuple[str, ...]


Progress = Callable[[int, int, str], None]


def curate(
    texts: Iterable[Text],
    reviser: LanguageModel,
    target: LanguageModel,
    judge: Judge,
    config: CurateConfig,
    out: Path,
    *,
    seeds: Sequence[Seed] | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> CurationSummary:
    """Revise texts so that they carry safety implications, and write the curated set into a run folder.

    The folder gets ``candidates.jsonl`` (one line per chunk and round, append-only), ``rows.jsonl`` (one
    :class:`CurationRow` per text) and what :func:`~counterpoise.curation.export.export` makes of them. A text for which
    no candidate passed is left out of the curated set; its row says why and the manifest warns. A run that was killed
    resumes when it is called again with the same arguments and ends in the same bytes, if the models are
    deterministic. Texts are taken a chunk at a time, and memory does not grow with their number but for their ids.

    Args:
        texts: what to curate; gone through twice. One with a problem gets a row and is left alone.
        reviser: writes the revisions, and the questions of plain texts.
        target: the model to be customized, under which perplexity is measured; may be the reviser.
        judge: of helpfulness.
        config: settings.
        out: the run folder; new, empty, or of the same run.
        seeds: the seed set; by default the one that comes with Counterpoise.
        cache: folder of the models' calls; by default within ``out``. Runs that share one share the calls that they
            have in common: three objectives over the same texts have the same first round.
        progress: called with steps done, steps in all (a step is one round of one text) and what is being done.

    Raises:
        DataError: there are no texts, or two have the same id.
        ConfigError: the seed set has fewer keywords than a revision takes up.
        OutputError: the folder belongs to another run, is in use, or cannot be written.
        UnsupportedError: the target cannot score given text.
    """
    chosen = tuple(seeds) if seeds is not None else builtin_seeds()
    if len(chosen) < config.keywords:
        raise ConfigError(f"a revision takes up {config.keywords} keyword(s), but the seed set has {len(chosen)}")
    survey = _survey(texts)
    both = config.revise == "both"
    order = Order(
        style=config.style if config.style != "auto" else style_for(reviser),
        both=both,
        grid=config.grid,
        seed=config.seed,
        max_tokens=config.max_tokens,
    )
    settings = {
        **config.model_dump(mode="json"),
        "style": order.style,
        "prompt_version": PROMPT_VERSION,
        "prompt": prompt(prompt_name(order.style, both)).hash,
        "question_prompt": prompt("question").hash if survey.plain else None,
        "texts": survey.digest,
        "seeds": content_hash([seed.model_dump() for seed in chosen]),
        "seed_count": len(chosen),
        "reviser": model_identity(reviser),
        "target": model_identity(target),
        "judge": model_identity(judge),
    }
    with RunFolder.open(out, kind="curate", config=settings) as folder:
        _warn(folder, reviser, target, judge)
        for note in texts.report.notes if isinstance(texts, Texts) else ():
            folder.warn(note)
        log = _Log(out)
        calls = cache or out / CACHE
        workshop = Workshop(
            reviser=CachedLM(reviser, calls, on_call=log.noting("revise")),
            target=CachedLM(target, calls, on_call=log.noting("score")),
            judge=_TimedJudge(judge, log.noting("judge")),
            deck=Deck(chosen, config.seed, size=config.hand * config.keywords, together=config.keywords),
            seeds=chosen,
            config=config,
            order=order,
        )
        records = folder.rows(key=record_key, name="candidates.jsonl", keep=False)
        rows = folder.rows(key=lambda row: str(row["text_id"]), keep=False)
        total = survey.texts * config.rounds
        for number, part in enumerate(_chunks(texts, config.chunk)):
            if any(text.id not in rows for _, text in part):
                begin = number * config.chunk
                _run_part(
                    number, part, workshop, folder.run, records, rows, _steps(progress, begin, len(part), total, config)
                )
        if progress:
            progress(total, total, "revising texts")
        return _finish(folder, rows.path, config, log)


def style_for(reviser: LanguageModel) -> Style:
    """How a model is asked unless the settings say so: embedded models are too small to rewrite."""
    return "extend" if reviser.name.startswith("embedded/") else "rewrite"


@dataclass(slots=True)
class _Survey:
    """What the first pass over the texts found: their number, how many lack a question, and their identity."""

    texts: int = 0
    plain: int = 0
    digest: str = ""


def _survey(texts: Iterable[Text]) -> _Survey:
    if isinstance(texts, Texts):
        # Whoever opened a source has gone through it already.
        plain = texts.report.usable if texts.report.shape == "texts" else 0
        return _Survey(texts=len(texts), plain=plain, digest=texts.digest)
    found = _Survey()
    seen: set[str] = set()
    digest = hashlib.sha256()
    for text in texts:
        if text.id in seen:
            raise DataError(f"the text id {text.id!r} occurs more than once", expected="a different id for every text")
        seen.add(text.id)
        digest.update(canonical_json([text.id, text.question, text.answer, text.problem]).encode() + b"\n")
        found.texts += 1
        found.plain += text.question is None and text.problem is None
    if not found.texts:
        raise DataError("no texts to curate")
    found.digest = digest.hexdigest()[:12]
    return found


def _warn(folder: RunFolder, reviser: LanguageModel, target: LanguageModel, judge: Judge) -> None:
    if judge.name.split("/", 1)[-1] == reviser.name or judge.name == reviser.name:
        folder.warn("the reviser judges its own revisions")
    if model_identity(reviser) == model_identity(target):
        folder.warn("reviser and target are the same model: what it writes is less perplexing to itself than to others")


def _chunks(texts: Iterable[Text], size: int) -> Iterator[list[tuple[int, Text]]]:
    """Texts with their places in the input, so many at a time."""
    numbered = iter(enumerate(texts))
    while part := list(islice(numbered, size)):
        yield part


def _steps(progress: Progress | None, begin: int, size: int, total: int, config: CurateConfig) -> Callable[[int], None]:
    """From a round's start to a call of ``progress``: earlier chunks are done, and this chunk's earlier rounds."""

    def started(round: int) -> None:
        if progress:
            progress(begin * config.rounds + (round - 1) * size, total, "revising texts")

    return started


def _run_part(
    number: int,
    part: Sequence[tuple[int, Text]],
    workshop: Workshop,
    run: str,
    records: RowFile,
    rows: RowFile,
    started: Callable[[int], None],
) -> None:
    """One chunk from texts to rows."""
    asked = _with_questions(part, workshop)
    usable = [(place, text) for place, text in asked if text.problem is None]
    result = run_chunk(number, usable, workshop, records, started) if usable else None
    position = {text.id: index for index, (_, text) in enumerate(usable)}
    for (_, given), (_, text) in zip(part, asked, strict=True):
        if text.id in rows:
            continue
        index = position.get(text.id)
        if result is None or index is None:
            rows.append(unscored_row(text, workshop, run))
        else:
            generated = given.question is None
            rows.append(curation_row(text, index, result, workshop, run, generated=generated))


def _with_questions(part: Sequence[tuple[int, Text]], workshop: Workshop) -> list[tuple[int, Text]]:
    """The same texts; those that came without a question have one now, or a problem."""
    plain = [text.answer for _, text in part if text.question is None and text.problem is None]
    found = iter(generated_questions(workshop.reviser, plain, seed=workshop.config.seed) if plain else [])
    asked = []
    for place, text in part:
        if text.question is None and text.problem is None:
            question = next(found)
            problem = None if question else "the reviser wrote no question for this text"
            text = replace(text, question=question, problem=problem)
        asked.append((place, text))
    return asked


class _Log:
    """``logs/calls.jsonl``: what every call of a model took, so that a resumed run knows the whole."""

    def __init__(self, out: Path) -> None:
        self._path = out / "logs" / "calls.jsonl"
        drop_torn_line(self._path)

    def noting(self, what: str) -> Callable[[str, int, float | None], None]:
        def note(call: str, items: int, seconds: float | None) -> None:
            line = {"call": what, "items": items, "seconds": seconds and round(seconds, 3)}
            append_line(self._path, canonical_json(line))

        return note

    def seconds(self) -> dict[str, float]:
        taken: dict[str, float] = {}
        for _, line in iter_numbered(self._path) if self._path.exists() else ():
            taken[line["call"]] = taken.get(line["call"], 0.0) + (line["seconds"] or 0.0)
        return {what: round(value, 3) for what, value in sorted(taken.items())}


class _TimedJudge:
    """A judge that notes what it took."""

    def __init__(self, judge: Judge, note: Callable[[str, int, float | None], None]) -> None:
        self.name, self.revision = judge.name, judge.revision
        self._judge = judge
        self._note = note

    def __call__(self, items: Sequence[tuple[str, str, str]]) -> Sequence[Rating]:
        begun = time.monotonic()
        ratings = self._judge(items)
        self._note("judge", len(items), time.monotonic() - begun)
        return ratings


_TELLING = 10
"""Equal ratings that are no coincidence."""
_COLUMNS = ("perplexity_before", "perplexity_after", "helpfulness")


@dataclass(slots=True)
class _Tally:
    """Sums over the rows, taken one at a time."""

    rows: int = 0
    curated: int = 0
    moved: int = 0
    candidates: int = 0
    judged: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    keywords: set[str] = field(default_factory=set)
    values: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _COLUMNS})

    def add(self, row: Mapping[str, Any], objective: str) -> None:
        self.rows += 1
        self.tokens.update(row["tokens"])
        for entry in row["rounds"]:
            self.candidates += entry["candidates"]
            self.judged += entry["judged"]
            self.rejected.update(entry["rejected"])
        if row["revised"] is None:
            self.left_out[row["status"]] += 1
            return
        self.curated += 1
        self.moved += moved([row], objective)
        self.keywords.update(row["keywords"])
        for name, values in self.values.items():
            if row[name] is not None:
                values.append(row[name])


def _finish(folder: RunFolder, path: Path, config: CurateConfig, log: _Log) -> CurationSummary:
    tally = _Tally()
    for _, row in iter_numbered(path):
        tally.add(row, config.objective)
    if tally.left_out:
        counts = ", ".join(f"{count} {status}" for status, count in sorted(tally.left_out.items()))
        folder.warn(f"{tally.rows - tally.curated} of {tally.rows} texts have no revision and are left out ({counts})")
    if tally.curated >= _TELLING and len(set(tally.values["helpfulness"])) == 1:
        folder.warn("the judge gave every kept revision the same helpfulness; it may not tell good ones from bad ones")
    summary = CurationSummary(
        run=folder.run,
        texts=tally.rows,
        curated=tally.curated,
        moved=tally.moved,
        left_out=dict(sorted(tally.left_out.items())),
        rejected=dict(sorted(tally.rejected.items())),
        candidates=tally.candidates,
        judged=tally.judged,
        keywords=len(tally.keywords),
        **{name: median(values) if values else None for name, values in tally.values.items()},
        tokens=Tokens(**tally.tokens),
        seconds=log.seconds(),
        warnings=tuple(folder.manifest.warnings),
    )
    export(folder.path, folder.manifest)
    folder.complete(
        texts=summary.texts,
        curated=summary.curated,
        candidates=summary.candidates,
        judged=summary.judged,
        keywords=summary.keywords,
        tokens=summary.tokens.model_dump(),
        seconds=summary.seconds,
    )
    return summary
