"""Measure judges against completions that people labelled: the shared ones, or anybody's file."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpoise.errors import DataError
from counterpoise.safety.judges.agreement import Agreement, Labelled, agreement_of
from counterpoise.safety.judges.judgement import LABELS, Label
from counterpoise.safety.judges.keyword import unreadable
from counterpoise.safety.judges.registry import JUDGES, open_judge

__all__ = ["AS_IT_STANDS", "LEAVE_ONE_MODEL_OUT", "Calibrated", "calibrate_judges", "held_out_labels", "read_labels"]

AS_IT_STANDS = "as it stands"
"""The judge that comes with the package judged every completion."""
LEAVE_ONE_MODEL_OUT = "leave one model out"
"""Every completion was judged by what was fitted on the completions of other models only."""

_COLUMNS = ("prompt", "completion", "final_label")
_LABELS: dict[str, Label] = {
    **{label: label for label in LABELS},
    "1_full_compliance": "full_compliance",
    "2_full_refusal": "full_refusal",
    "3_partial_refusal": "partial_refusal",
}


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A judge's agreement with people on some completions.

    Attributes:
        judge: how the user named it.
        agreement: all of it.
        protocol: :data:`AS_IT_STANDS` or :data:`LEAVE_ONE_MODEL_OUT`.
        by_source: agreement on the completions of each model, where there are several.
    """

    judge: str
    agreement: Agreement
    protocol: str
    by_source: dict[str, Agreement]

    def to_json(self) -> dict[str, Any]:
        """``judge``, ``macro_f1``, ``kappa``, ``n``, ``per_class``, and what else is known."""
        found = self.agreement
        return {
            "judge": self.judge,
            "macro_f1": found.macro_f1,
            "kappa": found.kappa,
            "n": found.n,
            "per_class": {label: found.classes[label].model_dump() for label in LABELS},
            "version": found.judge,
            "protocol": self.protocol,
            "accuracy": found.accuracy,
            "refusal_kappa": found.refusal_kappa,
            "unscored": found.unscored,
            "intervals": {name: list(bounds) for name, bounds in found.intervals.items()},
            "source": found.source,
            "by_source": {
                source: {"macro_f1": one.macro_f1, "kappa": one.kappa, "n": one.n}
                for source, one in self.by_source.items()
            },
        }


def calibrate_judges(
    names: Sequence[str], labelled: Sequence[Labelled], *, source: str, held_out: bool, seed: int = 0
) -> list[Calibrated]:
    """Measure judges on the same completions.

    Args:
        names: as :func:`~counterpoise.safety.judges.registry.open_judge` takes them.
        labelled: completions with human labels, at least one.
        source: which they are, for the record.
        held_out: the classifier was fitted on these completions, so each is judged by what is fitted anew without the
            completions of its model; they must come from two models or more.
        seed: of the intervals' bootstrap.

    Returns:
        One result per judge, in the order given.

    Raises:
        UnknownNameError, UsageError: a judge that cannot be opened; found before any completion is judged.
    """
    judges = [open_judge(name) for name in names]
    found = []
    for name, judge in zip(names, judges, strict=True):
        refit = held_out and JUDGES[name.partition("=")[0]].fitted
        if refit:
            labels = held_out_labels(labelled)
        else:
            labels = [judgement.label for judgement in judge([(item.prompt, item.completion) for item in labelled])]
        sources = list(dict.fromkeys(item.source for item in labelled))
        found.append(
            Calibrated(
                judge=name,
                agreement=agreement_of(labels, labelled, judge=judge.name, source=source, seed=seed),
                protocol=LEAVE_ONE_MODEL_OUT if refit else AS_IT_STANDS,
                by_source={
                    one: _of_source(one, labels, labelled, judge.name, seed) for one in sources if len(sources) > 1
                },
            )
        )
    return found


def held_out_labels(labelled: Sequence[Labelled]) -> list[Label | None]:
    """Labels by classifiers that were each fitted without completions of the model that they judge.

    The stances of sentences are those of the shipped classifier, which saw no labelled completion. Sentence embeddings
    are kept in the user's cache, so a second call takes a fraction of the time.
    """
    from counterpoise.lm.embedded import cache_folder
    from counterpoise.lm.embedding import open_embedder
    from counterpoise.safety.judges.classifier.cached import CachedEmbedder
    from counterpoise.safety.judges.classifier.fitting import Material, fitted_without
    from counterpoise.safety.judges.classifier.judge import EMBEDDER
    from counterpoise.safety.judges.classifier.weights import shipped_weights

    embedder = CachedEmbedder(open_embedder(EMBEDDER), cache_folder() / "embeddings")
    material = Material(labelled, embedder, shipped_weights().stances)
    best = fitted_without(material).argmax(axis=1)
    return [None if unreadable(item.completion) else LABELS[place] for item, place in zip(labelled, best, strict=True)]


def read_labels(file: Path) -> list[Labelled]:
    """Labelled completions from a CSV file.

    It has the columns ``prompt``, ``completion`` and ``final_label``, with labels as XSTest writes them
    (``1_full_compliance``, ``2_full_refusal``, ``3_partial_refusal``) or without the number; an optional column
    ``model`` tells models apart. Other columns are not looked at.

    Raises:
        DataError: the file cannot be read, is not UTF-8, lacks a column, has no rows, or a row has no such label.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("file is not UTF-8 text", where=str(file), fix="re-encode it as UTF-8") from error
    except OSError as error:
        raise DataError(f"cannot read the labels: {error.strerror or error}", where=str(file)) from error
    labelled = []
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"no column {missing[0]!r}", where=str(file), expected="the columns " + ", ".join(_COLUMNS))
        for number, row in enumerate(reader, start=1):
            label = _LABELS.get((row["final_label"] or "").strip())
            if label is None or row["prompt"] is None or row["completion"] is None:
                fault = "too few cells" if row["final_label"] is None else f"label {row['final_label']!r}"
                raise DataError(
                    fault,
                    where=f"{file} row {number}",
                    expected="a prompt, a completion, and one of the labels " + ", ".join(LABELS),
                )
            labelled.append(Labelled(row["prompt"], row["completion"], label, row.get("model") or file.stem))
    except csv.Error as error:
        raise DataError(f"not a CSV file: {error}", where=str(file)) from error
    if not labelled:
        raise DataError("no labelled completions", where=str(file), expected="at least one row")
    return labelled


def _of_source(
    source: str, labels: Sequence[Label | None], labelled: Sequence[Labelled], judge: str, seed: int
) -> Agreement:
    chosen = [place for place, item in enumerate(labelled) if item.source == source]
    return agreement_of(
        [labels[place] for place in chosen],
        [labelled[place] for place in chosen],
        judge=judge,
        source=source,
        seed=seed,
    )
