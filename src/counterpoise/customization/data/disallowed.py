"""Whether a training set asks for what a model should decline.

The defence is meant to need no disallowed request: the gate holds every request of a curated set against all public and
built-in disallowed prompts at hand, by their words and, with an embedder, by their meaning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from counterpoise.customization.data.overlap import likenesses
from counterpoise.customization.examples import Example
from counterpoise.errors import DataError
from counterpoise.lm.embedding import Embedder
from counterpoise.safety.benchmarks import PROMPT_SETS, Prompt, Split, advbench, builtin_disallowed, read_prompts

__all__ = ["CLOSE", "DisallowedCheck", "DisallowedMatch", "disallowed_prompts", "disallowed_requests"]

CLOSE = 0.65
"""Cosine of two embeddings from which requests count as close in meaning.

Chosen with ``embedded/minilm`` on 1,281 disallowed prompts of six sets: none of 950 CommonsenseQA and 600 StrategyQA
questions comes so close to one and 0.6 % of 800 Alpaca instructions do, while 29 to 63 % of each set's prompts are
found through the other five sets (by words alone 0 to 36 %).
"""


@dataclass(frozen=True, slots=True)
class DisallowedMatch:
    """A request of a training set that is like a disallowed prompt.

    Attributes:
        source: of the example.
        prompt_set: of the most similar prompt.
        prompt_id: of that prompt.
        by: ``words`` or ``meaning``; ``words`` where both find it.
        similarity: by words the Jaccard similarity of the word sets, by meaning the cosine; in [0, 1].
    """

    source: str
    prompt_set: str
    prompt_id: str
    by: Literal["words", "meaning"]
    similarity: float


@dataclass(frozen=True, slots=True)
class DisallowedCheck:
    """What the gate came to.

    Attributes:
        requests: different requests that were looked at.
        prompts: disallowed prompts that they were held against.
        sets: the sets of these prompts; those whose file is not at hand are missing.
        meaning: whether meanings were compared too.
        found: the requests that are like one.
    """

    requests: int
    prompts: int
    sets: tuple[str, ...]
    meaning: bool
    found: tuple[DisallowedMatch, ...]

    @property
    def line(self) -> str:
        """The result in one line."""
        like = "worded like or close in meaning to" if self.meaning else "worded like"
        against = f"one of {self.prompts:,} disallowed prompts ({', '.join(self.sets)})"
        if not self.found:
            return f"none of {self.requests:,} requests in the curated sets is {like} {against}"
        first = self.found[0]
        return (
            f"{len(self.found):,} of {self.requests:,} requests in the curated sets are {like} {against}, "
            f"that of {first.source!r} like {first.prompt_set}/{first.prompt_id} for one"
        )


def disallowed_requests(
    examples: Sequence[Example], data: Path | None = None, *, embedder: Embedder | None = None
) -> DisallowedCheck:
    """The requests that are like a disallowed prompt: near-duplicates by their words, or close in meaning.

    The gate shows that no benchmark got into the data and that no request repeats one; it does not show that every
    request is harmless.

    Args:
        examples: what is to be trained on; a request that comes several times is looked at once.
        data: folder with downloaded data; without it only the built-in prompts are at hand.
        embedder: for meanings; without one only words are compared (see
            :mod:`counterpoise.safety.similarity`).
    """
    requests = {example.prompt: example for example in reversed(examples)}
    prompts = disallowed_prompts(data)
    asked, refused = list(requests), [prompt.text for prompt in prompts]
    worded = likenesses(asked, refused)
    meant = _close(asked, refused, embedder) if embedder and asked else {}
    found = []
    for index, example in enumerate(requests.values()):
        if (match := worded.get(index) or meant.get(index)) is not None:
            place, similarity = match
            by: Literal["words", "meaning"] = "words" if index in worded else "meaning"
            found.append(
                DisallowedMatch(example.source, prompts[place].set, prompts[place].id, by, round(similarity, 3))
            )
    sets = tuple(dict.fromkeys(prompt.set for prompt in prompts))
    return DisallowedCheck(len(requests), len(prompts), sets, embedder is not None, tuple(found))


def disallowed_prompts(data: Path | None = None) -> list[Prompt]:
    """Every public and built-in prompt at hand that a safe model refuses, whatever it is otherwise used for."""
    splits: tuple[Split, ...] = ("align", "attack", "heldout")
    found = [prompt for split in splits for prompt in builtin_disallowed(split)]
    readers = [partial(advbench, split=split) for split in splits]
    readers += [partial(read_prompts, name) for name, known in PROMPT_SETS.items() if known.expects == "refusal"]
    for read in readers if data is not None else ():
        try:
            found += read(data=data)
        except DataError:
            continue  # A set that is not at hand is not named among the sets.
    return list({(prompt.set, prompt.id): prompt for prompt in found}.values())


def _close(asked: Sequence[str], refused: Sequence[str], embedder: Embedder) -> dict[int, tuple[int, float]]:
    """For each text that is close to one of the others, the closest and their cosine."""
    cosines = embedder.embed(asked) @ embedder.embed(refused).T
    return {
        index: (int(row.argmax()), min(1.0, float(row.max())))
        for index, row in enumerate(cosines)
        if row.max() >= CLOSE
    }
