from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from counterpoise.records import Manifest, canonical_json

MODEL = {"name": "embedded/fake", "revision": "0123456789abcdef"}
CONFIG = {
    "objective": "max",
    "rounds": 2,
    "beam": 1,
    "seed": 0,
    "min_helpfulness": 0.75,
    "style": "extend",
    "prompt_version": "v1",
    "reviser": MODEL,
    "target": {"name": "target", "revision": ""},
    "judge": {"name": "judge", "revision": "2"},
}


def make_row(
    identity: str = "a",
    *,
    revised: str | None = "So. Ask before you share.",
    before: float | None = 10.0,
    after: float | None = 30.0,
    **columns: Any,
) -> dict[str, Any]:
    """A row as ``curate`` writes it; without a revision there is no lineage either."""
    row = {
        "run": "curate-1",
        "kind": "curate",
        "model": MODEL["name"],
        "status": "ok" if revised is not None else "parse_failed",
        "reason": None if revised is not None else "no candidate passed: 4 keyword",
        "score": 0.9 if revised is not None else 0.0,
        "tokens": {"input": 20, "output": 10},
        "seconds": 0.0,
        "text_id": identity,
        "question": f"Why {identity}?",
        "question_generated": False,
        "original": "So.",
        "revised": revised,
        "revised_question": None,
        "keywords": ["privacy"] if revised is not None else [],
        "objective": "max",
        "perplexity_before": before,
        "perplexity_after": after if revised is not None else None,
        "helpfulness": 0.9 if revised is not None else None,
        "criteria": {"relevance": 0.8, "clarity": 1.0} if revised is not None else None,
        "rounds": [
            {
                "round": 1,
                "perplexity": after,
                "helpfulness": 0.9,
                "candidates": 5,
                "judged": 2,
                "rejected": {"keyword": 3, "length": 1},
            }
        ],
        "lineage": None,
    }
    if revised is not None:
        ancestor = {
            "id": f"{identity}/1",
            "parent": identity,
            "round": 1,
            "question": row["question"],
            "text": revised,
            "keywords": ["privacy"],
            "temperature": 0.8,
            "top_p": 1.0,
            "seed": 2**63 - 1,
            "perplexity": after,
            "helpfulness": 0.9,
        }
        row["lineage"] = {
            **{key: ancestor[key] for key in ("id", "parent", "round", "keywords", "temperature", "top_p", "seed")},
            "source": identity,
            "objective": "max",
            "style": "extend",
            "prompt_version": "v1",
            "reviser": MODEL,
            "target": {"name": "target", "revision": ""},
            "judge": "judge",
            "perplexity_before": before,
            "perplexity_after": after,
            "helpfulness": 0.9,
            "gloss_copied": False,
            "ancestors": [ancestor],
        }
    return row | columns


def make_manifest(**settings: Any) -> Manifest:
    return Manifest(
        **{"run": "curate-1", "kind": "curate", "config": CONFIG, "started": "now", "state": "complete"} | settings
    )


@pytest.fixture
def row() -> Callable[..., dict[str, Any]]:
    return make_row


@pytest.fixture
def manifest() -> Callable[..., Manifest]:
    return make_manifest


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a finished run folder with the rows that are given."""

    def write(rows: Sequence[dict[str, Any]], **settings: Any) -> Path:
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        (folder / "manifest.json").write_text(make_manifest(**settings).model_dump_json(), encoding="utf-8")
        (folder / "rows.jsonl").write_text("".join(canonical_json(row) + "\n" for row in rows), encoding="utf-8")
        return folder

    return write
