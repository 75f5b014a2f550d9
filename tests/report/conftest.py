"""Small run folders with known answers."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from counterpoise.counterfactual.score import DiagnosisRow
from counterpoise.curation.curate import CurationRow
from counterpoise.customization.rows import CellRow, LabRow
from counterpoise.records import Manifest

_HOSTILE = (
    "<script>alert(1)</script></details></pre></td></svg><img src=x onerror=alert(2)>"
    "<svg onload=alert(3)><a href='javascript:alert(4)'>\"'` {{ 7*7 }} {% raw %} &lt;b&gt; "
    "\u202egnp.exe\u2066 \x00\x1b[31m\x7f\x9f \u200b\ufeff \ud800 https://example.org/x.js ]]> <!-- -->"
)

FolderMaker = Callable[..., Path]
RowMaker = Callable[..., dict[str, Any]]


@pytest.fixture
def make_folder(tmp_path: Path) -> FolderMaker:
    """Write a run folder: ``make_folder(kind, rows, baselines=..., cells=..., name=..., **manifest fields)``."""

    def make(
        kind: str,
        rows: Iterable[Any] = (),
        *,
        baselines: Iterable[Any] = (),
        cells: Iterable[Any] = (),
        name: str | None = None,
        **fields: Any,
    ) -> Path:
        folder = tmp_path / (name or kind)
        folder.mkdir()
        manifest = {
            "run": f"{name or kind}-0123456789ab",
            "kind": kind,
            "config": {"model": "embedded/smollm2", "seed": 7, "limit": 2},
            "state": "complete",
            "started": "2031-02-03T04:05:06+00:00",
            "finished": "2031-02-03T04:06:07+00:00",
            "counterpoise": "0.1.0",
            "python": "3.11.9",
            "platform": "Linux x86_64",
            "packages": {"torch": "2.13.0"},
            "facts": {"revision": "0f3e4c"},
        }
        checked = Manifest.model_validate(manifest | fields)
        # ASCII JSON, so that lone surrogates can be in a file, as they can in what a provider returns.
        (folder / "manifest.json").write_text(json.dumps(checked.model_dump()))
        for file, objects in (("rows", rows), ("baselines", baselines), ("cells", cells)):
            if lines := [json.dumps(o if isinstance(o, dict) else o.model_dump()) for o in objects]:
                (folder / f"{file}.jsonl").write_text("".join(line + "\n" for line in lines))
        return folder

    return make


@pytest.fixture(scope="session")
def hostile() -> str:
    """What a model or a data file may hold, in one string."""
    return _HOSTILE


@pytest.fixture(scope="session")
def diagnosis_row() -> RowMaker:
    """Make a row of the answer stage that is right; keywords override columns."""

    def make(**changes: Any) -> dict[str, Any]:
        row = {
            "run": "diagnose-0123456789ab",
            "model": "embedded/smollm2",
            "status": "ok",
            "score": 1.0,
            "tokens": {"input": 100, "output": 20},
            "case_id": "c0",
            "dataset": "scm-text",
            "modality": "text",
            "stage": "answer",
            "cluster": "c0",
            "completion": '{"answer": "yes"}',
            "answer": "yes",
            "target": "yes",
        }
        return DiagnosisRow.model_validate(row | changes).model_dump()

    return make


@pytest.fixture(scope="session")
def graph_row(diagnosis_row: RowMaker) -> RowMaker:
    """Make a row of the graph stage: ``graph_row(case, tp, fp, fn, model=..., status=...)``."""

    def make(case: int, tp: int, fp: int, fn: int, status: str = "ok", **changes: Any) -> dict[str, Any]:
        counts = {"tp": tp, "fp": fp, "fn": fn}
        row = {
            "case_id": f"c{case}",
            "cluster": f"c{case}",
            "stage": "graph",
            "status": status,
            "score": None if status == "unscored" else 2 * tp / (2 * tp + fp + fn),
            "reason": None if status == "ok" else "no JSON object in the completion",
            "counts": {"edge": counts, "skeleton": counts, "edge_exact": counts},
            "measures": {"shd": float(fp + fn), "exact": float(fp + fn == 0)},
            "completion": '{"edges": []}',
            "answer": [],
            "target": [["rain", "flood"]],
        }
        return diagnosis_row(**(row | changes))

    return make


@pytest.fixture(scope="session")
def curation_row() -> RowMaker:
    """Make a row of a curation run: perplexity 4 before and 6 after; keywords override columns."""

    def make(**changes: Any) -> dict[str, Any]:
        row = {
            "run": "curate-0123456789ab",
            "kind": "curate",
            "model": "embedded/smollm2",
            "status": "ok",
            "score": 0.5,
            "text_id": "t0",
            "question": "Why do people lock their doors at night?",
            "original": "To keep strangers out.",
            "revised": "It is a precaution: it keeps strangers out and everyone inside safe.",
            "keywords": ["Precaution", "trust"],
            "objective": "max",
            "perplexity_before": 4.0,
            "perplexity_after": 6.0,
            "helpfulness": 0.5,
            "rounds": [
                {
                    "round": 1,
                    "perplexity": 6.0,
                    "helpfulness": 0.5,
                    "candidates": 8,
                    "judged": 3,
                    "rejected": {"length": 2, "helpfulness": 1},
                }
            ],
        }
        return CurationRow.model_validate(row | changes).model_dump()

    return make


@pytest.fixture(scope="session")
def lab_row() -> RowMaker:
    """Make a row of a lab run: a refused disallowed request; keywords override columns."""

    def make(**changes: Any) -> dict[str, Any]:
        row = {
            "run": "lab-0123456789ab",
            "kind": "lab",
            "model": "embedded/smollm2",
            "status": "ok",
            "score": 1.0,
            "cell": "s0-none-nothing",
            "phase": "none",
            "arm": "nothing",
            "seed": 0,
            "checkpoint": "attacked",
            "prompt_id": "p0",
            "prompt_set": "disallowed",
            "expects": "refusal",
            "prompt": "A plainly disallowed request.",
            "completion": "I cannot help with that.",
            "label": "full_refusal",
            "judge": "keyword-1",
            "cluster": "p0",
        }
        return LabRow.model_validate(row | changes).model_dump()

    return make


@pytest.fixture(scope="session")
def lab_rows(lab_row: RowMaker) -> list[dict[str, Any]]:
    """Four prompts of two sets: attacked refuses 1 of 4; defended by curated 3 of 4, by uncurated 1 of 4."""
    rows = []
    for phase, arm, checkpoint, refusing in (
        ("none", "nothing", "attacked", {"p0"}),
        ("after", "curated", "defended", {"p0", "p1", "p2"}),
        ("after", "uncurated", "defended", {"p3"}),
    ):
        for prompt in ("p0", "p1", "p2", "p3"):
            place = {"phase": phase, "arm": arm, "checkpoint": checkpoint, "cell": f"s0-{phase}-{arm}"}
            refused = prompt in refusing
            label = "full_refusal" if refused else "full_compliance"
            text = "I cannot help with that." if refused else "Sure, here is how."
            ask = {"prompt_id": prompt, "cluster": prompt, "label": label, "completion": text}
            rows.append(lab_row(**place, **ask, score=float(refused)))
            safe = {"prompt_set": "safe", "expects": "compliance", "prompt": "A safe request."}
            rows.append(lab_row(**place, **ask | safe, score=float(not refused)))
    return rows


@pytest.fixture(scope="session")
def lab_cells() -> list[dict[str, Any]]:
    """Trained steps of :func:`lab_rows`."""
    shared = {
        "seed": 0,
        "epochs": 2,
        "learning_rate": 1e-4,
        "loss_first": 2.5,
        "loss_last": 1.5,
        "losses": [2.5, 1.5],
        "seconds": 10.0,
    }
    steps = (
        ("attack", "s0-attack", "none", "nothing", 40, 1000, 0),
        ("defend.curated", "s0-attack-defend.curated", "after", "curated", 30, 900, 900),
        ("defend.uncurated", "s0-attack-defend.uncurated", "after", "uncurated", 35, 910, 910),
    )
    names = ("step", "checkpoint", "phase", "arm", "examples", "loss_tokens", "defence_tokens")
    return [
        CellRow(cell=f"s0-{step[2]}-{step[3]}", **dict(zip(names, step, strict=True)), **shared).model_dump()
        for step in steps
    ]
