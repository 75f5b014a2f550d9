"""A dataset of your own is one file: this one makes 24 questions about a ferry, with gold by rule.

    counterpoise check-gold examples/ferry_dataset.py
    counterpoise diagnose --model embedded/smollm2 --dataset examples/ferry_dataset.py --out ferry

A dataset that reads a file names it in ``files`` and reads it from the folder that ``--data`` gives.
"""

from itertools import product
from pathlib import Path

from counterpoise.counterfactual.case import Case, Role, Variable
from counterpoise.counterfactual.datasets.dataset import Dataset, Reject


def ferry(wind: str, tide: str, boat: str) -> Case:
    """One question: had the wind been otherwise, would the ferry have sailed?"""
    other = "calm" if wind == "stormy" else "stormy"
    before, after = harbour(wind, tide), harbour(other, tide)
    return Case(
        id=f"ferry-{boat}-{wind}-{tide}",
        dataset="ferry",
        modality="text",
        context=(
            f"The harbour closes when the wind is stormy or the tide is low, and ferries sail only while it is open. "
            f"Today the wind was {wind} and the tide was {tide}. The {boat} ferry {said(before)}."
        ),
        question=f"What would the {boat} ferry have done if the wind had been {other}?",
        options=("It would have sailed.", "It would have stayed."),
        answer_kind="choice",
        variables=(
            Variable(name="wind", role=Role.EXPOSURE, factual=wind, counterfactual=other),
            Variable(name="tide", role=Role.COVARIATE, factual=tide, counterfactual=tide),
            Variable(name="harbour", role=Role.MEDIATOR, factual=before, counterfactual=after),
            Variable(name="ferry", role=Role.OUTCOME, factual=said(before), counterfactual=said(after)),
        ),
        edges=(("wind", "harbour"), ("tide", "harbour"), ("harbour", "ferry")),
        intervention={"wind": other},
        target="A" if after == "open" else "B",
        gold_kind="derived",
        source="this file",
        revision="1",
        # Questions about one wind and tide differ in the boat's name only: they are not independent.
        cluster=f"{wind}-{tide}",
        facets={"effect": "changed" if before != after else "same"},
    )


def harbour(wind: str, tide: str) -> str:
    """The rule that the context states."""
    return "closed" if wind == "stormy" or tide == "low" else "open"


def said(state: str) -> str:
    """What a ferry does."""
    return "sailed" if state == "open" else "stayed"


def read(data: Path | None) -> tuple[list[Case], list[Reject]]:
    """All cases; a dataset that reads a file would return what it cannot use as rejects."""
    boats = ("morning", "noon", "evening", "north", "south", "island")
    return [ferry(*one) for one in product(("calm", "stormy"), ("high", "low"), boats)], []


DATASET = Dataset(
    name="ferry",
    title="would the ferry have sailed",
    modality="text",
    gold_kind="derived",
    source="this file",
    revision="1",
    licence="Apache-2.0",
    roles={
        Role.EXPOSURE: "the wind",
        Role.COVARIATE: "the tide",
        Role.MEDIATOR: "whether the harbour is open",
        Role.OUTCOME: "what the ferry does",
    },
    gold="By the rule that the context states.",
    read=read,
)
