"""How much work a plan is: cells, checkpoints, tokens and disk, counted before anything is trained."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import networkx as nx

from counterpoise.customization.data.mixture import CountTokens
from counterpoise.customization.data.step_data import StepData
from counterpoise.customization.examples import Example
from counterpoise.customization.finetune import Recipe
from counterpoise.customization.lab.visits import Visit
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.grid import BASE, Graph, chain_names, training_order
from counterpoise.safety.measures import Items

__all__ = ["Measuring", "Training", "all_tokens", "disk", "disk_text", "measuring", "training"]


@dataclass(frozen=True, slots=True)
class Training:
    """One step that is to be trained.

    Attributes:
        checkpoint: its name.
        step: the step as it writes itself.
        examples: number of training examples.
        loss_tokens: tokens that carry loss, per epoch.
        defence_tokens: those of them that are the arm's data.
        tokens: tokens in all, per epoch; 0 where they were not counted.
        longest: tokens of the longest example; 0 where they were not counted.
        epochs: passes over the examples.
    """

    checkpoint: str
    step: str
    examples: int
    loss_tokens: int
    defence_tokens: int
    tokens: int
    longest: int
    epochs: int


@dataclass(frozen=True, slots=True)
class Measuring:
    """What is asked at all checkpoints together.

    Attributes:
        items: number of items by measure.
        prompt_tokens: tokens of their prompts, without what a chat template adds.
        completion_tokens: upper bound of the tokens that are written.
        visits: checkpoints that are opened.
        diagnoses: checkpoints that are put through the slice of the diagnosis.
    """

    items: dict[str, int]
    prompt_tokens: int
    completion_tokens: int
    visits: int
    diagnoses: int


def training(
    plan: Plan, graph: Graph, data: StepData, *, done: Collection[str] = (), lengths: CountTokens | None = None
) -> list[Training]:
    """Every step that is left to train, in order.

    Args:
        plan: the plan.
        graph: its checkpoints.
        data: what its steps train on.
        done: checkpoints that are trained already.
        lengths: tokens in all of examples; ``None`` where they cannot be counted.

    Raises:
        DataError: a step has nothing to draw from.
    """
    found = []
    for name in training_order(graph):
        if name == BASE or name in done:
            continue
        step, seed = graph.nodes[name]["path"][-1], graph.nodes[name]["seed"]
        examples, defence = data.of(step, seed)
        tokens = lengths(examples) if lengths else []
        found.append(
            Training(
                checkpoint=name,
                step=str(step),
                examples=len(examples),
                loss_tokens=sum(data.count(examples)),
                defence_tokens=sum(data.count(defence)),
                tokens=sum(tokens),
                longest=max(tokens, default=0),
                epochs=plan.recipe_of(step).epochs,
            )
        )
    return found


def measuring(plan: Plan, visits: Sequence[Visit], count: CountTokens) -> Measuring:
    """What the visits ask; see :class:`Measuring`.

    Args:
        plan: the plan.
        visits: those that are left.
        count: loss-bearing tokens of examples, which is how the tokens of prompts are counted.
    """
    items: Counter[str] = Counter()
    prompts: Counter[str] = Counter()
    written = 0
    for visit in visits:
        for asked in visit.asked:
            for item in asked.items:
                items[item.measure] += 1
                prompts[item.prompt] += 1
            written += _written(asked.items, plan.max_tokens, asked.settings.answer_tokens)
    lengths = count([Example("", prompt) for prompt in prompts])
    return Measuring(
        items=dict(items),
        prompt_tokens=sum(length * times for length, times in zip(lengths, prompts.values(), strict=True)),
        completion_tokens=written,
        visits=sum(bool(visit.asked) for visit in visits),
        diagnoses=sum(visit.reasoning for visit in visits),
    )


def _written(items: Items, max_tokens: int, answer_tokens: int) -> int:
    bounds = {"judged": max_tokens, "number": answer_tokens}
    return sum(bounds.get(item.way, 0) for item in items)


def disk(plan: Plan, graph: Graph, bytes_of: Callable[[Recipe], int], *, done: Collection[str] = ()) -> tuple[int, int]:
    """Bytes that the checkpoints still to be trained take: at the end, and at most at any time.

    With ``keep: adapters`` both are all of them. With ``keep: results`` nothing stays, and a checkpoint is there from
    its training until everything that continues from it is measured.

    Args:
        plan: the plan.
        graph: its checkpoints.
        bytes_of: bytes of one checkpoint of a recipe.
        done: checkpoints that are trained already.
    """
    sizes = {
        name: bytes_of(plan.recipe_of(graph.nodes[name]["path"][-1]))
        for name in graph
        if name != BASE and name not in done
    }
    if plan.keep == "adapters":
        return sum(sizes.values()), sum(sizes.values())
    order = training_order(graph)
    left = set(order)
    there = peak = 0
    for node in order:
        there += sizes.get(node, 0)
        peak = max(peak, there)
        left.remove(node)
        for name in reversed(chain_names(graph, node)):
            if left & nx.descendants(graph, name):
                break
            there -= sizes.get(name, 0)
    return 0, peak


def all_tokens(name: str) -> CountTokens:
    """Counts the tokens of examples in all, prompts and chat template included, as the base model's tokenizer does.

    Args:
        name: of the base model.

    Raises:
        UsageError: the model cannot be had.
    """
    from counterpoise.customization.finetune.chain import base_folder
    from counterpoise.customization.finetune.masks import conversations
    from counterpoise.lm.adapters import adapter_chain
    from counterpoise.lm.loading import load_tokenizer

    tokenizer = load_tokenizer(adapter_chain(base_folder(name))[0])
    counted: dict[Example, int] = {}

    def count(examples: Sequence[Example]) -> list[int]:
        new = [example for example in dict.fromkeys(examples) if example not in counted]
        for example, row in zip(new, conversations(new), strict=True):
            text = tokenizer.apply_chat_template([*row["prompt"], *row["completion"]], tokenize=False)
            counted[example] = len(tokenizer(text, add_special_tokens=False)["input_ids"])
        return [counted[example] for example in examples]

    return count


def disk_text(size: float) -> str:
    """Bytes for people.

    >>> disk_text(19_600_000), disk_text(2.5e9)
    ('20 MB', '2.5 GB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
