import gc
import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import DynamicCache

from counterpoise.lm.engine.slots import SlotCache

SLOTS = 4


def filled(lengths, first):
    """A prefilled cache of one layer, right-aligned; the key of a row's token t is 100 * row number + t."""
    width = max(lengths)
    keys = torch.full((len(lengths), 1, width, 1), -1.0)
    for row, length in enumerate(lengths):
        keys[row, 0, width - length :, 0] = 100.0 * (first + row) + torch.arange(length)
    cache = DynamicCache()
    cache.update(keys, keys.clone(), 0)
    return cache, [[(width - length, width)] for length in lengths]


@given(st.lists(st.one_of(st.integers(1, 60), st.just("step"), st.integers(-4, -1)), max_size=60))
@settings(deadline=None, max_examples=80)
def test_every_row_keeps_its_tokens_in_order(actions):
    """Rows of random length join (positive), leave (negative) and grow; a plain list says what must be there."""
    cache = SlotCache(filled([1], 0)[0], SLOTS)
    expected, born = [], 0
    for action in actions:
        if action == "step":
            if not expected:
                continue
            cache.prepare()
            mask = cache.attention_mask(torch.device("cpu"))
            new = torch.tensor([row[-1] + 1 for row in expected]).view(-1, 1, 1, 1)
            keys, values = cache.update(new, new.clone(), 0)
            cache.advance()
            for number, row in enumerate(expected):
                row.append(row[-1] + 1)
                for tensor in (keys, values):
                    assert tensor[number, 0, mask[number].bool(), 0].tolist() == row
            assert torch.isfinite(keys).all()
        elif action > 0 and len(expected) < SLOTS:
            source, pieces = filled([action], born)
            cache.add(source, [0], pieces)
            expected.append([100.0 * born + token for token in range(action)])
            born += 1
        elif action < 0 and len(expected) >= -action:
            number = -action - 1
            cache.remove(number)
            last = expected.pop()
            if number < len(expected):
                expected[number] = last
        assert cache.lengths == [len(row) for row in expected]


def test_pieces_are_joined_without_gaps():
    source, _ = filled([10, 10], 0)
    cache = SlotCache(source, SLOTS)
    cache.add(source, [1, 0], [[(0, 2), (8, 10)], [(5, 6)]])
    mask_of = lambda row: slice(cache.end - cache.lengths[row], cache.end)  # noqa: E731
    assert cache.layers[0].keys[0, 0, mask_of(0), 0].tolist() == [100, 101, 108, 109]
    assert cache.layers[0].keys[1, 0, mask_of(1), 0].tolist() == [5]


def test_memory_follows_the_live_rows():
    cache = SlotCache(filled([1], 0)[0], SLOTS)
    source, pieces = filled([500], 0)
    cache.add(source, [0], pieces)
    cache.remove(0)
    short, pieces = filled([5], 1)
    cache.add(short, [0], pieces)
    for _ in range(200):
        cache.prepare()
        cache.update(torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1, 1), 0)
        cache.advance()
    assert cache.layers[0].keys.shape[2] == pytest.approx(205, abs=60)


def test_buffers_are_freed_with_the_cache_without_a_garbage_collection():
    """A circle of references would keep hundreds of megabytes per call until the collector happens to run."""
    gc.collect()
    gc.disable()
    try:
        cache = SlotCache(filled([1], 0)[0], SLOTS)
        buffer = weakref.ref(cache.layers[0].keys)
        del cache
        assert buffer() is None
    finally:
        gc.enable()
