"""The procedures: from a way of asking to one completion, through as many calls as the way takes.

The model is an argument: a function that answers one request. Calls that do not depend on each other are made at once.
Sample ``i`` has a seed of its own that does not depend on ``k``, so five samples are the first five of ten.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template
from typing import Any

import anyio

from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.elicit import Elicitation, prompt_text, written
from counterpoise.counterfactual.elicit.vote import vote
from counterpoise.counterfactual.parse import parse
from counterpoise.counterfactual.parse.tolerant_json import read_values
from counterpoise.counterfactual.stages import Given, build_messages, max_tokens, names_given, render, schema
from counterpoise.lm.embedding import Embedder
from counterpoise.lm.protocol import Completion, Message, Request
from counterpoise.rng import seed_for

__all__ = ["Ask", "Attempt", "Branching", "attempt", "nearness"]

TEMPERATURE = 0.7
"""Of samples and thoughts."""
DEPTH = 2
"""Levels of thoughts of a tree."""
THOUGHT_CHARS = 320
_THOUGHT_TOKENS = 160
_RATING_TOKENS = 16
_RATINGS = [str(rating) for rating in range(1, 11)]

Ask = Callable[[Request], Awaitable[Completion]]
"""Answers one request with one completion; a failure is a completion with ``finish == "error"``."""
Similarity = Callable[[Sequence[str]], Sequence[float]]
"""From thoughts to how near each is to the others."""


def nearness(embedder: Embedder) -> Similarity:
    """Rates each thought by its mean cosine similarity to the other ones of its level, in [-1, 1]."""

    def rate(thoughts: Sequence[str]) -> list[float]:
        vectors = embedder.embed(thoughts)
        others = max(1, len(thoughts) - 1)
        return [float((row.sum() - 1) / others) for row in vectors @ vectors.T]

    return rate


@dataclass(frozen=True, slots=True)
class Branching:
    """How the branches of a tree are chosen.

    Attributes:
        similarity: rates the thoughts of one level by how near they are to each other; ``None``: the model rates them.
    """

    similarity: Similarity | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one stage of one case came to.

    Attributes:
        completion: the completion to be read, with the tokens of all calls.
        samples: the completions behind it, where there are several.
        points: for a vote, the completion that the first ``k`` samples give, for every ``k`` up to all of them.
    """

    completion: Completion
    samples: tuple[str, ...] = ()
    points: tuple[Completion, ...] = field(default=())


async def attempt(
    ask: Ask,
    case: Case,
    stage: Stage,
    way: Elicitation,
    *,
    given: Given,
    own: bool = False,
    k: int = 1,
    shots: Sequence[Case] = (),
    seed: int = 0,
    branching: Branching = Branching(),
    hints: str = "",
    focused: Sequence[bytes] = (),
    tools: tuple[str, ...] = (),
    data: Path | None = None,
) -> Attempt:
    """Ask a stage of a case in some way.

    Args:
        ask: the model.
        case: the case.
        stage: the stage.
        way: the elicitation.
        given: answers of earlier stages.
        own: whether the variables given are the model's own.
        k: samples of a vote, branches of a tree, at least 1.
        shots: solved cases for an elicitation that shows some.
        seed: of the samples.
        branching: how a tree chooses.
        hints: what a tool found in the case; empty for none.
        focused: pictures that a tool made of the case's.
        tools: what the model may call, by name.
        data: folder of the case's photographs.

    Returns:
        The attempt. Where every call fails, a completion with ``finish == "error"``.
    """
    messages = build_messages(
        case,
        stage,
        elicit=way.name,
        given=given,
        shots=shots[: way.shots],
        hints=hints,
        focused=focused,
        data=data,
    )
    request = Request(
        messages=messages,
        max_tokens=max_tokens(case, stage, elicit=way.name),
        schema=schema(case, stage, elicit=way.name, given=given),
        seed=seed,
        tools=tools,
    )
    if way.procedure == "once":
        return Attempt(await ask(request))
    if way.procedure == "vote":
        samples = await _all(ask, (_sampled(request, seed, index) for index in range(k)))
        names = names_given(given) if own else None
        points = tuple(_merged(case, stage, samples[: count + 1], names) for count in range(k))
        return Attempt(points[-1], tuple(sample.text for sample in samples), points)
    return await _tree(ask, request, seed, k, branching)


async def _all(ask: Ask, requests: Iterable[Request]) -> list[Completion]:
    """Ask at once; completions in the order of the requests."""
    pending = list(requests)
    found: dict[int, Completion] = {}

    async def one(index: int, request: Request) -> None:
        found[index] = await ask(request)

    async with anyio.create_task_group() as group:
        for index, request in enumerate(pending):
            group.start_soon(one, index, request)
    return [found[index] for index in range(len(pending))]


def _sampled(request: Request, seed: int, *where: int) -> Request:
    # Providers take 32-bit seeds.
    own = seed_for(seed, "sample", *where) & 0x7FFFFFFF
    return replace(request, temperature=TEMPERATURE, seed=own)


def _merged(case: Case, stage: Stage, samples: Sequence[Completion], names: Sequence[str] | None) -> Completion:
    """The vote of the samples that can be read, as a completion; without any, the last one that was written."""
    read = [parse(case, stage, sample.text, names=names) for sample in samples if sample.finish != "error"]
    answers = [parsed.answer for parsed in read if parsed.status == "ok"]
    if answers:
        return _total(samples, Completion(text=render(stage, vote(case, stage, answers))))
    written_ones = [sample for sample in samples if sample.finish != "error"]
    return _total(samples, (written_ones or list(samples))[-1])


async def _tree(ask: Ask, request: Request, seed: int, k: int, branching: Branching) -> Attempt:
    """Breadth-first search with one thought kept a level (Yao et al., 2023, with b = 1), then the answer."""
    calls: list[Completion] = []
    path: list[str] = []
    notes: list[str] = []
    for level in range(DEPTH):
        asked = _form(_extended(request, path, "tot_thought"), {"thought": written(THOUGHT_CHARS)}, _THOUGHT_TOKENS)
        thoughts = await _all(ask, (_sampled(asked, seed, level, branch) for branch in range(k)))
        calls += thoughts
        texts = list(dict.fromkeys(text for thought in thoughts if (text := _field(thought.text, "thought"))))
        if not texts:
            break
        ratings = [0.0] * len(texts)
        if len(texts) > 1 and branching.similarity is not None:
            ratings = list(branching.similarity(texts))
        elif len(texts) > 1:
            rated = [_form(_extended(request, [*path, text], "tot_rating"), _RATING, _RATING_TOKENS) for text in texts]
            answers = await _all(ask, rated)
            calls += answers
            ratings = [_rating(answer.text) for answer in answers]
        best = max(range(len(texts)), key=lambda index: ratings[index])
        notes += [f"level {level + 1}, rating {r:.3g}: {text}" for text, r in zip(texts, ratings, strict=True)]
        path.append(texts[best])
    last = await ask(_extended(request, path, "tot_answer") if path else request)
    return Attempt(_total([*calls, last], last), tuple(notes))


_RATING = {"rating": {"type": "string", "enum": _RATINGS}}


def _extended(request: Request, path: Sequence[str], prompt: str) -> Request:
    """The request with the thoughts so far and another instruction behind its prompt."""
    parts = [request.messages[-1]["content"]]
    if path:
        thoughts = "\n".join(f"- {thought}" for thought in path)
        parts.append(Template(prompt_text("tot_so_far")).substitute(thoughts=thoughts))
    parts.append(prompt_text(prompt))
    last: Message = {**request.messages[-1], "content": "\n\n".join(parts)}
    return replace(request, messages=[*request.messages[:-1], last])


def _form(request: Request, properties: Mapping[str, Any], tokens: int) -> Request:
    """The request for another form of answer."""
    form = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return replace(request, schema=form, max_tokens=tokens)


def _field(text: str, name: str) -> str:
    """The text behind a key of the first object; of a reply that holds none, the reply itself; in one line, bounded."""
    found = [value[name] for value, _ in read_values(text) if isinstance(value, dict) and value.get(name)]
    said = found[0] if found and isinstance(found[0], str) else "" if found else text
    return " ".join(said.split())[:THOUGHT_CHARS]


def _rating(text: str) -> float:
    """From 0.1 to 1; 0 for a reply that holds no rating."""
    said = _field(text, "rating")
    return int(said) / 10 if said in _RATINGS else 0.0


def _total(calls: Sequence[Completion], last: Completion) -> Completion:
    """A completion with the tokens and seconds of all calls."""
    return replace(
        last,
        input_tokens=sum(call.input_tokens for call in calls),
        output_tokens=sum(call.output_tokens for call in calls),
        seconds=sum(call.seconds for call in calls),
    )
