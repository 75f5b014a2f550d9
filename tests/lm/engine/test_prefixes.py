import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.lm.engine.prefill import Prefiller
from counterpoise.lm.engine.prefixes import REMEMBERED, SHORTEST, Prefixes, common_prefix

CONTEXT = tuple(range(100, 100 + 2 * SHORTEST))
LAYERS = []


@given(st.lists(st.integers(0, 2), max_size=12), st.lists(st.integers(0, 2), max_size=12))
def test_common_prefix_is_what_counting_gives(first, second):
    count = 0
    for left, right in zip(first, second, strict=False):
        if left != right:
            break
        count += 1
    assert common_prefix(first, second) == count


def prefixes(*prompts, bound=10_000):
    found = Prefixes(bound)
    for prompt in prompts:
        found.expect(prompt)
    return found


def test_a_beginning_that_two_prompts_have_is_worth_reading():
    one, other, stranger = (*CONTEXT, 1), (*CONTEXT, 2), (*range(500, 700),)
    found = prefixes(one, other, stranger)
    assert found.worth_reading([one, stranger]) == [CONTEXT]
    found.keep(CONTEXT, LAYERS)
    assert found.worth_reading([one, stranger]) == []
    assert found.known(one)[0] == len(CONTEXT)
    assert found.known(stranger) == (0, None)


def test_beginnings_of_beginnings_come_first():
    deep = (*CONTEXT, *range(2 * SHORTEST))
    prompts = [(*CONTEXT, 9_999), (*deep, 1), (*deep, 2)]
    found = prefixes(*prompts)
    assert found.worth_reading(prompts) == [CONTEXT]
    found.keep(CONTEXT, LAYERS)
    assert found.worth_reading(prompts) == [deep]


def test_short_or_lonely_beginnings_are_not():
    lonely, short = (*CONTEXT, 1), (*CONTEXT[: SHORTEST - 1], 5)
    assert prefixes(lonely, short).worth_reading([lonely, short]) == []


def test_the_last_token_of_a_prompt_is_always_read():
    longer = (*CONTEXT, 1)
    found = prefixes(CONTEXT, longer)
    assert found.worth_reading([CONTEXT]) == [CONTEXT[:-1]]


def test_the_bounds_hold():
    found = Prefixes(3 * SHORTEST)
    for number in range(10):
        found.keep((number, *range(SHORTEST)), LAYERS)
    assert sum(map(len, found._kept)) <= 3 * SHORTEST
    for number in range(REMEMBERED + 50):
        found.expect((number,))
    assert len(found._sorted) == len(found._seen) == REMEMBERED
    found.forget()
    assert found.known((9, *range(SHORTEST), 1)) == (0, None)


@pytest.fixture(scope="module")
def model(tiny_llama):
    from transformers import AutoModelForCausalLM

    folder = tiny_llama("{{ messages[0]['content'] }}", merges=False)
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def test_reading_with_and_without_memory_gives_the_same(model):
    generator = torch.Generator().manual_seed(0)

    def draw(n):
        return tuple(torch.randint(3, 250, (n,), generator=generator).tolist())

    contexts = [draw(120), draw(70)]
    middle = draw(80)
    prompts = [
        (*contexts[0], *draw(5)),
        (*contexts[0], *middle, *draw(3)),
        (*contexts[0], *middle, *draw(40)),
        (*contexts[1], *draw(9)),
        (*contexts[1], 7),
        draw(33),
        contexts[1],
    ]
    reads = 0
    forward = model.forward

    def counted(*args, **kwargs):
        nonlocal reads
        reads += kwargs["input_ids"].numel()
        return forward(*args, **kwargs)

    with torch.inference_mode():
        alone = [Prefiller(model, 0).read([prompt]) for prompt in prompts]
        prefiller = Prefiller(model, 0)
        model.forward = counted
        try:
            together = prefiller.read(prompts)
            first, reads = reads, 0
            # Later prompts of the same cases find what was read.
            later = prefiller.read([(*contexts[0], *middle, *draw(2))])
        finally:
            del model.forward
    for row, single in enumerate(alone):
        torch.testing.assert_close(together.logits[row], single.logits[0], atol=1e-4, rtol=1e-4)
        held = sum(stop - begin for begin, stop in together.pieces(row))
        assert held == len(prompts[row]) == int(together.mask[row].sum())
        for mine, theirs in zip(together.cache.layers, single.cache.layers, strict=True):
            spans = [mine.keys[row, :, begin:stop] for begin, stop in together.pieces(row)]
            torch.testing.assert_close(torch.cat(spans, dim=1), theirs.keys[0], atol=1e-4, rtol=1e-4)
    assert first < len(prompts) * max(map(len, prompts))
    assert (reads, later.known) == (2, (200,))


def test_more_beginnings_than_can_be_kept_are_still_read_right(model):
    prompts = [(*range(number, number + 60), tail) for number in range(3, 120, 20) for tail in (1, 2)]
    with torch.inference_mode():
        small = Prefiller(model, 0, kept_tokens=64).read(prompts)
        plain = [Prefiller(model, 0).read([prompt]).logits[0] for prompt in prompts]
    for row, logits in enumerate(plain):
        torch.testing.assert_close(small.logits[row], logits, atol=1e-4, rtol=1e-4)
