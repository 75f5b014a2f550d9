import builtins
import functools

import pytest

from counterpoise.errors import MissingExtraError, RunError
from counterpoise.lm import FakeLM, LanguageModel, Request
from counterpoise.scale import ScaledLM


def ask(text):
    return Request(messages=[{"role": "user", "content": text}], n=2, temperature=1.0, seed=3)


def broken():
    raise OSError("no weights here")


def test_without_ray_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without_ray(name, *rest):
        if name == "ray":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_ray)
    with pytest.raises(MissingExtraError, match=r"pip install 'counterpoise\[scale\]'"):
        ScaledLM(FakeLM, workers=1)


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match="workers and chunk must be at least 1; got 0 and 64"):
        ScaledLM(FakeLM, workers=0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray itself
def test_the_cluster_computes_what_one_process_computes():
    pytest.importorskip("ray", reason="needs the extra 'scale'")
    requests = [ask(f"words in question number {number}") for number in range(23)]
    pairs = [([{"role": "user", "content": "q"}], f"answer {number}") for number in range(7)]
    with ScaledLM(functools.partial(FakeLM, name="fake/spread"), workers=2, chunk=4) as spread:
        assert isinstance(spread, LanguageModel)
        assert (spread.name, spread.revision) == ("fake/spread", "1")
        assert spread.generate(requests) == FakeLM().generate(requests)
        assert spread.logprobs(pairs) == FakeLM().logprobs(pairs)
        assert spread.generate([]) == []
    with pytest.raises(RunError, match="could not open the model"):
        ScaledLM(broken, workers=1)
