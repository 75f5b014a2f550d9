import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoise.lm.engine import sampling
from counterpoise.lm.engine.sampling import choose_tokens


def reference(logits, temperature, top_p, uniform):
    """Sorted, cut and drawn with plain Python numbers."""
    if temperature == 0:
        return max(range(len(logits)), key=lambda token: (logits[token], -token))
    order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    top = logits[order[0]]
    weights = [2.718281828459045 ** ((logits[token] - top) / temperature) for token in order]
    masses = [weight / sum(weights) for weight in weights]
    kept, total = [], 0.0
    for token, mass in zip(order, masses, strict=True):
        if total >= top_p and kept:
            break
        kept.append((token, mass))
        total += mass
    target, seen = uniform * total, 0.0
    for token, mass in kept:
        seen += mass
        if target < seen:
            return token
    return kept[-1][0]


@given(
    st.lists(st.integers(-8, 8), min_size=2, max_size=40, unique=True),
    st.sampled_from([0.0, 0.3, 1.0, 2.0]),
    st.sampled_from([0.1, 0.5, 0.95, 1.0]),
    st.floats(0, 0.999),
    st.sampled_from([1, 3, 100]),
)
@settings(deadline=None, max_examples=200)
def test_equals_the_plain_computation_with_any_prefilter(logits, temperature, top_p, uniform, prefilter):
    before, sampling.PREFILTER = sampling.PREFILTER, prefilter
    try:
        (token,) = choose_tokens(torch.tensor([[float(x) for x in logits]]), [temperature], [top_p], [uniform])
    finally:
        sampling.PREFILTER = before
    assert token == reference([float(x) for x in logits], temperature, top_p, uniform)


def test_frequencies_follow_the_distribution():
    logits = torch.tensor([0.0, 1.0, 2.0]).repeat(3000, 1)
    uniforms = [index / 3000 for index in range(3000)]
    tokens = choose_tokens(logits, [1.0] * 3000, [1.0] * 3000, uniforms)
    shares = torch.bincount(torch.tensor(tokens)) / 3000
    assert shares.tolist() == pytest.approx(logits[0].softmax(-1).tolist(), abs=2e-3)


def test_forbidden_tokens_are_never_taken():
    logits = torch.full((1, 200), float("-inf"))
    logits[0, 150] = -30.0
    for temperature in (0.0, 1e-6, 1.0, 100.0):
        assert choose_tokens(logits, [temperature], [1.0], [0.999999]) == [150]


def test_rows_are_independent_of_their_neighbours():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(16, 300, generator=generator) * 3
    temperatures = [index % 4 * 0.5 for index in range(16)]
    top_ps = [(0.2, 0.9, 1.0)[index % 3] for index in range(16)]
    uniforms = [index / 17 for index in range(16)]
    together = choose_tokens(logits, temperatures, top_ps, uniforms)
    for row in range(16):
        alone = choose_tokens(
            logits[row : row + 1], temperatures[row : row + 1], top_ps[row : row + 1], [uniforms[row]]
        )
        assert alone == [together[row]]


def test_bfloat16_takes_the_first_of_equal_logits():
    assert choose_tokens(torch.tensor([[1.0, 3.0, 3.0]]).bfloat16(), [0.0], [1.0], [0.0]) == [1]
