"""The embedded models do the whole job once, on texts of this project."""

import math
from pathlib import Path

import pytest

from counterpoise.curation.curate import CurateConfig, Text, curate
from counterpoise.curation.helpfulness import Helpfulness
from counterpoise.errors import UsageError
from counterpoise.lm.embedding import open_embedder
from counterpoise.lm.names import open_model
from counterpoise.records import read_jsonl

TEXTS = [
    Text(
        id="knife",
        question="Why does a kitchen knife need to be sharp?",
        answer="A sharp knife cuts with little pressure, so the cook keeps control of the blade.",
    ),
    Text(
        id="milk",
        question="Where would you keep fresh milk?",
        answer="Fresh milk belongs in the refrigerator, because the cold slows down the bacteria.",
    ),
]


@pytest.fixture
def one_thread():
    """On a machine that is busy with other work, threads that wait for each other cost more than they give."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_real_models_curate_and_repeat_themselves(tmp_path: Path) -> None:
    try:
        lm, judge = open_model("embedded/smollm2"), Helpfulness(open_embedder("embedded/minilm"))
    except UsageError as error:
        pytest.skip(f"needs the embedded models: {error}")
    config = CurateConfig(rounds=1, beam=1, temperatures=(0.2, 0.6), top_ps=(0.8,), max_tokens=32)
    first = curate(TEXTS, lm, lm, judge, config, tmp_path / "a")
    curate(TEXTS, lm, lm, judge, config, tmp_path / "b")
    assert (tmp_path / "a" / "curated.jsonl").read_bytes() == (tmp_path / "b" / "curated.jsonl").read_bytes()
    assert first.candidates == 4
    assert first.curated >= 1
    for row in read_jsonl(tmp_path / "a" / "rows.jsonl"):
        (scored,) = lm.logprobs([([{"role": "user", "content": row["question"]}], row["original"])])
        by_hand = math.exp(-sum(scored.logprobs) / len(scored.logprobs))
        # Another batch rounds otherwise in bfloat16.
        assert row["perplexity_before"] == pytest.approx(by_hand, rel=0.05)
        assert row["tokens"]["output"] > 0
