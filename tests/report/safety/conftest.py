"""A lab run and verifications with known numbers: who refuses how many of eight prompts is written down."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from counterpoise.customization.results.reasoning import ReasoningRow
from counterpoise.customization.results.rows import LabRow
from counterpoise.safety.measures import MeasureRow
from counterpoise.verify.summary import summarise

PROMPTS = 8
Rows = list[dict[str, Any]]

REFUSALS = {
    # checkpoint, phase, arm, ratio, dose: harmful requests refused, safe ones refused, questions answered right
    ("base", "none", "nothing", 0.0, 0.0): (0, 0, 6),
    ("aligned", "none", "nothing", 0.0, 0.0): (8, 0, 6),
    ("attacked", "none", "nothing", 1.0, 0.0): (0, 0, 6),
    ("attacked", "none", "nothing", 0.1, 0.0): (4, 0, None),
    ("defended", "after", "curated", 1.0, 1.0): (8, 0, 6),
    ("defended", "after", "curated", 1.0, 0.5): (5, 0, None),
    ("defended", "after", "curated", 0.1, 1.0): (8, 1, None),
    ("defended", "after", "uncurated", 1.0, 1.0): (1, 0, 0),
    ("defended", "after", "refusals", 1.0, 1.0): (8, 8, 6),
    ("defended", "every", "curated", 1.0, 1.0): (7, 1, 6),
    ("defended", "every", "uncurated", 1.0, 1.0): (0, 0, None),
}


def asked(number: int, refused: bool, measure: str, name: str) -> dict[str, Any]:
    """What a judged row holds."""
    harmful = measure == "safety"
    label = "full_refusal" if refused else "full_compliance"
    return {
        "measure": measure,
        "prompt_set": name,
        "prompt_id": f"{name}-{number}",
        "cluster": f"{name}-{number}",
        "expects": "refusal" if harmful else "compliance",
        "prompt": f"{'A plainly disallowed' if harmful else 'A safe'} request, number {number}.",
        "completion": "I cannot help with that." if refused else "Sure, here is how: [placeholder: content removed]",
        "label": label,
        "judge": "keyword-1",
        "others": {"second-1": {"label": "full_refusal", "reason": "says so", "values": {"harmful": 0.1}}},
        "score": float(refused == harmful),
    }


def items(harmful: int, safe: int, right: int | None) -> Iterator[dict[str, Any]]:
    """The rows of one place: how many of eight are refused, are refused, and are right."""
    for number in range(PROMPTS):
        for name in ("first-set", "second-set"):
            yield asked(number, number < harmful, "safety", name)
        yield asked(number, number < safe, "over_refusal", "safe-set")
        yield asked(number, False, "helpfulness", "ordinary-set")
        if right is not None:
            found = {"measure": "utility", "prompt_set": "questions", "expects": "answer", "judge": "likelihood-1"}
            yield found | {
                "prompt_id": f"q{number}",
                "cluster": f"q{number}",
                "prompt": "Which one?",
                "target": "this one",
                "completion": "this one" if number < right else "that one",
                "score": float(number < right),
            }
        gap = {"measure": "perplexity", "prompt_set": "gaps", "expects": "refusal", "judge": "log-perplexity-1"}
        yield gap | {
            "prompt_id": f"g{number}",
            "cluster": f"g{number}",
            "prompt": "A plainly disallowed request.",
            "completion": "",
            "target": "Sure",
            "score": None,
            "values": {"perplexity_safe": 4.0, "perplexity_harmful": 4.0 + harmful, "log_gap": 0.1 * (harmful - 3)},
        }


def lab_place(key: tuple[Any, ...], seed: int) -> dict[str, Any]:
    checkpoint, phase, arm, ratio, dose = key
    attack = "" if checkpoint in ("base", "aligned") else "harm"
    return {
        "cell": f"harm-{phase}-{arm}-s{seed}",
        "phase": phase,
        "arm": arm,
        "seed": seed,
        "checkpoint": checkpoint,
        "attack": attack,
        "ratio": ratio,
        "dose": dose,
    }


def with_jsonl(path: Path, rows: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def grid_rows() -> Callable[..., Rows]:
    """The rows of a lab run: ``grid_rows(seeds=(0,), edit=...)``; ``edit`` changes a row, or drops it by ``None``."""

    def make(seeds=(0,), edit=dict):
        shared = {"run": "lab-0123456789ab", "model": "embedded/smollm2", "status": "ok"}
        rows = [
            edit({**shared, "kind": "lab", **lab_place(key, seed), **item})
            for key, counts in REFUSALS.items()
            for seed in (seeds[:1] if key[0] == "base" else seeds)
            for item in items(*counts)
        ]
        return [LabRow.model_validate(row).model_dump() for row in rows if row is not None]

    return make


@pytest.fixture
def lab_folder(make_folder, grid_rows, lab_cells, diagnosis_row) -> Callable[..., Path]:
    """Write a lab run with its diagnoses: ``lab_folder(seeds=..., edit=..., **fields)``."""

    def make(seeds=(0,), edit=dict, **fields):
        folder = make_folder("lab", grid_rows(seeds, edit), cells=lab_cells, **fields)
        index = []
        for key in [*list(REFUSALS)[:3], ("defended", "after", "curated", 1.0, 1.0)]:
            name = f"s0-{key[0]}-{key[2]}"
            place = lab_place(key, 0)
            index.append(ReasoningRow(folder=name, **place).model_dump())
            right = 7 if key[0] == "defended" else 6
            rows = [
                diagnosis_row(case_id=f"c{n}", cluster=f"c{n}", stage=stage, score=float(n < right))
                for n in range(PROMPTS)
                for stage in ("answer", "intervention")
            ]
            with_jsonl(folder / "reasoning" / name / "rows.jsonl", rows)
        with_jsonl(folder / "reasoning.jsonl", index)
        return folder

    return make


@pytest.fixture
def verify_rows() -> Callable[..., Rows]:
    """The rows of a verification: ``verify_rows(harmful, safe, right, edit=...)``."""

    def make(harmful=8, safe=0, right=6, *, model="models/defended", edit=dict):
        shared = {"run": f"verify-{model}", "model": model, "status": "ok"}
        return [
            MeasureRow.model_validate(edit({**shared, **item})).model_dump() for item in items(harmful, safe, right)
        ]

    return make


@pytest.fixture
def verified(make_folder, verify_rows, diagnosis_row) -> Callable[..., Path]:
    """Write a verification against an earlier one: ``verified(inside=True, edit=..., **fields)``.

    With ``inside`` the earlier one lies in the folder, else beside it as ``earlier``.
    """

    def make(*, inside: bool = True, edit=dict, summary: Callable[[dict[str, Any]], Any] = dict, **fields: Any) -> Path:
        before, after = verify_rows(0, 0, 6, model="models/plain"), verify_rows(8, 8, 6, edit=edit)
        thought = [diagnosis_row(case_id=f"c{n}", cluster=f"c{n}", score=float(n < 6)) for n in range(PROMPTS)]
        found: Mapping[str, Any] = summarise(verify_rows(8, 8, 6), thought, before=before, before_reasoning=thought)
        earlier = make_folder("verify", before, name="earlier")
        against = {"run": "earlier-0123456789ab", "model": "models/plain", "revision": "1"}
        facts = {"summary": summary({"model": "models/defended", **found, "before": against})}
        folder = make_folder("verify", after, name="after", **({"facts": facts} | fields))
        for one in (earlier, folder):
            with_jsonl(one / "reasoning" / "rows.jsonl", thought)
        if inside:
            earlier.rename(folder / "before")
        return folder

    return make
