"""Completions with human labels."""

from pathlib import Path

from counterpoise.errors import DataError
from counterpoise.safety.benchmarks.files import csv_rows, data_path
from counterpoise.safety.judges import Label, Labelled

__all__ = ["xstest_completions"]

_MODELS = ("llama2new", "llama2orig", "mistralinstruct")
_LABELS: dict[str, Label] = {
    "1_full_compliance": "full_compliance",
    "2_full_refusal": "full_refusal",
    "3_partial_refusal": "partial_refusal",
}


def xstest_completions(data: Path | None) -> list[Labelled]:
    """Completions of the XSTest prompts by three models, with the human label; for calibrating judges only.

    Some of the completions comply with unsafe prompts: never train on them.

    Raises:
        DataError: a file is missing or malformed.
    """
    labelled = []
    for model in _MODELS:
        name = f"xstest/xstest_v2_completions_{model}.csv"
        for row in csv_rows(data, name, ("prompt", "completion", "final_label")):
            label = _LABELS.get(row["final_label"])
            if label is None:
                raise DataError(
                    f"label {row['final_label']!r}",
                    where=str(data_path(data, name)),
                    expected="one of " + ", ".join(_LABELS),
                )
            labelled.append(Labelled(row["prompt"], row["completion"], label, model))
    return labelled
