"""The pages about the datasets: ``python -m counterpoise.counterfactual.datasets.catalogue docs`` writes them.

``datasets.md`` has a section for every dataset and the agreement of the annotations; ``tasks/NAME.md`` is the page of
the Inspect task of a dataset. Everything on them is read off the code, so a test can tell whether they are up to date.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from counterpoise.counterfactual.case import Role
from counterpoise.counterfactual.datasets import DATASETS
from counterpoise.counterfactual.datasets.agreement import agreement
from counterpoise.counterfactual.datasets.annotation import ANNOTATED, annotations, decisions
from counterpoise.counterfactual.datasets.dataset import Dataset
from counterpoise.counterfactual.datasets.fetch import address
from counterpoise.counterfactual.match.registry import DEFAULT, open_named
from counterpoise.errors import OutputError
from counterpoise.records import write_atomic
from counterpoise.statistics import Estimate

__all__ = ["PAGE", "TASKS", "catalogue", "main", "task_page"]

PAGE = "datasets.md"
TASKS = "tasks"
"""Folder of the pages of the tasks."""

_HEAD = """# Datasets

Written by the code: `python -m counterpoise.counterfactual.datasets.catalogue docs`. `counterpoise datasets` says how
many cases of each can be read here, `counterpoise check-gold` validates them and names every item that is refused.

Data is read from the folder that `--data` or `COUNTERPOISE_DATA` gives. `counterpoise fetch NAME` gets the files that
can be fetched, at the commit that is named here (CRASS, of which none is known, from its branch `main`); the rest is
said under "by hand".

| dataset | modality | gold | what it asks |
|---|---|---|---|
"""

_GOLD = """
Gold is *executed* (a structural causal model or a program was run), *derived* (by rule from the item's own fields),
*annotated* (by this project) or *published* (the source's own key; such cases are asked end to end only).
"""

_OWN = """## A dataset of your own

is one Python file that says `DATASET = Dataset(...)` with a function that returns cases and rejects:
[`examples/ferry_dataset.py`](../examples/ferry_dataset.py) is a whole one, which a test runs. Every command takes the
path of such a file where it takes a name. Cases are validated like those of every other dataset: acyclic graph,
exposure that changes, no placeholder, a target that is a possible answer. A file of cases (`.jsonl`, as `counterpoise
generate` writes it) is taken too.
"""

_AGREEMENT = """## Annotations

The causal gold of three datasets is this project's own, in its own words, one JSON line an item
(`counterfactual/datasets/annotations/`). Every set was made twice by passes that did not see each other, under one
guideline, and reconciled item by item; both passes are kept, so this table can be computed again. The passes are made
by language models and no person checked them: agreement says how well the guideline settles an item, not how far a
panel of people would agree. The second pass is scored against the first like a model's answers, with the default
matcher: a model that reasoned like a second annotator would reach about these numbers, and differences between models
far above them mean little. *Agreed* are items that needed no change but wording; *role κ* and *edges F1, named* are
over the variables that both passes name (their number in brackets).

| dataset | items | agreed | variables F1 | role κ | edges F1 | edges F1, named | intervention | outcome values |
|---|---:|---:|---|---|---|---|---|---|
"""

_TASK = """# `counterpoise/{task}`

{title}. {gold} Source: {source} ({revision}; licence {licence}).

```
inspect eval counterpoise/{task} --model openai/gpt-5 -T stage=graph
```

| parameter | default | meaning |
|---|---|---|
| `stage` | `answer` | variables, graph, intervention, abduction, outcome, answer; cases without gold for it left out |
| `mode` | `isolated` | isolated: every stage is given the gold before it; chained: the model's own answers |
| `elicit` | `direct` | direct, few-shot, cot, cot-sc, tot |
| `tools` | `off` | off, hints, calls |
| `extractor` | the default tool | another tool: `text=ner:FOLDER`, `image=FOLDER` |
| `k` | 5 | samples of cot-sc, branches of tot |
| `limit` | all | cases, drawn by the seed |
| `seed` | 0 | of the choice of cases and of sampling |
| `text_only` | false | ask about pictures without showing them |
| `data` | `COUNTERPOISE_DATA` | folder of downloaded datasets |

A sample is a case, under the case's id, which does not change between versions of the same source. The whole case
travels in the sample's metadata. The scorer reads and scores the completion as `counterpoise diagnose` does; the metric
is the stage's headline measure with its 95 % interval (clusters of dependent cases resampled), its denominator, and how
many completions could not be read. See [the protocol](../protocol.md) and [the dataset](../datasets.md#{name}).
"""


def catalogue() -> str:
    """The page about all datasets."""
    table = "\n".join(
        f"| [`{name}`](#{name}) | {one.modality} | {one.gold_kind} | {one.title} |" for name, one in DATASETS.items()
    )
    sections = "\n".join(_section(dataset) for dataset in DATASETS.values())
    return _HEAD + table + "\n" + _GOLD + "\n" + sections + "\n" + _agreement() + "\n" + _OWN


def task_page(dataset: Dataset) -> str:
    """The page of the Inspect task of a dataset."""
    title = dataset.title[0].upper() + dataset.title[1:]
    return _TASK.format(
        task=dataset.name.replace("-", "_"),
        name=dataset.name,
        title=title,
        gold=dataset.gold,
        source=dataset.source,
        revision=dataset.revision,
        licence=dataset.licence,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages into the folder that is named; return the exit code."""
    named = sys.argv[1:] if arguments is None else list(arguments)
    if len(named) != 1 or not Path(named[0]).is_dir():
        print("error: name the folder to write to; expected one folder that exists", file=sys.stderr)
        return 2
    folder = Path(named[0])
    try:
        write_atomic(folder / PAGE, catalogue())
        (folder / TASKS).mkdir(exist_ok=True)
        for name, dataset in DATASETS.items():
            write_atomic(folder / TASKS / f"{name}.md", task_page(dataset))
    except (OutputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _section(dataset: Dataset) -> str:
    lines = [
        f"### {dataset.name}",
        "",
        f"{dataset.title[0].upper()}{dataset.title[1:]}. {dataset.gold}",
        "",
        f"- **Source**: {dataset.source} ({dataset.revision}); licence: {dataset.licence}",
    ]
    lines += [f"- **{role.capitalize()}**: {dataset.roles[role]}" for role in Role if role in dataset.roles]
    for download in dataset.downloads:
        pin = f"sha256 `{download.sha256[:16]}…`" if download.sha256 else "digest written down when it is fetched"
        lines.append(f"- **Fetched** to `{download.path}`: <{address(download)}>, {pin}")
    if dataset.obtain:
        lines.append(f"- **By hand**: {dataset.obtain}")
    if others := [file for file in dataset.files if file not in {download.path for download in dataset.downloads}]:
        lines.append("- **Also read from**: " + ", ".join(f"`{file}`" for file in others))
    return "\n".join(lines) + "\n"


def _agreement() -> str:
    matcher = open_named(DEFAULT)
    rows = []
    for name in ANNOTATED:
        one = agreement(name, matcher)
        kappa = "–" if one.role_kappa is None else f"{one.role_kappa:.2f}"
        cells = (
            f"`{name}`",
            len(annotations(name)),
            sum(decision == "agree" for decision in decisions(name).values()),
            _shown(one.variables),
            f"{kappa} ({one.named})",
            _shown(one.edges),
            _shown(one.edges_named),
            _shown(one.interventions),
            _shown(one.outcomes),
        )
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return _AGREEMENT + "\n".join(rows) + "\n"


def _shown(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


if __name__ == "__main__":
    sys.exit(main())
