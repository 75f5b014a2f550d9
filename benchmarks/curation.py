"""Curation against one candidate at a time, against its own engine, over many texts, and against another scorer.

Four parts, every measurement in a process of its own:

- ``search``: a run of ``curate`` against a sequential reference that asks for one candidate at a time, scores it, and
  has a language model judge every candidate that the gates let through; both in float32, where they select the same.
- ``generation``: the tokens per second of a whole curation against those of the engine alone, given the same requests.
- ``memory``: peak memory over 1,000 and 10,000 synthetic texts with the fake model.
- ``perplexity``: values and speed of perplexity scoring against the log-likelihood of lm-evaluation-harness
  (``pip install lm-eval``; the part is left out without it).

Texts are written by this file, so that anybody can run it. Run: python benchmarks/curation.py [--parts ...]
[--texts N]; it rewrites its sections of benchmarks/RESULTS.md.
"""

import argparse
import importlib.util
import itertools
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from results import write_section

GRID = {"temperatures": (0.2, 0.4, 0.6, 0.8, 1.0), "top_ps": (0.2, 0.4, 0.6, 0.8, 1.0)}
LEAST_TOTAL = 0.25
"""Helpfulness that the language model as judge must give: what this small one gives to most."""


class Clock:
    """Wall and processor time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Seconds of both."""
        return {"wall": time.perf_counter() - self._wall, "cpu": time.process_time() - self._cpu}


def texts(count: int, *, distinct: bool = False) -> Iterator[Any]:
    """Question and answer about everyday things, as many as asked for; ``distinct`` numbers them."""
    from counterpoise.curation.texts import Text

    things = "kettle ladder bicycle candle freezer hammer blanket lantern compass whistle kayak stapler".split()
    uses = [
        ("boil water", "It heats up quickly and switches itself off when steam reaches the sensor near the lid."),
        ("reach a shelf", "It stands on the floor and lets a person climb to what is stored high up."),
        ("keep warm at night", "It holds the air close to the body, and still air passes little heat on."),
        ("find the way home", "It shows a direction that stays the same, so a walker can follow a line on the map."),
        ("fix a loose board", "It drives a nail through both pieces of wood, so that they hold together."),
    ]
    for number in range(count):
        thing, (use, answer) = things[number % len(things)], uses[number // len(things) % len(uses)]
        mark = f" Item {number} of the list is meant." if distinct or number >= len(things) * len(uses) else ""
        yield Text(id=f"t{number}", question=f"Why would somebody use a {thing} to {use}?{mark}", answer=answer)


def config(**changes: Any) -> Any:
    from counterpoise.curation.config import CurateConfig

    return CurateConfig(**{**GRID, "rounds": 2, "beam": 2, "max_tokens": 48, **changes})


def models(dtype: str) -> Any:
    import torch

    from counterpoise.lm.embedded import smollm2_folder
    from counterpoise.lm.local import LocalLM

    return LocalLM.from_folder(smollm2_folder(), name="embedded/smollm2", dtype=getattr(torch, dtype))


class CountedJudge:
    """A judge that counts what it is asked."""

    def __init__(self, judge: Any) -> None:
        self.name, self.revision, self._judge, self.asked = judge.name, judge.revision, judge, 0

    def __call__(self, items: Sequence[tuple[str, str, str]]) -> Sequence[Any]:
        """Pass them on."""
        self.asked += len(items)
        return self._judge(items)


def curate_search(count: int) -> dict[str, Any]:
    """The package's own run, with a language model as judge."""
    from counterpoise.curation.curate import curate
    from counterpoise.curation.helpfulness import ModelJudge
    from counterpoise.records import read_jsonl

    lm = models("float32")
    judge = CountedJudge(ModelJudge(lm))
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        curate(list(texts(count)), lm, lm, judge, config(min_helpfulness=LEAST_TOTAL), Path(folder))
        taken = clock.read()
        rows = read_jsonl(Path(folder) / "rows.jsonl")
    return {**taken, "judged": judge.asked, "selected": {row["text_id"]: row["revised"] for row in rows}}


def sequential_search(count: int) -> dict[str, Any]:
    """The same search written plainly: one request, one score, one verdict at a time, a verdict on every candidate."""
    from counterpoise.curation.deck import Deck
    from counterpoise.curation.gates import failed_gate
    from counterpoise.curation.helpfulness import ModelJudge
    from counterpoise.curation.perplexity import perplexity
    from counterpoise.curation.prompts import prompt
    from counterpoise.curation.revise import Order, Parent, drafts, revision
    from counterpoise.curation.seeds import builtin_seeds
    from counterpoise.curation.words import content_stems

    settings = config(min_helpfulness=LEAST_TOTAL)
    lm = models("float32")
    judge = CountedJudge(ModelJudge(lm))
    order = Order(style="extend", both=False, grid=settings.grid, seed=settings.seed, max_tokens=settings.max_tokens)
    deck = Deck(builtin_seeds(), settings.seed, size=settings.hand, together=1)
    examples = prompt("extend").examples

    def similar(one: str, other: str, original: str) -> bool:
        first, second = (content_stems(text) - content_stems(original) for text in (one, other))
        return not first | second or len(first & second) / len(first | second) >= settings.diversity

    selected: dict[str, str | None] = {}
    clock = Clock()
    for place, text in enumerate(texts(count)):
        hand = deck.hand(place)
        perplexity(lm, [(text.question, text.answer)])
        kept: list[tuple[float, str, str]] = []
        seen = {text.answer}
        for number in range(1, settings.rounds + 1):
            passed = []
            for index, (_, answer, identity) in enumerate(kept or [(0.0, text.answer, text.id)]):
                at = settings.hand_begin(number) + index * len(order.grid)
                parent = Parent(text_id=text.id, id=identity, question=text.question, answer=answer)
                for draft in drafts(parent, hand[at : at + len(order.grid)], number, order):
                    revised = revision(draft, lm.generate([draft.request])[0][0], order).answer
                    refused = failed_gate(
                        revised, text.answer, draft.keywords, settings.gates, examples=examples, question=text.question
                    )
                    if refused or revised in seen:
                        continue
                    seen.add(revised)
                    value = perplexity(lm, [(text.question, revised)])[0]
                    if value is None or value > settings.gates.max_perplexity:
                        continue
                    rating = judge([(text.question, text.answer, revised)])[0]
                    if rating.failed is None and rating.total >= settings.min_helpfulness:
                        passed.append((round(value, 6), revised, draft.id))
            best: list[tuple[float, str, str]] = []
            for one in sorted(kept + passed, key=lambda entry: (-entry[0], f"{text.question}\n{entry[1]}")):
                if len(best) < settings.beam and not any(similar(one[1], other[1], text.answer) for other in best):
                    best.append(one)
            if kept and best == kept:
                break
            kept = best
        selected[text.id] = kept[0][1] if kept else None
    return {**clock.read(), "judged": judge.asked, "selected": selected}


class Recorder:
    """A language model that keeps what it was asked to write."""

    def __init__(self, lm: Any) -> None:
        self.name, self.revision, self._lm = lm.name, lm.revision, lm
        self.requests: list[Any] = []
        self.tokens = 0

    def generate(self, requests: Sequence[Any]) -> list[list[Any]]:
        """Note the requests and what they gave, and pass them on."""
        self.requests += requests
        written = self._lm.generate(requests)
        self.tokens += sum(sample.output_tokens for samples in written for sample in samples)
        return written

    def logprobs(self, pairs: Sequence[Any]) -> list[Any]:
        """Pass them on."""
        return self._lm.logprobs(pairs)


def generation(count: int) -> dict[str, Any]:
    """A whole curation with the offline judge, then the engine alone with the same requests in one call."""
    from counterpoise.curation.curate import curate
    from counterpoise.curation.helpfulness import Helpfulness
    from counterpoise.lm.embedding import open_embedder

    lm = models("bfloat16")
    judge = Helpfulness(open_embedder("embedded/minilm"))
    judge([("Warm?", "Warm.", "Warm up.")])
    recorder = Recorder(lm)
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        summary = curate(list(texts(count)), recorder, lm, judge, config(), Path(folder))
        taken = clock.read()
    clock = Clock()
    written = lm.generate(recorder.requests)
    alone = clock.read()
    tokens = sum(sample.output_tokens for (sample,) in written)
    return {
        **taken,
        "requests": len(recorder.requests),
        "curation": {name: recorder.tokens / seconds for name, seconds in taken.items()},
        "engine": {name: tokens / seconds for name, seconds in alone.items()},
        "seconds": summary.seconds,
    }


def memory(count: int) -> dict[str, Any]:
    """Synthetic texts and a model without weights: what is left is the package itself."""
    import hashlib
    import re

    import numpy as np

    from counterpoise.curation.curate import curate
    from counterpoise.curation.helpfulness import Helpfulness
    from counterpoise.lm.fake import FakeLM
    from counterpoise.rng import rng_for

    words = "calm careful fair honest kind open patient quiet steady sound tidy warm wise".split()

    def respond(request: Any, sample: int) -> str:
        keyword = re.search(r"Add one sentence about (.+?)\. ", request.messages[-1]["content"] + " ")
        first, second = rng_for(request.seed, "reply").sample(words, 2)
        return f"With {keyword[1] if keyword else 'care'} people stay {first} and {second}."

    class Hashed:
        name, revision = "fake/hashed", "1"

        def embed(self, given: Sequence[str]) -> Any:
            rows = [
                np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype=np.uint8).astype(np.float32)
                for text in given
            ]
            return np.stack([row / np.linalg.norm(row) for row in rows])

    class Forgetful(FakeLM):
        def generate(self, requests: Sequence[Any]) -> list[list[Any]]:
            self.requests.clear()
            return super().generate(requests)

    class Streamed:
        """Made when they are asked for, like lines of a file."""

        def __iter__(self) -> Iterator[Any]:
            return texts(count, distinct=True)

    lm = Forgetful(respond, name="embedded/fake")
    small = config(temperatures=(0.2, 0.8), top_ps=(0.5, 0.9), rounds=2, min_helpfulness=0.0)
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        summary = curate(Streamed(), lm, lm, Helpfulness(Hashed()), small, Path(folder))
        taken = clock.read()
    return {**taken, "curated": summary.curated, "texts": summary.texts, "candidates": summary.candidates}


def scored_pairs(count: int) -> list[tuple[str, str]]:
    """Every question with its answer and with twelve revisions of it."""
    from counterpoise.curation.seeds import builtin_seeds

    seeds = itertools.cycle(builtin_seeds())
    pairs = []
    for text in texts(count):
        pairs.append((text.question, text.answer))
        pairs += [(text.question, f"{text.answer} {next(seeds).gloss}") for _ in range(12)]
    return pairs


def perplexity_ours(count: int, dtype: str) -> dict[str, Any]:
    """Perplexities by the package."""
    from counterpoise.curation.perplexity import perplexity

    lm, pairs = models(dtype), scored_pairs(count)
    perplexity(lm, pairs[:2])
    clock = Clock()
    values = perplexity(lm, pairs)
    return {**clock.read(), "values": values}


def perplexity_harness(count: int, dtype: str) -> dict[str, Any]:
    """The same by the log-likelihood of lm-evaluation-harness, divided by the number of tokens it scored."""
    import torch
    import transformers
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    from counterpoise.lm.embedded import smollm2_folder

    folder, pairs = str(smollm2_folder()), scored_pairs(count)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
    harness = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=32, device="cpu")

    def requests(chosen: Sequence[tuple[str, str]]) -> list[Any]:
        chats = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": question}], add_generation_prompt=True, tokenize=False
            )
            for question, _ in chosen
        ]
        return [
            Instance(request_type="loglikelihood", doc={}, arguments=(chat, answer), idx=0)
            for chat, (_, answer) in zip(chats, chosen, strict=True)
        ]

    harness.loglikelihood(requests(pairs[:2]), disable_tqdm=True)
    asked = requests(pairs)
    clock = Clock()
    found = harness.loglikelihood(asked, disable_tqdm=True)
    taken = clock.read()
    sizes = [len(tokenizer(answer, add_special_tokens=False)["input_ids"]) for _, answer in pairs]
    values = [math.exp(-total / size) for (total, _), size in zip(found, sizes, strict=True)]
    return {**taken, "values": values}


JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    "curate": curate_search,
    "sequential": sequential_search,
    "generation": generation,
    "memory": memory,
    "ours": perplexity_ours,
    "harness": perplexity_harness,
}


def child(job: str, arguments: Sequence[str], threads: int) -> None:
    if job != "memory":
        import torch

        torch.set_num_threads(threads)
    count, *rest = arguments
    found = JOBS[job](int(count), *rest)
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def measure(job: str, *arguments: str | int, threads: int) -> dict[str, Any]:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(threads), "TQDM_DISABLE": "1"}
    command = [sys.executable, __file__, "--threads", str(threads), "--child", job, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{job} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{job} {' '.join(map(str, arguments))}: {found['wall']:.1f} s", file=sys.stderr, flush=True)
    return found


def search_part(options: argparse.Namespace) -> str:
    ours = measure("curate", options.texts, threads=options.threads)
    theirs = measure("sequential", options.texts, threads=options.threads)
    same = sum(ours["selected"][text] == revised for text, revised in theirs["selected"].items())
    empty = sum(revised is None for revised in theirs["selected"].values())
    lines = [
        f"{options.texts} texts, 25 points of the grid, 2 rounds, beam 2, float32, embedded/smollm2 as reviser, target "
        f"and judge (total at least {LEAST_TOTAL}). The same text selected for {same} of {options.texts}; neither "
        f"found one for {empty} of them.",
        "",
        "| system | wall | CPU | times as fast (wall, CPU) | judge calls | share of them | peak memory |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, run in (("one candidate at a time, each one judged", theirs), ("`curate`", ours)):
        lines.append(
            f"| {name} | {run['wall']:.0f} s | {run['cpu']:.0f} s | {theirs['wall'] / run['wall']:.1f}, "
            f"{theirs['cpu'] / run['cpu']:.1f} | {run['judged']} | {run['judged'] / theirs['judged']:.2f} "
            f"| {run['peak']:.0f} MB |"
        )
    return "\n".join(lines)


def generation_part(options: argparse.Namespace) -> str:
    runs = [measure("generation", options.texts, threads=options.threads) for _ in range(options.rounds)]
    ratios = {clock: sorted(run["curation"][clock] / run["engine"][clock] for run in runs) for clock in ("wall", "cpu")}
    shown = "; ".join(
        f"{clock} median **{statistics.median(values):.2f}** ({', '.join(f'{value:.2f}' for value in values)})"
        for clock, values in ratios.items()
    )
    first, taken = runs[0], runs[0]["seconds"]
    return (
        f"{options.texts} texts, bfloat16, offline judge, {first['requests']} completions. The whole curation wrote "
        f"{first['curation']['wall']:.0f} tokens a second, the engine alone, given the same requests in one call, "
        f"{first['engine']['wall']:.0f}. Ratio over {options.rounds} round(s): {shown}. Of the first run's "
        f"{first['wall']:.0f} s, writing took {taken['revise']:.0f}, perplexity {taken['score']:.0f}, judging "
        f"{taken['judge']:.0f}. Peak memory {max(run['peak'] for run in runs):.0f} MB."
    )


def memory_part(options: argparse.Namespace) -> str:
    runs = [measure("memory", count, threads=options.threads) for count in (1_000, 10_000)]
    lines = ["| texts | candidates | wall | texts/s | peak memory |", "|---:|---:|---:|---:|---:|"]
    lines += [
        f"| {run['texts']:,} | {run['candidates']:,} | {run['wall']:.0f} s | {run['texts'] / run['wall']:.0f} "
        f"| {run['peak']:.0f} MB |"
        for run in runs
    ]
    return "\n".join(lines)


def perplexity_part(options: argparse.Namespace) -> str:
    if importlib.util.find_spec("lm_eval") is None:
        return "lm-evaluation-harness is not installed; this part was left out."
    lines = [
        f"{options.texts * 13} pairs: each question with its answer and twelve revisions of it. Largest relative "
        "difference of two perplexities; time of scoring alone.",
        "",
        "| precision | system | wall | CPU | times as fast (wall, CPU) | largest difference | peak memory |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for dtype in ("float32", "bfloat16"):
        theirs, ours = (
            [measure(job, options.texts, dtype, threads=options.threads) for _ in range(options.rounds)]
            for job in ("harness", "ours")
        )
        difference = max(abs(a - b) / b for a, b in zip(ours[0]["values"], theirs[0]["values"], strict=True))
        times = {
            name: {clock: statistics.median(run[clock] for run in runs) for clock in ("wall", "cpu")}
            for name, runs in (("lm-evaluation-harness", theirs), ("`perplexity`", ours))
        }
        base = times["lm-evaluation-harness"]
        for (name, own), runs in zip(times.items(), (theirs, ours), strict=True):
            shown = f"{difference:.1e}" if runs is ours else ""
            lines.append(
                f"| {dtype} | {name} | {own['wall']:.1f} s | {own['cpu']:.1f} s | {base['wall'] / own['wall']:.2f}, "
                f"{base['cpu'] / own['cpu']:.2f} | {shown} | {max(run['peak'] for run in runs):.0f} MB |"
            )
    return "\n".join(lines)


PARTS: dict[str, tuple[str, Callable[[argparse.Namespace], str]]] = {
    "search": ("Curation: one candidate at a time", search_part),
    "generation": ("Curation: the engine's own speed", generation_part),
    "memory": ("Curation: memory over many texts", memory_part),
    "perplexity": ("Perplexity: lm-evaluation-harness", perplexity_part),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--texts", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3, help="repetitions of generation and perplexity")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--dry", action="store_true", help="print the sections, leave RESULTS.md alone")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child[0], options.child[1:], options.threads)
        return
    for name in options.parts.split(","):
        title, part = PARTS[name]
        load = os.getloadavg()[0]
        text = (
            f"## {title}\n\n`python benchmarks/curation.py --parts {name} --texts {options.texts} --rounds "
            f"{options.rounds} --threads {options.threads}`, {datetime.now(UTC):%Y-%m-%d}, {options.threads} thread(s) "
            f"of {os.cpu_count()} cores ({platform.machine()}), load before the run {load:.1f}.\n\n{part(options)}\n"
        )
        print(text)
        if not options.dry:
            write_section(f"curation-{name}", text)


if __name__ == "__main__":
    main()
