"""What a curation hands on: the curated set in two forms, and its card."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from counterpoise.records import Manifest, canonical_json, write_atomic

__all__ = ["curated_line", "dataset_card", "export", "moved", "prompt_completion_line"]


def curated_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with a revision as a line of ``curated.jsonl``: a conversation and its lineage."""
    return {
        "messages": [
            {"role": "user", "content": row["question"]},
            {"role": "assistant", "content": row["revised"]},
        ],
        "lineage": row["lineage"],
    }


def prompt_completion_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same text as prompt and completion, for trainers that want it so."""
    return {"prompt": row["question"], "completion": row["revised"]}


def export(folder: Path, rows: Sequence[Mapping[str, Any]], manifest: Manifest) -> None:
    """Write ``curated.jsonl``, ``curated.prompt_completion.jsonl`` and the dataset card ``README.md``.

    Rows without a revision are left out of the sets and counted in the card. Equal rows give equal bytes.

    Raises:
        OutputError: the folder cannot be written.
    """
    kept = [row for row in rows if row["revised"] is not None]
    for name, line in (("curated.jsonl", curated_line), ("curated.prompt_completion.jsonl", prompt_completion_line)):
        write_atomic(folder / name, "".join(canonical_json(line(row)) + "\n" for row in kept))
    write_atomic(folder / "README.md", dataset_card(rows, manifest))


def moved(rows: Sequence[Mapping[str, Any]], objective: str) -> int:
    """How many revisions moved perplexity the objective's way; for ``random``, how many raised it."""
    pairs = [
        (row["perplexity_before"], row["perplexity_after"])
        for row in rows
        if row["perplexity_before"] is not None and row["perplexity_after"] is not None
    ]
    return sum(after < before if objective == "min" else after > before for before, after in pairs)


def dataset_card(rows: Sequence[Mapping[str, Any]], manifest: Manifest) -> str:
    """The card of a curated set in Markdown: numbers and names only, no text of a model."""
    config = manifest.config
    kept = [row for row in rows if row["revised"] is not None]
    left_out = Counter(str(row["reason"]).split(":", 1)[0] for row in rows if row["revised"] is None)
    rounds = Counter(int(row["lineage"]["round"]) for row in kept)
    before, after = _median(kept, "perplexity_before"), _median(kept, "perplexity_after")
    copied = sum(bool(row["lineage"].get("gloss_copied")) for row in kept)
    direction = "lowered" if config["objective"] == "min" else "raised"
    from_rounds = ", ".join(f"{number}: {rounds[number]}" for number in sorted(rounds)) or "none"
    keywords = Counter(keyword for row in kept for keyword in row["keywords"])
    lines = [
        "# Curated texts",
        "",
        f"{len(kept)} of {len(rows)} question–answer texts, revised so that they carry safety implications.",
        "",
        "| | |",
        "|---|---|",
        f"| run | `{manifest.run}`, counterpoise {manifest.counterpoise} |",
        f"| objective | {config['objective']} perplexity |",
        f"| reviser | {_model(config['reviser'])}, prompt {config['style']}/{config['prompt_version']} |",
        f"| target | {_model(config['target'])} |",
        f"| helpfulness | {_model(config['judge'])}, at least {config['min_helpfulness']:g} |",
        f"| search | {config['rounds']} round(s), beam {config['beam']}, seed {config['seed']} |",
        f"| median perplexity before → after | {before} → {after} |",
        f"| perplexity {direction} | {moved(kept, config['objective'])} of {len(kept)} |",
        f"| median helpfulness | {_median(kept, 'helpfulness')} |",
        f"| revisions kept from round | {from_rounds} |",
        f"| different keywords | {len(keywords)} |",
        f"| a keyword's gloss word for word | {copied} of {len(kept)} |",
        "",
    ]
    if left_out:
        lines += ["Left out, with the reason in `rows.jsonl`:", ""]
        lines += [f"- {count}: {_plain(reason)}" for reason, count in sorted(left_out.items())]
        lines.append("")
    if manifest.warnings:
        lines += ["Read these before use:", ""] + [f"- {_plain(warning)}" for warning in manifest.warnings] + [""]
    lines += [
        "`curated.jsonl` has one conversation a line in `messages`, and in `lineage` where it comes from: source",
        "text, parent, round, keywords, temperature, top-p, seed, prompt, models, perplexity before and after,",
        "helpfulness. `curated.prompt_completion.jsonl` has the same texts as `prompt` and `completion`. The",
        "uncurated originals are in `rows.jsonl` (`question`, `original`). The licence of the source texts applies",
        "to their revisions.",
        "",
        "With TRL:",
        "",
        "```python",
        "from datasets import load_dataset",
        "from trl import SFTTrainer",
        'data = load_dataset("json", data_files="curated.jsonl", split="train").select_columns(["messages"])',
        'SFTTrainer(model="path/or/name/of/your/model", train_dataset=data).train()',
        "```",
        "",
    ]
    return "\n".join(lines)


def _model(model: Mapping[str, Any]) -> str:
    revision = str(model["revision"])
    return f"`{_plain(str(model['name']))}`" + (f" (revision {_plain(revision[:12])})" if revision else "")


def _median(rows: Sequence[Mapping[str, Any]], column: str) -> str:
    values = [row[column] for row in rows if row[column] is not None]
    return f"{median(values):.3g}" if values else "n/a"


def _plain(text: str) -> str:
    """Text that cannot act as markup in a Markdown table or as HTML."""
    return " ".join(text.translate({ord(char): " " for char in "`|<>"}).split())
