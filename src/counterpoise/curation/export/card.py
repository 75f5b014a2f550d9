"""The dataset card: what the set is, its numbers, and how to load it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import yaml

from counterpoise.curation.export.forms import FILES
from counterpoise.curation.export.numbers import CHANGE, Numbers
from counterpoise.records import Manifest
from counterpoise.statistics import wilson

__all__ = ["dataset_card", "plain"]

_LOADING = """\
```python
from datasets import load_dataset

data = load_dataset("path/of/this/folder", split="train")
```"""

_LIMITS = """\
## Limits

Perplexity is per token of the answer, given the question in the target model's chat format; under another model it may
differ, and so may what these texts do. Helpfulness is a judge's estimate, not a proof that an answer is true.

The license of the source texts applies to their revisions; the run does not know it. Set `license` above before you
publish the set."""


def dataset_card(
    numbers: Numbers, manifest: Manifest, forms: Sequence[str], *, originals: bool = False, only: str | None = None
) -> str:
    """The card of a curated set: Markdown under YAML front matter, as the Hugging Face hub reads it.

    It holds numbers and names only, no text of a model, and no times: equal rows give equal cards.

    Args:
        numbers: of the set.
        manifest: of its run.
        forms: which files are there, by form; the first one of JSON lines is what is loaded by default.
        originals: whether each has its uncurated twin.
        only: which texts were chosen by a review; ``None`` without one.
    """
    sections = [
        _front_matter(numbers.exported, forms, originals),
        "# Curated texts",
        f"{numbers.exported} of {numbers.texts} question–answer texts, revised so that they carry safety implications.",
        _table(("setting", "value"), _settings(manifest)),
        _table(("measure", "n", "first quartile", "median", "third quartile"), _measures(numbers)),
        _list(_findings(numbers, manifest.config.get("seed_count"))),
    ]
    if only is not None:
        accepted, rejected, undecided = (numbers.decided[name] for name in ("accept", "reject", "undecided"))
        chosen = "only what was accepted" if only == "accepted" else "all that was not rejected"
        sections.append(
            f"Revisions reviewed by a person: {accepted} accepted, {rejected} rejected, {undecided} undecided. "
            f"In the set is {chosen}."
        )
    if numbers.left_out:
        sections.append("Left out (the run's `rows.jsonl` has every text with its reason):")
        sections.append(_list(f"{count}: {reason}" for reason, count in sorted(numbers.left_out.items())))
    if numbers.rejected:
        gates = sorted(numbers.rejected.items(), key=lambda item: (-item[1], item[0]))
        sections.append("Candidates rejected on the way, by gate, whatever became of their text:")
        sections.append(_table(("gate", "candidates"), [(plain(gate), str(count)) for gate, count in gates]))
    if manifest.warnings:
        sections += ["Read these before use:", _list(map(plain, manifest.warnings))]
    sections += ["## Files", _table(("file", "content"), _files(forms, originals)), _LOADING, _LIMITS]
    return "\n\n".join(sections) + "\n"


def _front_matter(size: int, forms: Sequence[str], originals: bool) -> str:
    # The hub reads all files of a set with one loader, so a table beside JSON lines is loaded by its own name.
    named = [form for form in forms if form != "parquet"] or forms
    configs = [{"config_name": form, "data_files": FILES[form]} for form in named]
    if originals:
        configs += [{"config_name": f"uncurated-{form}", "data_files": f"un{FILES[form]}"} for form in named]
    card = {
        "pretty_name": "Curated texts",
        "license": "unknown",
        "task_categories": ["text-generation"],
        "tags": ["counterpoise", "data-curation", "fine-tuning", "safety", "synthetic"],
        "size_categories": [_size(size)],
        "configs": [{**configs[0], "default": True}, *configs[1:]],
    }
    return f"---\n{yaml.safe_dump(card, sort_keys=False)}---"


def _size(number: int) -> str:
    """The hub's class of a number of examples."""
    for bound, name in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")):
        if number < bound:
            return name
    return "1M<n<10M"


def _settings(manifest: Manifest) -> list[tuple[str, str]]:
    config = manifest.config
    return [
        ("run", f"`{plain(manifest.run)}`, counterpoise {plain(manifest.counterpoise)}"),
        ("objective", f"{config['objective']} perplexity" if config["objective"] != "random" else "random (control)"),
        ("reviser", f"{_model(config['reviser'])}, prompt {config['style']}/{config['prompt_version']}"),
        ("target", _model(config["target"])),
        ("helpfulness", f"{_model(config['judge'])}, at least {config['min_helpfulness']:g}"),
        ("search", f"at most {config['rounds']} round(s), beam {config['beam']}, seed {config['seed']}"),
    ]


def _measures(numbers: Numbers) -> list[tuple[str, ...]]:
    return [
        (plain(name), str(len(values)), *(f"{value:.3g}" for value in np.quantile(values, (0.25, 0.5, 0.75))))
        for name, values in numbers.measures.items()
        if values
    ]


def _findings(numbers: Numbers, seeds: int | None) -> list[str]:
    pairs = len(numbers.measures[CHANGE])
    direction = "lowered" if numbers.objective == "min" else "raised"
    uses = sorted(numbers.keywords.values())
    rounds = ", ".join(f"{number}: {count}" for number, count in sorted(numbers.rounds.items()))
    found = [
        f"perplexity {direction}: {numbers.moved} of {pairs}" + (f", {wilson(numbers.moved, pairs)}" if pairs else ""),
        f"different keywords: {len(uses)}"
        + (f" of the seed set's {seeds}" if seeds else "")
        + (f", each in {uses[0]} to {uses[-1]} text(s)" if uses else ""),
        f"a keyword's gloss word for word: {numbers.gloss_copied} of {numbers.exported}",
        f"revisions by the round they are from: {rounds or 'none'}",
        f"tokens of the reviser, for all {numbers.texts} texts: {numbers.input_tokens} read, "
        f"{numbers.output_tokens} written",
    ]
    if numbers.questions_revised:
        found.append(f"questions revised too: {numbers.questions_revised} of {numbers.exported}")
    if numbers.questions_written:
        found.append(f"questions written by the reviser: {numbers.questions_written} of {numbers.exported}")
    return found


def _files(forms: Sequence[str], originals: bool) -> list[tuple[str, str]]:
    about = {
        "messages": "one conversation a line in `messages`; in `lineage` where it comes from",
        "prompt-completion": "the same texts as `prompt` and `completion`",
        "sharegpt": "the same texts as ShareGPT `conversations`",
        "alpaca": "the same texts as `instruction`, `input` (empty) and `output`",
        "parquet": "the same texts with the full lineage as columns, every ancestor included",
    }
    files = [(f"`{FILES[form]}`", about[form]) for form in forms]
    if originals:
        files += [(f"`un{FILES[form]}`", f"the same texts uncurated, as in `{FILES[form]}`") for form in forms]
    if "messages" in forms:
        files.append(("`snippets/`", "training with TRL, axolotl and LLaMA-Factory"))
    return files


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _model(model: Mapping[str, Any]) -> str:
    revision = str(model["revision"])
    return f"`{plain(str(model['name']))}`" + (f" (revision {plain(revision[:12])})" if revision else "")


def plain(text: str) -> str:
    """Text that cannot act as markup in Markdown or HTML, nor hide or turn what stands beside it."""
    return " ".join("".join(char if char.isprintable() and char not in "`|<>[]" else " " for char in text).split())
