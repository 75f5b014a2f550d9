"""A diagnosis run: which cases, which stages, what is still to be asked.

Inspect AI runs the model (:mod:`~counterpoise.counterfactual.asking`); the rows are this module's. ``rows.jsonl`` is
the truth about what is done: a run that was killed asks only for what has no row yet.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field

from counterpoise.counterfactual.baselines.habits import Habits
from counterpoise.counterfactual.baselines.rows import baseline_rows
from counterpoise.counterfactual.case import Case, Modality, Photo, Stage
from counterpoise.counterfactual.datasets import DATASETS, Loaded, Reject, get, load
from counterpoise.counterfactual.datasets.fetch import unpinned
from counterpoise.counterfactual.elicit import ELICITATIONS, TOOL_USES, elicitation
from counterpoise.counterfactual.elicit.attempt import Branching, nearness
from counterpoise.counterfactual.elicit.shots import reserve
from counterpoise.counterfactual.match import Matcher
from counterpoise.counterfactual.match.registry import DEFAULT, check_named
from counterpoise.counterfactual.modes import MODES, Mode, levels, stages_in
from counterpoise.counterfactual.score import DiagnosisRow, fitting, matcher_for
from counterpoise.counterfactual.stages import PROMPT_VERSION
from counterpoise.counterfactual.tools.tool import Tool
from counterpoise.errors import ConfigError, DataError, RunError, UnknownNameError, UnsupportedError
from counterpoise.lm.names import calls_tools, inspect_name, reads_images
from counterpoise.lm.protocol import LanguageModel
from counterpoise.lm.store import CompletionStore
from counterpoise.records import RunFolder, canonical_json, content_hash, write_atomic
from counterpoise.rng import seed_for

__all__ = ["DiagnoseConfig", "Item", "items_of", "row_key", "run_diagnosis", "select", "split"]

MAX_K = 100
"""Most samples or branches."""
PACKAGES = ("inspect_ai", "transformers", "torch", "llguidance")
RATINGS = ("model", "similarity")
USES = ("off", *TOOL_USES)
ToolUse = Literal["off", "hints", "calls"]

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
        tools: uses of extraction tools that every elicitation is run with: ``off``, ``hints``, ``calls``.
        extractors: modality to the tool that is used for it, where it is not the default one.
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
    tools: tuple[ToolUse, ...] = ("off",)
    extractors: dict[str, str] = Field(default_factory=dict)
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
        tools: Sequence[str] = ("off",),
        extractors: Sequence[str] = (),
        k: int = 5,
        rating: str = "model",
        matcher: str = DEFAULT,
        text_only: bool = False,
        seed: int = 0,
    ) -> Self:
        """A configuration from plain names.

        Raises:
            UnknownNameError: a dataset, stage, mode, elicitation, use of tools, rating or matcher that does not exist.
            ConfigError: a limit below 1, a ``k`` that is not from 1 to 100, or an extractor that is not
                ``MODALITY=NAME``.
        """
        used = [tool_use(use, model) for use in tools]
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
            tools=tuple(use for use in USES if use in used),
            extractors=_extractors(extractors),
            k=k,
            rating="similarity" if rating == "similarity" else "model",
            matcher=check_named(matcher),
            text_only=text_only,
            seed=seed,
        )

    @property
    def ways(self) -> tuple[str, ...]:
        """The elicitations with each use of tools: ``direct``, ``direct+hints``."""
        return tuple(way if use == "off" else f"{way}+{use}" for way in self.elicits for use in self.tools)


def tool_use(name: str, model: str) -> str:
    """A use of tools; ``auto`` is calls for hosted models and hints for local ones, which call no tools.

    Raises:
        UnknownNameError: there is no such use.
        UnsupportedError: calls for a local model.
    """
    local = name in ("auto", "calls") and not calls_tools(model)
    if name == "calls" and local:
        raise UnsupportedError(f"{model} calls no tools", expected="--tools hints, or a hosted model")
    if name == "auto":
        return "hints" if local else "calls"
    if name not in USES:
        raise UnknownNameError("use of tools", name, (*USES, "auto"))
    return name


def _extractors(named: Sequence[str]) -> dict[str, str]:
    found = dict(one.partition("=")[::2] for one in named)
    for modality, name in found.items():
        if modality not in get_args(Modality) or not name:
            raise ConfigError(f"extractor {modality}={name}", expected="such as text=ner:FOLDER or image=FOLDER")
    return found


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


def chosen_cases(config: DiagnoseConfig, cases: Sequence[Case], data: Path | None) -> tuple[list[Case], list[Reject]]:
    """The cases of a run as they are shown, and those whose pictures cannot be read, which others replace.

    Raises:
        DataError: photographs are not there.
    """
    if config.text_only:
        return [_shown(config, case) for case in select(cases, config.limit, config.seed)], []
    if not any(isinstance(media, Photo) for case in cases for media in case.media):
        return select(cases, config.limit, config.seed), []
    from counterpoise.counterfactual.pictures import absent, unreadable

    chosen: list[Case] = []
    rejects: list[Reject] = []
    for case in select(cases, None, config.seed):
        if len(chosen) == config.limit:
            break
        if missing := absent([case], data):
            rejects.append(Reject(case.id, f"no picture {missing[0]}"))
        elif fault := unreadable(case, data):
            rejects.append(Reject(case.id, fault))
        else:
            chosen.append(case)
    if not chosen:
        # Cases of a file may be of no registered dataset.
        known = DATASETS.get(cases[0].dataset)
        raise DataError(
            f"no picture of {cases[0].dataset} can be read, the first for: {rejects[0].reason}",
            where=str(data) if data else "no --data and no COUNTERPOISE_DATA",
            fix=f"{known.obtain.rstrip('.') if known else 'get its pictures'}; or --text-only-baseline asks without",
        )
    return chosen, rejects


def demonstrations(config: DiagnoseConfig, shots: Sequence[Case], data: Path | None) -> list[Case]:
    """The solved cases of a run as they are shown, without those whose pictures cannot be read."""
    from counterpoise.counterfactual.pictures import unreadable

    return [_shown(config, case) for case in shots if config.text_only or unreadable(case, data) is None]


def open_tools(config: DiagnoseConfig, cases: Sequence[Case]) -> dict[str, Tool]:
    """The extraction tools that a run needs, by modality; none where it uses none.

    Raises:
        MissingExtraError: the package of a tool is not installed.
        UsageError: a tool needs a model that was not named.
    """
    if config.tools == ("off",):
        return {}
    from counterpoise.counterfactual.tools import open_tool

    modalities = dict.fromkeys(case.modality for case in cases)
    return {modality: open_tool(modality, config.extractors.get(modality)) for modality in modalities}


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
    config: DiagnoseConfig,
    out: Path,
    *,
    data: Path | None = None,
    progress: ReportProgress = lambda *_: None,
    model: LanguageModel | None = None,
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
        model: the configuration's model where it is open already (a checkpoint in memory); it is asked about texts.

    Raises:
        DataError: a dataset is not there, or has no case for the stages asked for.
        UsageError: the model cannot be set up.
        UnsupportedError: the model reads no images and a dataset shows some.
        OutputError: the folder is another run's, or cannot be written.
        RunError: Inspect could not finish; finished rows are kept.
    """
    from counterpoise.counterfactual.asking import Asking, ask

    loaded = {name: load(name, data) for name in config.datasets}
    shots: dict[str, list[Case]] = {}
    chosen: dict[str, list[Case]] = {}
    unread: dict[str, list[Reject]] = {}
    for name, found in loaded.items():
        solved, tested = split(name, found, data)
        shots[name] = demonstrations(config, solved, data)
        chosen[name], unread[name] = chosen_cases(config, tested, data)
    items = [
        item
        for cases in chosen.values()
        for item in items_of(cases, config.stages, modes=config.modes, elicits=config.ways)
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
    target = "" if model is not None else inspect_name(config.model)
    if any(item.case.media for item in items) and (model is not None or not reads_images(config.model)):
        raise UnsupportedError(
            f"{config.model} reads no images",
            expected="a vision model, or --text-only-baseline to ask without showing them",
        )
    matcher = matcher_for((item.case for item in items), config.matcher)
    tools = open_tools(config, [case for cases in chosen.values() for case in cases])
    asked = _inspect_model(target, model)
    # A hosted model's weights cannot be identified: its name is all there is.
    revision = getattr(asked.api, "revision", config.model)
    settings = config.model_dump(mode="json") | {
        "prompt_version": PROMPT_VERSION,
        "cases": content_hash([case.hash for cases in chosen.values() for case in cases]),
        "shots": content_hash([case.hash for cases in shots.values() for case in cases]),
        "revision": revision,
        "tool_versions": {modality: f"{tool.name} ({tool.version})" for modality, tool in tools.items()},
    }
    with RunFolder.open(out, kind="diagnose", config=settings, packages=PACKAGES) as folder:
        for name, found in loaded.items():
            for file in unpinned(get(name), data):
                folder.warn(f"{name}: {file} is not the file that the reader was written against")
            if found.rejects:
                folder.warn(f"{name}: {len(found.rejects)} items rejected; see counterpoise check-gold {name}")
        for name, rejects in unread.items():
            if rejects:
                folder.warn(f"{name}: pictures that could not be shown: {len(rejects)}, the first: {rejects[0].reason}")
        _write_baselines(folder, config, chosen, matcher)
        # What tools find follows from the configuration, and a detector takes its time.
        if tools and not (folder.path / "tools.jsonl").exists():
            _write_recalls(folder, chosen, tools, matcher, data)
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
                # Cases of a file say another dataset than the file is called.
                shots={cases[0].dataset: shots[name] for name, cases in chosen.items()},
                matcher=matcher,
                store=CompletionStore(config.model, revision, out / "completions.jsonl"),
                branching=_branching(config),
                tools=tools,
                data=data,
            )
            ask(pending, asked, asking, logs=out / "logs")
        if len(rows) < total:
            raise RunError(f"{total - len(rows)} of {total} rows are missing; the same command again resumes")
        folder.complete(rows=len(rows), cases={name: len(found.cases) for name, found in loaded.items()})


def _inspect_model(target: str, model: LanguageModel | None) -> Any:
    """Inspect's model of that name, or around a model that is open already."""
    if model is None:
        from counterpoise.lm.hosted import open_inspect_model

        return open_inspect_model(target)
    from counterpoise.lm.inspect_provider import as_inspect

    return as_inspect(model)


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


def _write_recalls(
    folder: RunFolder,
    chosen: Mapping[str, Sequence[Case]],
    tools: Mapping[str, Tool],
    matcher: Matcher,
    data: Path | None,
) -> None:
    """How much of the gold the tools find by themselves."""
    from counterpoise.counterfactual.tools.use import recalls

    lines = [
        canonical_json(record)
        for cases in chosen.values()
        for record in recalls(cases, tools, fitting(cases[0], matcher), data)
    ]
    write_atomic(folder.path / "tools.jsonl", "".join(f"{line}\n" for line in lines))


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
