import json
from collections import Counter
from pathlib import Path

import pytest

from counterpoise.curation.seeds import Seed, builtin_seeds, load_seeds, sample
from counterpoise.errors import DataError
from counterpoise.rng import rng_for


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


def test_sample_has_no_repetition_and_reaches_every_seed(seeds: tuple[Seed, ...]) -> None:
    drawn = [sample(seeds, 3, rng_for(0, "test", index)) for index in range(200)]
    assert all(len(set(one)) == 3 for one in drawn)
    counts = Counter(seed for one in drawn for seed in one)
    assert set(counts) == set(seeds)
    # 600 draws over 8 seeds: 75 expected each; a seed that is favoured would show.
    assert all(40 < count < 110 for count in counts.values())


@pytest.mark.parametrize("count", [0, 9])
def test_sample_refuses_an_impossible_count(seeds: tuple[Seed, ...], count: int) -> None:
    with pytest.raises(ValueError, match=r"count must be in \[1, 8\]; got"):
        sample(seeds, count, rng_for(0))
