"""A diagnosis run: which cases, which stages, what is still to be asked.

Inspect AI runs the model (:mod:`~counterpoise.counterfactual.tasks`); the rows are this module's. ``rows.jsonl`` is the
truth about what is done: a run that was killed asks only for what has no row yet.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from counterpoise.counterfactual.baselines.habits import Habits
from counterpoise.counterfactual.baselines.rows import baseline_rows
from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.datasets import Loaded, get, load
from counterpoise.counterfactual.elicit import ELICITATIONS, elicitation
from counterpoise.counterfactual.elicit.attempt import Branching, nearness
from counterpoise.counterfactual.elicit.shots import reserve
from counterpoise.counterfactual.match import Matcher
from counterpoise.counterfactual.match.registry import DEFAULT, check_named
from counterpoise.counterfactual.modes import MODES, Mode, levels, stages_in
from counterpoise.counterfactual.score import DiagnosisRow, matcher_for
from counterpoise.counterfactual.stages import PROMPT_VERSION
from counterpoise.errors import ConfigError, DataError, RunError, UnknownNameError, UnsupportedError
from counterpoise.lm.names import inspect_name
from counterpoise.lm.store import CompletionStore
from counterpoise.records import RunFolder, canonical_json, content_hash, write_atomic
from counterpoise.rng import seed_for

__all__ = ["DiagnoseConfig", "Item", "items_of", "row_key", "run_diagnosis", "select", "split"]

MAX_K = 100
"""Most samples or branches."""
PACKAGES = ("inspect_ai", "transformers", "torch", "llguidance")
RATINGS = ("model", "similarity")

ReportProgress = Callable[[int, int, str], None]


class DiagnoseConfig(BaseModel):
    """What a diagnosis run asks.

    Attributes:
        model: as the user names it.
        datasets: registered names, or files of cases.
        stages: the stages to measure; those that a case has no gold for are left out for that case.
        limit: cases per dataset; ``None`` for all.
        modes: where a stage's input comes from; see :mod:`~counterpoise.counterfactual.modes`.
        elicits: how an answer is elicited; see :mod:`~counterpoise.counterfactual.elicit`.
        k: samples of ``cot-sc`` and branches of ``tot``.
        rating: what chooses the branches of ``tot``: the model, or their similarity to each other.
        matcher: which names and values count as the same where gold is not executed.
        text_only: ask about images without showing them.
        seed: of the choice of cases, the random baseline and sampling.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    datasets: tuple[str, ...]
    stages: tuple[Stage, ...] = tuple(Stage)
    limit: int | None = Field(default=None, ge=1)
    modes: tuple[Mode, ...] = ("isolated",)
    elicits: tuple[str, ...] = ("direct",)
    k: int = Field(default=5, ge=1, le=MAX_K)
    rating: Literal["model", "similarity"] = "model"
    matcher: str = DEFAULT
    text_only: bool = False
    seed: int = 0

    @classmethod
    def checked(
        cls,
        *,
        model: str,
        datasets: Sequence[str],
        stages: Sequence[str] | None = None,
        limit: int | None = None,
        modes: Sequence[str] = ("isolated",),
        elicits: Sequence[str] = ("direct",),
        k: int = 5,
        rating: str = "model",
        matcher: str = DEFAULT,
        text_only: bool = False,
        seed: int = 0,
    ) -> Self:
        """A configuration from plain names.

        Raises:
            UnknownNameError: a dataset, stage, mode, elicitation, rating or matcher that does not exist.
            ConfigError: a limit below 1, or a ``k`` that is not from 1 to 100.
        """
        if limit is not None and limit < 1:
            raise ConfigError(f"limit is {limit}", expected="at least 1")
        if not 1 <= k <= MAX_K:
            raise ConfigError(f"k is {k}", expected=f"1 to {MAX_K} samples or branches")
        for kind, names, known in (
            ("stage", stages or (), tuple(Stage)),
            ("mode", modes, MODES),
            ("rating", (rating,), RATINGS),
        ):
            for name in names:
                if name not in known:
                    raise UnknownNameError(kind, name, known)
        return cls(
            model=model,
            datasets=tuple(get(name).name for name in datasets),
            stages=tuple(stage for stage in Stage if stages is None or stage in stages),
            limit=limit,
            modes=tuple(mode for mode in MODES if mode in modes),
            elicits=tuple(way for way in ELICITATIONS if way in {elicitation(name).name for name in elicits}),
            k=k,
            rating="similarity" if rating == "similarity" else "model",
            matcher=check_named(matcher),
            text_only=text_only,
            seed=seed,
        )


@dataclass(frozen=True, slots=True)
class Item:
    """One case asked in one way: one stage in isolated mode, else the stages of a chain in turn.

    Attributes:
        case: the case.
        stages: asked in this order.
        kept: those of them that give rows.
        mode: the mode.
        upto: of a substitution, the last stage whose gold is given.
        elicit: the elicitation's name.
    """

    case: Case
    stages: tuple[Stage, ...]
    kept: tuple[Stage, ...]
    mode: Mode = "isolated"
    upto: Stage | None = None
    elicit: str = "direct"

    @property
    def group(self) -> tuple[str, ...]:
        """What the items of one Inspect task share."""
        stage = str(self.stages[0]) if self.mode == "isolated" else ""
        return (self.case.dataset, self.mode, str(self.upto or ""), stage, self.elicit)


def split(name: str, found: Loaded, data: Path | None) -> tuple[list[Case], list[Case]]:
    """Demonstrations and the test split of a dataset: the two share no cluster.

    Generated datasets bring demonstrations of another seed; of others a few clusters are reserved in every run.
    """
    dataset = get(name)
    return (dataset.shots(data), list(found.cases)) if dataset.shots else reserve(found.cases)


def select(cases: Sequence[Case], limit: int | None, seed: int) -> list[Case]:
    """The cases of a run: all of them, or ``limit`` of them drawn by the seed.

    Cases with gold for more stages are drawn first, so that a small run measures every stage. The choice does not
    depend on the order of the file.
    """
    ranked = sorted(cases, key=lambda case: (-len(case.stages), seed_for(seed, "select", case.id), case.id))
    return ranked[:limit]


def items_of(
    cases: Sequence[Case],
    stages: Sequence[Stage],
    *,
    modes: Sequence[Mode] = ("isolated",),
    elicits: Sequence[str] = ("direct",),
) -> list[Item]:
    """Everything that is asked of some cases, elicitation by elicitation, mode by mode.

    A stage that a case has no gold for is left out, and a case without gold for the whole chain from chained and
    substitution mode.
    """
    return [item for way in elicits for mode in modes for item in _items(cases, stages, mode, way)]


def _items(cases: Sequence[Case], stages: Sequence[Stage], mode: Mode, way: str) -> Iterator[Item]:
    if mode == "isolated":
        for stage in Stage:
            yield from (
                Item(case, (stage,), (stage,), mode, None, way)
                for case in cases
                if stage in stages and stage in case.stages
            )
        return
    for upto in (None,) if mode == "chained" else tuple(Stage):
        for case in cases:
            if upto is not None and upto not in levels(case):
                continue
            asked = stages_in(case, mode, upto)
            kept = tuple(stage for stage in asked if stage in stages)
            if kept:
                # What comes after the last stage wanted is not asked.
                yield Item(case, asked[: asked.index(kept[-1]) + 1], kept, mode, upto, way)


def row_key(row: Mapping[str, Any]) -> str:
    """The identity of a diagnosis row within its run."""
    names = ("model", "dataset", "case_id", "stage", "mode", "upto", "elicit")
    return "|".join(str(row.get(name) or "") for name in names)


def run_diagnosis(
    config: DiagnoseConfig, out: Path, *, data: Path | None = None, progress: ReportProgress = lambda *_: None
) -> None:
    """Run, or resume, a diagnosis and leave its rows in ``out``.

    Writes ``rows.jsonl`` (the model's rows), ``baselines.jsonl`` (the same cases answered without a model),
    ``completions.jsonl`` (every call's completion by content, so that nothing is asked twice) and Inspect's logs below
    ``logs/``.

    Args:
        config: what to ask.
        out: the run folder.
        data: folder of downloaded datasets.
        progress: called with rows done, rows in all and what they are.

    Raises:
        DataError: a dataset is not there, or has no case for the stages asked for.
        UsageError: the model cannot be set up.
        UnsupportedError: the model reads no images and a dataset shows some.
        OutputError: the folder is another run's, or cannot be written.
        RunError: Inspect could not finish; finished rows are kept.
    """
    from counterpoise.counterfactual.tasks import Asking, ask
    from counterpoise.lm.hosted import open_inspect_model

    loaded = {name: load(name, data) for name in config.datasets}
    shots: dict[str, list[Case]] = {}
    chosen: dict[str, list[Case]] = {}
    for name, found in loaded.items():
        shots[name], tested = split(name, found, data)
        chosen[name] = [_shown(config, case) for case in select(tested, config.limit, config.seed)]
    items = [
        item
        for cases in chosen.values()
        for item in items_of(cases, config.stages, modes=config.modes, elicits=config.elicits)
    ]
    seen: dict[tuple[str, str], str] = {}
    for name, cases in chosen.items():
        for case in cases:
            if (other := seen.setdefault((case.dataset, case.id), name)) != name:
                raise DataError(f"case {case.id!r} is in {other!r} and in {name!r}", fix="run them apart")
    if not items:
        raise DataError(
            "no case has gold for these stages in this mode",
            where=f"{', '.join(config.stages)}; {', '.join(config.modes)}",
            fix="counterpoise check-gold shows the stages of each dataset",
        )
    target = inspect_name(config.model)
    if target.startswith("counterpoise/") and any(item.case.media for item in items):
        raise UnsupportedError(
            f"{config.model} reads no images",
            expected="a vision model, or --text-only-baseline to ask without showing them",
        )
    matcher = matcher_for((item.case for item in items), config.matcher)
    model = open_inspect_model(target)
    # A hosted model's weights cannot be identified: its name is all there is.
    revision = getattr(model.api, "revision", config.model)
    settings = config.model_dump(mode="json") | {
        "prompt_version": PROMPT_VERSION,
        "cases": content_hash([case.hash for cases in chosen.values() for case in cases]),
        "shots": content_hash([case.hash for cases in shots.values() for case in cases]),
        "revision": revision,
    }
    with RunFolder.open(out, kind="diagnose", config=settings, packages=PACKAGES) as folder:
        for name, found in loaded.items():
            if found.rejects:
                folder.warn(f"{name}: {len(found.rejects)} items rejected; see counterpoise check-gold {name}")
        _write_baselines(folder, config, chosen, matcher)
        rows = folder.rows(key=row_key)
        total = sum(len(item.kept) for item in items)
        pending = [item for item in items if any(_key(config, item, stage) not in rows for stage in item.kept)]
        what = f"diagnose {config.model}"

        def keep(row: DiagnosisRow) -> None:
            # A chain that was cut off is asked again; its finished rows are there already.
            if row_key(row.model_dump(mode="json")) not in rows:
                rows.append(row)
                progress(len(rows), total, what)

        if pending:
            progress(len(rows), total, what)
            asking = Asking(
                config=config,
                run=folder.run,
                keep=keep,
                shots=shots,
                matcher=matcher,
                store=CompletionStore(config.model, revision, out / "completions.jsonl"),
                branching=_branching(config),
            )
            ask(pending, model, asking, logs=out / "logs")
        if len(rows) < total:
            raise RunError(f"{total - len(rows)} of {total} rows are missing; the same command again resumes")
        folder.complete(rows=len(rows), cases={name: len(found.cases) for name, found in loaded.items()})


def _branching(config: DiagnoseConfig) -> Branching:
    """The model rates branches, unless their similarity is asked for."""
    if config.rating == "model" or "tot" not in config.elicits:
        return Branching()
    from counterpoise.lm.embedding import open_embedder

    return Branching(similarity=nearness(open_embedder("embedded/minilm")))


def _shown(config: DiagnoseConfig, case: Case) -> Case:
    return case.model_copy(update={"media": ()}) if config.text_only and case.media else case


def _key(config: DiagnoseConfig, item: Item, stage: Stage) -> str:
    return row_key(
        {
            "model": config.model,
            "dataset": item.case.dataset,
            "case_id": item.case.id,
            "stage": str(stage),
            "mode": item.mode,
            "upto": item.upto and str(item.upto),
            "elicit": item.elicit,
        }
    )


def _write_baselines(
    folder: RunFolder, config: DiagnoseConfig, chosen: Mapping[str, Sequence[Case]], matcher: Matcher
) -> None:
    """The cases answered by every baseline: each stage apart, and in chained mode where the run has it."""
    lines = []
    for cases in chosen.values():
        habits = Habits(cases)
        for case in cases:
            kept = [stage for stage in case.stages if stage in config.stages]
            ways: list[tuple[Mode, tuple[Stage, ...]]] = [("isolated", tuple(kept))]
            if "chained" in config.modes:
                ways.append(("chained", stages_in(case, "chained")))
            found = chain.from_iterable(
                baseline_rows(
                    case,
                    stages,
                    habits,
                    run=folder.run,
                    mode=mode,
                    kept=kept,
                    matcher=matcher,
                    seed=config.seed,
                )
                for mode, stages in ways
            )
            lines += [canonical_json(row.model_dump(mode="json")) for row in found]
    write_atomic(folder.path / "baselines.jsonl", "\n".join(lines) + "\n")
