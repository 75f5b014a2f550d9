import json
from collections import Counter
from pathlib import Path

import pytest

from counterpoise.curation.seeds import Provenance, Seed, builtin_seeds, load_seeds
from counterpoise.curation.seeds.seed import open_seeds, write_seeds
from counterpoise.errors import DataError, OutputError


def written(path: Path, *entries: object) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def test_builtin_set_is_large_and_categorised() -> None:
    seeds = builtin_seeds()
    assert len(seeds) >= 500
    assert len({seed.keyword.casefold() for seed in seeds}) == len(seeds)
    counts = Counter(seed.category for seed in seeds)
    assert len(counts) >= 5
    assert max(counts.values()) < len(seeds) / 2


def test_every_fault_of_a_file_is_named(tmp_path: Path) -> None:
    path = written(
        tmp_path / "seeds.jsonl",
        {"keyword": "privacy", "category": "a"},
        {"keyword": "Privacy ", "category": "b"},
        {"keyword": "consent"},
        {"keyword": "fire exit", "category": "c", "colour": "red"},
    )
    with pytest.raises(DataError) as caught:
        load_seeds(path)
    message = str(caught.value)
    assert "3 fault(s)" in message
    assert "entry 2: keyword 'Privacy' is already entry 1" in message
    assert "entry 3: category" in message
    assert "entry 4: colour" in message


def test_empty_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="seed set is empty"):
        load_seeds(written(tmp_path / "empty.jsonl"))
    with pytest.raises(DataError, match="cannot read file"):
        load_seeds(tmp_path / "missing.jsonl")


def test_provenance_is_optional_and_strict(tmp_path: Path) -> None:
    known = {"documents": ["a.md"], "count": 2, "relevance": 0.3}
    path = written(
        tmp_path / "seeds.jsonl",
        {"keyword": "privacy", "category": "a", "provenance": known},
        {"keyword": "consent", "category": "a", "provenance": {**known, "documents": []}},
        {"keyword": "fire exit", "category": "a", "provenance": {**known, "colour": "red"}},
    )
    with pytest.raises(
        DataError, match=r"2 fault\(s\): entry 2: provenance.documents: .*; entry 3: provenance.colour: "
    ):
        load_seeds(path)


def test_a_set_is_written_once_and_read_back(tmp_path: Path) -> None:
    found = Provenance(documents=("a.md",), count=2, relevance=0.3, variants=("private life",), gloss_source="a.md")
    seeds = (
        Seed(keyword="privacy", category="a", gloss="Being left alone.", provenance=found),
        Seed(keyword="consent", category="b"),
    )
    out = tmp_path / "seeds.jsonl"
    assert write_seeds(seeds, out)
    assert load_seeds(out) == open_seeds(str(out)) == seeds
    assert out.read_text().splitlines()[1] == '{"category":"b","gloss":"","keyword":"consent"}'
    assert not write_seeds(seeds, out)
    with pytest.raises(OutputError, match="exists and holds something else"):
        write_seeds(seeds[:1], out)
    assert load_seeds(out) == seeds
    assert [path.name for path in tmp_path.iterdir()] == ["seeds.jsonl"]


def test_where_a_set_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder; expected a file to write; for instance"):
        write_seeds(builtin_seeds(), tmp_path)
    with pytest.raises(OutputError, match=r"no folder .*nowhere; create it first"):
        write_seeds(builtin_seeds(), tmp_path / "nowhere" / "seeds.jsonl")


def test_the_builtin_set_has_a_name() -> None:
    assert open_seeds("builtin") == builtin_seeds()
