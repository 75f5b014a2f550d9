import numpy as np
import pytest

from counterpoise.errors import UnknownNameError, UsageError
from counterpoise.lm import embedded
from counterpoise.lm.embedding import Embedder, MiniLM, open_embedder


@pytest.fixture(scope="module")
def minilm():
    return open_embedder("embedded/minilm")


def test_vectors_are_unit_length_and_in_order(minilm):
    texts = ["a cat sleeps", "", "the price of oil " * 200, "a kitten naps", "oil prices"]
    vectors = minilm.embed(texts)
    assert isinstance(minilm, Embedder)
    assert vectors.shape == (5, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[3] > 0.5 > vectors[0] @ vectors[4]


def test_a_vector_does_not_depend_on_its_batch(minilm):
    texts = [f"sentence number {number} " * (1 + number % 7) for number in range(20)]
    alone = np.concatenate([minilm.embed([text]) for text in texts])
    np.testing.assert_allclose(MiniLM(batch_size=8).embed(texts), alone, atol=1e-5)


def test_the_published_pooling(minilm):
    """Mean of the last layer over all tokens, computed the plain way."""
    import torch

    encoded = minilm._tokenizer(["a cat sleeps"], return_tensors="pt")
    with torch.inference_mode():
        mean = minilm._model(**encoded).last_hidden_state[0].mean(0)
    np.testing.assert_allclose(minilm.embed(["a cat sleeps"])[0], (mean / mean.norm()).numpy(), atol=1e-5)


def test_no_texts_no_vectors(minilm):
    assert minilm.embed([]).shape == (0, 384)


def test_unknown_or_absent_embedder(monkeypatch):
    with pytest.raises(UnknownNameError, match="unknown embedder 'embedded/smollm2'; expected one of embedded/minilm"):
        open_embedder("embedded/smollm2")
    monkeypatch.setattr(embedded, "_find", lambda model: None)
    with pytest.raises(UsageError, match="run: counterpoise models pull"):
        open_embedder("embedded/minilm")
