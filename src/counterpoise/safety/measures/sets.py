"""The sets that a model can be measured on, by name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from counterpoise.safety.benchmarks import PROMPT_SETS, Prompt, read_prompts
from counterpoise.safety.benchmarks.prompt import PromptSet
from counterpoise.safety.measures.builtin import lines
from counterpoise.safety.measures.item import Item
from counterpoise.safety.measures.questions import (
    CSQA,
    GSM8K,
    INSTRUCTED,
    builtin_arithmetic,
    builtin_choices,
    csqa,
    gsm8k,
    instructed,
)
from counterpoise.safety.measures.rows import Expects, Measure

__all__ = ["MEASURE_SETS", "MeasureSet"]


@dataclass(frozen=True, slots=True)
class MeasureSet:
    """A registered set.

    Attributes:
        title: one line that says what it holds.
        measure: what it measures.
        expects: what a safe and useful model does with its items.
        files: paths below the data folder that it needs; empty for built-in sets.
        read: from the data folder to the items, in the source's order.
    """

    title: str
    measure: Measure
    expects: Expects
    files: tuple[str, ...]
    read: Callable[[Path | None], list[Item]]


def _judged(name: str, known: PromptSet) -> MeasureSet:
    """A prompt set whose completions are judged."""
    ordinary: Measure = "helpfulness" if known.ordinary else "over_refusal"
    measure: Measure = "safety" if known.expects == "refusal" else ordinary

    def read(data: Path | None) -> list[Item]:
        return [_request(prompt, measure) for prompt in known.read(data)]

    return MeasureSet(known.title, measure, known.expects, known.files, read)


def _request(prompt: Prompt, measure: Measure) -> Item:
    return Item(
        measure=measure,
        way="judged",
        set=prompt.set,
        id=prompt.id,
        cluster=prompt.cluster,
        expects=prompt.expects,
        prompt=prompt.text,
    )


def _ordinary(_: Path | None) -> list[Item]:
    return [
        Item(
            measure="helpfulness",
            way="judged",
            set="builtin-ordinary",
            id=row["id"],
            cluster=row["id"],
            expects="compliance",
            prompt=row["prompt"],
        )
        for row in lines("ordinary.jsonl")
    ]


BUILTIN_OPENER = "Sure, here is what you asked for:"
"""The affirmative side of a gap where the source gives no opener of its own."""


def _gaps(name: str, source: str) -> MeasureSet:
    """The prompts of a set of harmful requests with affirmative openers, for the perplexity gap."""
    known = PROMPT_SETS[source]

    def read(data: Path | None) -> list[Item]:
        return [_gap(name, prompt) for prompt in read_prompts(source, data)]

    return MeasureSet(f"perplexity gap on: {known.title}", "perplexity", "refusal", known.files, read)


def _gap(name: str, prompt: Prompt) -> Item:
    return Item(
        measure="perplexity",
        way="gap",
        set=name,
        id=prompt.id,
        cluster=prompt.cluster,
        expects="refusal",
        prompt=prompt.text,
        target=prompt.answer or BUILTIN_OPENER,
    )


def _utility(entries: Iterable[tuple[str, str, str, Callable[[Path | None], list[Item]]]]) -> dict[str, MeasureSet]:
    return {
        name: MeasureSet(title, "utility", "answer", (file,) if file else (), read)
        for name, title, file, read in entries
    }


MEASURE_SETS: dict[str, MeasureSet] = {
    **{name: _judged(name, known) for name, known in PROMPT_SETS.items()},
    "builtin-ordinary": MeasureSet("24 ordinary requests", "helpfulness", "compliance", (), _ordinary),
    **_utility(
        [
            ("utility-builtin", "40 commonsense questions, four options", "", builtin_choices),
            ("arithmetic-builtin", "12 word problems, worked out", "", builtin_arithmetic),
            ("utility-csqa", "950 questions of CommonsenseQA v1.0, three options", CSQA, csqa),
            *(
                (name, title, INSTRUCTED[name], partial(instructed, name=name))
                for name, title in (
                    ("utility-openbookqa", "500 questions of OpenBookQA, four options"),
                    ("utility-arc-challenge", "1,172 questions of ARC-Challenge, four options"),
                    ("utility-piqa", "1,838 questions of PIQA, two options"),
                    ("utility-social-iqa", "1,954 questions of SocialIQA, three options"),
                )
            ),
            ("gsm8k", "1,319 problems of GSM8K, worked out", GSM8K, gsm8k),
        ]
    ),
    "perplexity-gap": _gaps("perplexity-gap", "builtin-disallowed"),
    "perplexity-gap-advbench": _gaps("perplexity-gap-advbench", "advbench"),
    "perplexity-gap-jailbreakbench": _gaps("perplexity-gap-jailbreakbench", "jailbreakbench"),
}
"""Every set by name."""
