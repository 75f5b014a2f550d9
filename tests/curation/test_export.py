import json
from pathlib import Path

from counterpoise.curation.export import dataset_card, export, moved
from counterpoise.records import Manifest

CONFIG = {
    "objective": "max",
    "rounds": 2,
    "beam": 1,
    "seed": 0,
    "min_helpfulness": 0.75,
    "style": "extend",
    "prompt_version": "v1",
    "reviser": {"name": "<b>reviser</b>", "revision": "1"},
    "target": {"name": "target", "revision": ""},
    "judge": {"name": "judge", "revision": "2"},
}


def row(revised: str | None, before: float | None, after: float | None, reason: str | None = None) -> dict[str, object]:
    return {
        "question": "Why\u2028so?",
        "original": "So.",
        "revised": revised,
        "reason": reason,
        "keywords": ["privacy"],
        "perplexity_before": before,
        "perplexity_after": after,
        "helpfulness": 0.9,
        "lineage": {"source": "a", "round": 1} if revised else None,
    }


ROWS = [
    row("So. <script>alert(1)</script>", 10.0, 30.0),
    row("So it is.", 20.0, 15.0),
    row("So be it.", None, 15.0),
    row(None, 5.0, None, "no candidate passed: 4 keyword"),
    row(None, 5.0, None, "no candidate passed: 3 length"),
]


def manifest() -> Manifest:
    return Manifest(run="curate-1", kind="curate", config=CONFIG, started="now", warnings=["<i>careful</i>"])


def test_sets_hold_what_has_a_revision(tmp_path: Path) -> None:
    export(tmp_path, ROWS, manifest())
    lines = [json.loads(line) for line in (tmp_path / "curated.jsonl").read_text().split("\n")[:-1]]
    assert [line["messages"][1]["content"] for line in lines] == [row["revised"] for row in ROWS[:3]]
    assert lines[0]["messages"][0] == {"role": "user", "content": "Why\u2028so?"}
    assert lines[0]["lineage"] == {"source": "a", "round": 1}
    pairs = [json.loads(line) for line in (tmp_path / "curated.prompt_completion.jsonl").read_text().split("\n")[:-1]]
    assert pairs[1] == {"prompt": "Why\u2028so?", "completion": "So it is."}
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    export(tmp_path, ROWS, manifest())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_card_counts_everything_and_carries_no_markup_of_others() -> None:
    card = dataset_card(ROWS, manifest())
    assert "3 of 5 question–answer texts" in card
    assert "| median perplexity before → after | 15 → 15 |" in card
    assert "| perplexity raised | 1 of 3 |" in card
    assert "- 2: no candidate passed" in card
    assert "- i careful /i" in card
    assert "<b>" not in card
    assert "script" not in card


def test_card_of_nothing() -> None:
    card = dataset_card(ROWS[3:], manifest())
    assert "0 of 2" in card
    assert "| median perplexity before → after | n/a → n/a |" in card


def test_moved_follows_the_objective() -> None:
    assert [moved(ROWS[:3], objective) for objective in ("max", "min", "random")] == [1, 1, 1]
    assert moved([row("x", 1.0, 1.0)], "max") == 0


def test_the_snippet_of_the_card_is_valid_python() -> None:
    card = dataset_card(ROWS, manifest())
    compile(card.split("```python\n")[1].split("```")[0], "card", "exec")
