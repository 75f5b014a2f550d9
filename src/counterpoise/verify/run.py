"""One verification: the measures and the slice of the diagnosis of one model, and what changed against another.

A run folder of kind ``verify`` holds ``rows.jsonl`` (one line per item, see
:class:`~counterpoise.safety.measures.MeasureRow`), ``reasoning/`` (a run folder of kind ``diagnose``) and, where it was
compared with a model by name, ``before/`` (a verification of that model). The summary is in the manifest's facts.
"""

import gc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from counterpoise.errors import DataError
from counterpoise.lm.names import inspect_name
from counterpoise.lm.names import open_model as open_by_name
from counterpoise.lm.protocol import LanguageModel
from counterpoise.records import RunFolder, read_jsonl, read_manifest
from counterpoise.safety.judges import Judge
from counterpoise.safety.measures import Items, measure, measure_key, open_judges, read_items
from counterpoise.verify.reasoning import reasoning_slice
from counterpoise.verify.settings import VerifySettings
from counterpoise.verify.summary import summarise

__all__ = ["run_verify"]

PACKAGES = ("inspect_ai", "transformers", "torch")
REASONING, BEFORE = "reasoning", "before"

Progress = Callable[[int, int, str], None]
Open = Callable[[str], LanguageModel]


def run_verify(
    settings: VerifySettings,
    out: Path,
    *,
    data: Path | None = None,
    before: str | None = None,
    progress: Progress | None = None,
    open_model: Open | None = None,
) -> dict[str, Any]:
    """Verify a model, or finish a verification that was interrupted.

    Every file, judge and earlier run is looked at before a model is loaded.

    Args:
        settings: what is measured.
        out: the run folder.
        data: folder with downloaded data.
        before: the folder of an earlier verification, or a model that is measured alike, in ``out/before``.
        progress: told of measured items and of the stages asked.
        open_model: opens models by name; by default :func:`~counterpoise.lm.names.open_model`.

    Returns:
        The summary of :func:`~counterpoise.verify.summary.summarise`, with ``model``, ``revision`` and ``before``
        (``run``, ``model`` and ``revision`` of what it was compared with, or ``None``).

    Raises:
        DataError: a file is missing or malformed, or the earlier run cannot be compared with.
        UsageError: a judge or a model cannot be had.
        OutputError: the folder is another run's, or cannot be written.
        RunError: the diagnosis could not finish; finished rows are kept.
    """
    items = read_items(settings.measures, data)
    judges = open_judges(settings.measures) if any(item.way == "judged" for item in items) else []
    earlier = _earlier(before, settings)
    work = _Verification(items, judges, data, progress or (lambda *_: None), open_model or open_by_name)
    revision = work.measure(settings, out)
    if before is not None and earlier is None:
        work.measure(settings.model_copy(update={"model": before}), out / BEFORE)
        earlier = out / BEFORE
    return _conclude(settings, out, revision, earlier)


class _Verification:
    """What the models of one call are measured with."""

    def __init__(
        self, items: Items, judges: Sequence[Judge], data: Path | None, progress: Progress, open_model: Open
    ) -> None:
        self.items = items
        self.judges = judges
        self.data = data
        self.progress = progress
        self.open_model = open_model

    def measure(self, settings: VerifySettings, out: Path) -> str:
        """Measure one model into its folder; returns the identity of its weights."""
        model = self.open_model(settings.model)
        config = settings.model_dump(mode="json") | {
            "revision": model.revision,
            "judges": [judge.name for judge in self.judges],
            "items": self.items.hash,
        }
        with RunFolder.open(out, kind="verify", config=config, packages=PACKAGES) as folder:
            rows = folder.rows(key=measure_key)
            measure(
                model,
                self.items,
                settings.measures,
                done=rows,
                keep=rows.append,
                columns={"run": folder.run, "model": settings.model},
                judges=self.judges,
                progress=lambda done, total, _: self.progress(done, total, f"measure {settings.model}"),
            )
            if settings.reasoning is not None:
                reasoning_slice(model, settings.reasoning, out / REASONING, self.data, progress=self.progress)
            folder.complete(summary=summarise(rows.rows, _reasoning_rows(out), seed=settings.measures.seed))
        revision = model.revision
        # The next model needs the memory of this one.
        del model
        gc.collect()
        return revision


def _conclude(settings: VerifySettings, out: Path, revision: str, earlier: Path | None) -> dict[str, Any]:
    """The summary, with the changes against an earlier run; written into the manifest."""
    manifest = read_manifest(out)
    rows = read_jsonl(out / "rows.jsonl", drop_torn=True)
    against: dict[str, Any] | None = None
    was: list[dict[str, Any]] | None = None
    was_reasoned: list[dict[str, Any]] = []
    if earlier is not None:
        against, was, was_reasoned = _read(earlier)
    found = {"model": settings.model, "revision": revision, "before": against} | summarise(
        rows, _reasoning_rows(out), before=was, before_reasoning=was_reasoned, seed=settings.measures.seed
    )
    if against is not None:
        found["notes"] = [*_differences(manifest.config, against.pop("config")), *found["notes"]]
    with RunFolder.open(out, kind="verify", config=manifest.config) as folder:
        folder.complete(summary=found)
    return found


def _earlier(before: str | None, settings: VerifySettings) -> Path | None:
    """The folder of an earlier run, checked; ``None`` where there is nothing to compare with or a model is named."""
    if before is None:
        return None
    if not (Path(before) / "manifest.json").is_file():
        # What is neither a run nor a model is said before anything is measured.
        inspect_name(before)
        return None
    said, _, _ = _read(Path(before))
    then = {entry["set"] for entry in said["config"]["measures"]["evaluate"]}
    if not then & {entry.set for entry in settings.measures.evaluate}:
        raise DataError(
            "the earlier verification has no set in common with this one",
            where=before,
            expected=f"one of {', '.join(sorted(then))}",
            fix="choose its sets with --set",
        )
    return Path(before)


def _read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """An earlier verification: what it is, its rows, and the rows of its slice."""
    manifest = read_manifest(folder)
    if manifest.kind != "verify":
        raise DataError(f"a run of kind {manifest.kind!r}", where=str(folder), expected="a verification")
    if manifest.state != "complete":
        raise DataError(
            "the earlier verification is not finished",
            where=str(folder),
            fix="repeat its command, which resumes it",
        )
    rows = read_jsonl(folder / "rows.jsonl", drop_torn=True)
    said = {
        "run": manifest.run,
        "model": manifest.config.get("model"),
        "revision": manifest.config.get("revision"),
        "config": manifest.config,
    }
    return said, rows, _reasoning_rows(folder)


def _reasoning_rows(folder: Path) -> list[dict[str, Any]]:
    file = folder / REASONING / "rows.jsonl"
    return read_jsonl(file, drop_torn=True) if file.is_file() else []


def _differences(now: Mapping[str, Any], was: Mapping[str, Any]) -> list[str]:
    """What the two runs did differently, which their changes then also show."""
    notes = []
    asked, asked_then = now.get("measures", {}), was.get("measures", {})
    for name in ("max_tokens", "answer_tokens", "system", "prefix"):
        if asked.get(name) != asked_then.get(name):
            notes.append(f"the two runs differ in {name}: {asked_then.get(name)!r} before, {asked.get(name)!r} after")
    if now.get("judges") != was.get("judges"):
        notes.append("the two runs were not judged alike: changes are given for the judges that both have")
    if now.get("revision") == was.get("revision"):
        notes.append("the two runs are of the same weights: a change can only come from rounding")
    return notes
