import hashlib
import re
from collections.abc import Sequence

import numpy as np
import pytest

from counterpoise.curation.helpfulness import Helpfulness
from counterpoise.curation.seeds import Seed
from counterpoise.lm.fake import FakeLM
from counterpoise.lm.protocol import Request
from counterpoise.rng import rng_for


class BagOfWords:
    """Counts of hashed words, as unit vectors: texts that share words are close."""

    name = "fake/bag-of-words"
    revision = "1"

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.full((len(texts), 64), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, hashlib.sha256(word.encode()).digest()[0] % 64] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


FILLERS = "calm careful fair honest kind open patient quiet steady sound tidy warm wise".split()


def revise_sentence(request: Request, sample: int) -> str:
    """A sentence with the keyword asked for; now and then something that a gate must refuse."""
    found = re.search(r"Add one sentence about (.+?)\. ", request.messages[-1]["content"] + " ")
    assert found
    rng = rng_for(request.seed, "reply", sample)
    if rng.random() < 0.2:
        return rng.choice(["", "I cannot help with that.", "Sure, here is a sentence: it is fine.", "no end to it"])
    first, second, third = rng.sample(FILLERS, 3)
    return f"With {found[1]} people stay {first}, {second} and {third}."


@pytest.fixture
def embedder() -> BagOfWords:
    return BagOfWords()


@pytest.fixture
def judge(embedder: BagOfWords) -> Helpfulness:
    return Helpfulness(embedder)


@pytest.fixture
def reviser() -> FakeLM:
    return FakeLM(revise_sentence, name="embedded/fake")


@pytest.fixture
def seeds() -> tuple[Seed, ...]:
    keywords = (
        "privacy|informed consent|fire exit|child lock|data minimisation|safe storage|second opinion|hand washing"
    )
    return tuple(
        Seed(keyword=keyword, category="test", gloss=f"What {keyword} means.") for keyword in keywords.split("|")
    )
