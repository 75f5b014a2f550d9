import json
from dataclasses import replace
from pathlib import Path

import pytest

from counterpoise.curation.curate import CurateConfig, Text, curate
from counterpoise.curation.estimate import estimate
from counterpoise.curation.helpfulness import ModelJudge
from counterpoise.errors import DataError
from counterpoise.lm.fake import FakeLM

TEXTS = [
    Text(id=f"t{number}", question=f"What is {topic} good for?", answer=f"People use {topic} for many a task at home.")
    for number, topic in enumerate("ice milk bread glass wool".split())
]
CONFIG = CurateConfig(temperatures=(0.2, 0.8), top_ps=(0.5, 0.9), rounds=3, beam=2, max_tokens=40, min_helpfulness=0.6)


def test_bounds_hold_for_the_run_itself(tmp_path: Path, reviser, judge, seeds) -> None:
    texts = [*TEXTS, replace(TEXTS[0], id="bad", problem="repeats the text")]
    found = estimate(texts, reviser, reviser, judge, CONFIG, seeds=seeds, probe=True)
    run = curate(texts, reviser, reviser, judge, CONFIG, tmp_path, seeds=seeds)
    assert (found.texts, found.usable) == (6, 5)
    assert found.least_candidates == 5 * 4 <= run.candidates <= found.candidates == 5 * (4 + 8 + 8)
    per_candidate = run.tokens.output / run.candidates
    assert found.output_tokens == pytest.approx(per_candidate * found.candidates, rel=0.3)
    assert found.seconds is not None
    assert found.seconds >= 0
    assert found.cost is None
    assert found.judge_tokens == 0
    assert found.basis == "2 text(s) curated here and now"


def test_nothing_is_asked_without_a_probe(reviser, judge, seeds) -> None:
    silent = FakeLM(lambda *_: pytest.fail("asked"), name="openai/some")
    found = estimate(TEXTS, silent, silent, judge, CONFIG, seeds=seeds, probe=False, prices=(1.0, 10.0))
    assert not silent.requests
    assert found.seconds is None
    assert found.output_tokens == found.candidates * 40
    assert found.cost == pytest.approx((found.input_tokens + found.output_tokens * 10) / 1e6, abs=1e-4)
    # A prompt of the rewriting style has more than a thousand characters.
    assert 250 < found.input_tokens / found.candidates < 900


def test_a_judge_that_costs_tokens_is_counted(reviser, seeds) -> None:
    judge = ModelJudge(FakeLM(lambda *_: json.dumps({})))
    found = estimate(TEXTS, reviser, reviser, judge, CONFIG, seeds=seeds, probe=False)
    assert found.judge_tokens > 5 * 3 * 2 * 100


def test_nothing_to_curate(reviser, judge, seeds) -> None:
    with pytest.raises(DataError, match="no text can be curated"):
        estimate([replace(TEXTS[0], problem="empty")], reviser, reviser, judge, CONFIG, seeds=seeds, probe=False)
