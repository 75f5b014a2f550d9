"""Fit the classifier of refusals and coherence, measure it, and write its weights and figures into the package.

``python benchmarks/train_refusal_classifier.py`` with ``COUNTERPOISE_DATA`` set; about ten minutes on two cores, the
first time. Nothing is random but what is drawn with the seed, so the same data gives the same weights on one machine.

Fitted on: the XSTest completions with their human labels (CC BY 4.0), texts written for this project, and, for the
stances and the tables of words, explanations of StrategyQA, solutions of GSM8K, AdvBench
and JailbreakBench goals (all MIT).
Measured on, besides: answers of Alpaca, which nothing is fitted on.
"""

import argparse
import csv
import hashlib
import json
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import counterpoise.safety.judges.classifier as room
from counterpoise.lm.embedded import cache_folder, smollm2_folder
from counterpoise.lm.embedding import Embedder, open_embedder
from counterpoise.lm.loading import load_tokenizer
from counterpoise.rng import rng_for
from counterpoise.safety.benchmarks import alpaca, xstest_completions
from counterpoise.safety.judges import LABELS, Agreement, Label, Labelled, agreement_of, calibrate, open_judge
from counterpoise.safety.judges.classifier import CLASSIFIER
from counterpoise.safety.judges.classifier.cached import CachedEmbedder
from counterpoise.safety.judges.classifier.coherence import CoherenceModel, count_tables, fit_coherence
from counterpoise.safety.judges.classifier.corruptions import CORRUPTIONS, garble
from counterpoise.safety.judges.classifier.features import read_documents
from counterpoise.safety.judges.classifier.fitting import Material, fit_stances, fitted_without
from counterpoise.safety.judges.classifier.own import own_documents, shortened, stance_sentences
from counterpoise.safety.judges.classifier.stances import StanceModel
from counterpoise.safety.judges.classifier.weights import Weights, from_bytes, to_bytes

ROOM = Path(room.__file__).parent
FOLDS = 5
HEAD = 400
"""So many explanations and solutions are for the head of coherence, the others for its tables."""
TOKENS = 32
"""The lab's completions are cut to so many tokens."""
OTHER_JUDGES = ("keyword", "gcg-prefixes", "xstest-strings")
SOURCE = "XSTest completions of three models, human final_label; "
LEFT_OUT = SOURCE + "each model judged by what was fitted on the other two"
IN_VIEW = SOURCE + "the phrases were written with these texts in view, so agreement elsewhere may be lower"
AS_IT_STANDS = SOURCE + "nothing in the judge was fitted on them"
FILES = (
    "xstest/xstest_v2_completions_llama2new.csv",
    "xstest/xstest_v2_completions_llama2orig.csv",
    "xstest/xstest_v2_completions_mistralinstruct.csv",
    "commonsense/bigbench_strategyqa_task.json",
    "advbench/harmful_behaviors.csv",
    "jailbreakbench/benign_behaviors.csv",
    "utility/gsm8k_test.jsonl",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("COUNTERPOISE_DATA"), help="folder of public data")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--date", default=datetime.now(UTC).date().isoformat(), help="date of the record")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("set COUNTERPOISE_DATA or give --data")
    run(arguments.data, arguments.seed, arguments.date)


def run(data: Path, seed: int, date: str) -> None:
    embedder = CachedEmbedder(open_embedder("embedded/minilm"), cache_folder() / "embeddings")
    labelled = xstest_completions(data)
    explanations, subjects = prose(data), acts(data)
    stances = fit_stances(embedder, explanations, subjects, seed=seed)
    tell(f"stances: {len(stances.vocabulary)} runs of words")
    material = Material(labelled, embedder, stances, seed=seed)
    tell("completions read")
    heads = material.fit(lambda _: True)
    coherence, coherence_figures = coherent(data, labelled, explanations, embedder, stances, seed)
    content = to_bytes(Weights(stances, heads, coherence))
    from_bytes(content)
    (ROOM / "weights.npz").write_bytes(content)
    tell(f"weights written: {len(content)} bytes")

    short = cut(labelled, TOKENS)
    short_documents = read_documents([(item.prompt, item.completion) for item in short], embedder, stances)
    found = {
        "whole": labels_of(fitted_without(material)),
        "cut": labels_of(fitted_without(material, short_documents)),
    }
    tell("one model left out")
    found["apart"] = labels_of(fitted_without(material, folds=FOLDS))
    tell("one model and one fifth of the prompts left out")

    def agreement(kind: str, source: str, tokens: int | None = None) -> Agreement:
        return agreement_of(found[kind], labelled, judge=CLASSIFIER, source=source, date=date, tokens=tokens, seed=seed)

    records = [agreement("whole", LEFT_OUT), agreement("cut", f"{LEFT_OUT}; cut to {TOKENS} tokens", TOKENS)]
    for name in OTHER_JUDGES:
        judge, source = open_judge(name), IN_VIEW if name == "keyword" else AS_IT_STANDS
        records.append(calibrate(judge, labelled, source=source, date=date))
        cut_record = calibrate(judge, short, source=f"{source}; cut to {TOKENS} tokens", date=date)
        records.append(cut_record.model_copy(update={"tokens": TOKENS}))
    (ROOM.parent / "agreement.json").write_text(
        json.dumps([rounded(one.model_dump(mode="json", exclude_defaults=True)) for one in records], indent=2) + "\n",
        encoding="utf-8",
    )
    by_model = {
        f"{kind}, {source}": summary(
            agreement_of(
                [label for label, item in zip(found[kind], labelled, strict=True) if item.source == source],
                [item for item in labelled if item.source == source],
                judge=CLASSIFIER,
            )
        )
        for kind in found
        for source in dict.fromkeys(item.source for item in labelled)
    }
    figures = {
        "classifier": CLASSIFIER,
        "date": date,
        "seed": seed,
        "weights": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
        "embedder": {"name": embedder.name, "revision": embedder.revision},
        "data": {name: sha256(data / name) for name in FILES},
        "fitted_on": {
            "labelled": len(labelled),
            "own": len(own_documents(seed=seed)),
            "sentences_by_hand": "stances.json",
        },
        "leave_one_model_out": summary(records[0]),
        f"leave_one_model_out_{TOKENS}_tokens": summary(records[1]),
        "leave_one_model_out_prompts_apart": summary(agreement("apart", "")),
        "by_model": by_model,
        "people": people(data),
        "coherence": coherence_figures,
    }
    text = json.dumps(rounded(figures), indent=1) + "\n"
    (ROOM / "weights.json").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def prose(data: Path) -> list[str]:
    """Explanations of StrategyQA, without the answer before them."""
    rows = json.loads((data / FILES[3]).read_text(encoding="utf-8"))["examples"]
    return [row["target"].split(".", 1)[1].strip() for row in rows if "." in row["target"]]


def solutions(data: Path) -> list[str]:
    """Worked solutions of GSM8K, without the marks of its calculator and without the final line."""
    with (data / FILES[6]).open(encoding="utf-8") as file:
        answers = [json.loads(line)["answer"] for line in file if line.strip()]
    return [re.sub(r"<<.*?>>", "", answer).split("####")[0].strip() for answer in answers]


def acts(data: Path) -> list[str]:
    """Disallowed and harmless acts, equally many of each, in the form "write a poem"."""

    def goals(name: str) -> list[str]:
        with (data / name).open(encoding="utf-8", newline="") as file:
            texts = [row["goal"].strip().rstrip(".?!") for row in csv.DictReader(file)]
        return [text[0].lower() + text[1:] for text in texts if text and len(text) < 110]

    disallowed, harmless = goals(FILES[4]), goals(FILES[5])
    return [*disallowed, *(harmless[place % len(harmless)] for place in range(len(disallowed)))]


def cut(labelled: Sequence[Labelled], tokens: int) -> list[Labelled]:
    """The completions as a model that may write so many tokens leaves them; tokens of the embedded language model."""
    tokenizer = load_tokenizer(smollm2_folder())
    return [
        Labelled(
            item.prompt,
            tokenizer.decode(tokenizer(item.completion.strip(), add_special_tokens=False)["input_ids"][:tokens]),
            item.label,
            item.source,
        )
        for item in labelled
    ]


def labels_of(probabilities: Any) -> list[Label | None]:
    return [LABELS[place] for place in probabilities.argmax(axis=1)]


def coherent(
    data: Path,
    labelled: Sequence[Labelled],
    explanations: Sequence[str],
    embedder: Embedder,
    stances: StanceModel,
    seed: int,
) -> tuple[CoherenceModel, dict[str, Any]]:
    """Fit the head of coherence, and measure it on texts and on kinds of garbling that it was not fitted on."""
    draw = rng_for(seed, "coherence")
    answers = alpaca(data)
    workings = solutions(data)
    # The tables come from other texts than the head: text that was counted looks likelier than text ever will again.
    tables = count_tables([*(item.completion for item in labelled[1::2]), *explanations[HEAD:], *workings[HEAD:]])

    def examples(pairs: Sequence[tuple[str, str]], rounds: int) -> list[tuple[str, str, str | None]]:
        """Prompt, text, and how it was garbled; every text whole or shortened, and garbled in some ways."""
        found: list[tuple[str, str, str | None]] = []
        texts = [text for _, text in pairs]
        for prompt, text in pairs:
            kept = text if draw.random() < 0.5 else " ".join(text.split(" ")[: draw.randint(10, 40)])
            found.append((prompt, kept, None))
            for kind in draw.sample(list(CORRUPTIONS), rounds):
                if len(kept.split()) > 5:
                    found.append((prompt, garble(kind, kept, texts, draw), kind))
        return found

    own = own_documents(seed=seed)
    base = [(item.prompt, item.completion) for item in [*labelled[::2], *own[::2], *shortened(own[1::2], seed=seed)]]
    base += [("", text) for text in (*explanations[:HEAD], *workings[:HEAD])]
    lines = [text for _, _, text in stance_sentences((), seed=seed + 1)]
    base += [("", text) for text in draw.sample(lines, 2 * HEAD)]
    train = examples(base, 2)
    held = examples([(item.text, item.answer) for item in answers if len(item.answer.split()) > 7][:400], 7)
    documents = {
        name: read_documents([(prompt, text) for prompt, text, _ in rows], embedder, stances)
        for name, rows in (("train", train), ("held", held))
    }
    tell("coherence: texts read")

    def fit(without: str | None) -> CoherenceModel:
        places = [place for place, (_, _, kind) in enumerate(train) if kind is None or kind != without]
        return fit_coherence(
            [train[place][1] for place in places],
            [documents["train"][place] for place in places],
            [train[place][2] is None for place in places],
            tables,
        )

    def scores(model: CoherenceModel, kind: str | None) -> Any:
        rows = [place for place, row in enumerate(held) if row[2] == kind]
        return model([held[place][1] for place in rows], [documents["held"][place] for place in rows])

    model = fit(None)
    sound = scores(model, None)
    figures: dict[str, Any] = {
        "measured_on": f"{len(sound)} answers of Alpaca, half of them cut, and the same garbled",
        "coherent_below_half": float((sound < 0.5).mean()),
        "auc": {},
        "auc_kind_left_out": {},
        "garbled_above_half": {},
    }
    for kind in CORRUPTIONS:
        garbled = scores(model, kind)
        unseen = fit(kind)
        figures["auc"][kind] = area(scores(model, None), garbled)
        figures["auc_kind_left_out"][kind] = area(scores(unseen, None), scores(unseen, kind))
        figures["garbled_above_half"][kind] = float((garbled > 0.5).mean())
    return model, figures


def area(higher: Any, lower: Any) -> float:
    """Probability that one of the first scores more than one of the second."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([higher, lower]))[: len(higher)]
    return float((ranks.sum() - len(higher) * (len(higher) + 1) / 2) / (len(higher) * len(lower)))


def people(data: Path) -> dict[str, Any]:
    """How the two human annotators agree with each other, and GPT-4's labels with the final human one."""
    found: dict[str, Any] = {}
    for name in FILES[:3]:
        with (data / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for title, given, wanted in (
            ("annotator 2 against annotator 1", "annotation_2", "annotation_1"),
            ("GPT-4 against the final label", "gpt4_label", "final_label"),
        ):
            found.setdefault(title, ([], []))
            found[title][0].extend(row[given][2:] if row[given][2:] in LABELS else None for row in rows)
            found[title][1].extend(Labelled(row["prompt"], "", row[wanted][2:]) for row in rows)  # type: ignore[arg-type]
    return {title: summary(agreement_of(*both, judge=title)) for title, both in found.items()}


def summary(agreement: Agreement) -> dict[str, Any]:
    return {
        "macro_f1": agreement.macro_f1,
        "kappa": agreement.kappa,
        "refusal_kappa": agreement.refusal_kappa,
        "n": agreement.n,
        "intervals": dict(agreement.intervals),
        "f1": {label: found.f1 for label, found in agreement.classes.items()},
    }


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return value


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tell(text: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
