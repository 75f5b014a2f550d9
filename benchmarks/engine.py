"""Tokens per second of the local engine against the usual ways to run the same model.

Every system answers the same prompts greedily, in a process of its own: the local engine, a plain loop over
``transformers``' ``generate`` (left padding, prompts in the order given), and Inspect AI with its ``hf/`` provider and
with ours. Rounds are interleaved; the table shows medians. Answers are compared with those of the plain loop.

Run: python benchmarks/engine.py [--rounds 3] [--threads N]; it rewrites its section of benchmarks/RESULTS.md.
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from results import write_section

BATCH = 32
CAP = 160
"""New tokens at most; the end-of-turn token decides before that for most prompts."""

SYSTEMS = {
    "engine": "Counterpoise local engine",
    "engine-default": "the same, its default batch (64)",
    "generate": "plain `transformers` generate loop",
    "inspect-hf": "Inspect AI, `hf/` provider",
    "inspect-ours": "Inspect AI, `counterpoise/` provider",
}


def prompts() -> list[str]:
    """Sixty-four requests whose lengths and expected answers differ widely, in no helpful order."""
    things = ["river", "clock", "bridge", "garden", "lamp", "ship", "window", "violin"]
    shapes = [
        "Say the word {a} and nothing else.",
        "What is a {a}?",
        "Name three parts of a {a}.",
        "Write a short story in which a {a} and a {b} are found by two children on a rainy afternoon.",
        "Answer with yes or no: is a {a} larger than a {b}?",
        "Here is a note. " + "The {a} stood beside the {b}, and nobody had moved it. " * 12 + "What stood by the {b}?",
        "Explain how a {a} differs from a {b}, in one paragraph.",
        "Context: " + "A {b} costs more than a {a}. " * 4 + "Which costs less?",
    ]
    return [
        shape.format(a=things[(number + 3 * row) % 8], b=things[(number + 3 * row + 1) % 8])
        for number in range(8)
        for row, shape in enumerate(shapes)
    ]


def run_engine(folder: str, dtype: str, batch: int | None) -> tuple[Callable[[list[str]], list[str]], Any]:
    import torch

    from counterpoise.lm.local import LocalLM
    from counterpoise.lm.protocol import Request

    lm = LocalLM.from_folder(folder, dtype=getattr(torch, dtype), max_batch=batch)

    def answer(texts: list[str]) -> list[str]:
        requests = [Request(messages=[{"role": "user", "content": text}], max_tokens=CAP) for text in texts]
        return [completion.text for (completion,) in lm.generate(requests)]

    return answer, lm.tokenizer


def run_generate(folder: str, dtype: str) -> tuple[Callable[[list[str]], list[str]], Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()

    def answer(texts: list[str]) -> list[str]:
        chats = [[{"role": "user", "content": text}] for text in texts]
        answers: list[str] = []
        for begin in range(0, len(chats), BATCH):
            batch = tokenizer.apply_chat_template(
                chats[begin : begin + BATCH],
                add_generation_prompt=True,
                padding=True,
                return_tensors="pt",
                return_dict=True,
            )
            with torch.inference_mode():
                written = model.generate(**batch, max_new_tokens=CAP, do_sample=False)
            answers += tokenizer.batch_decode(written[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
        return answers

    return answer, tokenizer


def run_inspect(folder: str, dtype: str, provider: str) -> tuple[Callable[[list[str]], list[str]], Any]:
    import torch
    from inspect_ai.model import GenerateConfig, get_model
    from transformers import AutoTokenizer

    if provider == "hf":
        model = get_model("hf/local", model_path=folder, device="cpu", dtype=getattr(torch, dtype), do_sample=False)
    else:
        model = get_model(f"counterpoise/{folder}", max_batch=BATCH, dtype=dtype)
    config = GenerateConfig(max_tokens=CAP, max_connections=BATCH)

    def answer(texts: list[str]) -> list[str]:
        async def everything() -> list[Any]:
            return await asyncio.gather(*(model.generate(text, config=config) for text in texts))

        return [output.completion for output in asyncio.run(everything())]

    return answer, AutoTokenizer.from_pretrained(folder)


def child(system: str, folder: str, dtype: str, threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    if system.startswith("engine"):
        answer, tokenizer = run_engine(folder, dtype, BATCH if system == "engine" else None)
    elif system == "generate":
        answer, tokenizer = run_generate(folder, dtype)
    else:
        answer, tokenizer = run_inspect(folder, dtype, "hf" if system == "inspect-hf" else "counterpoise")
    answer(["Say hi."])
    wall, cpu = time.perf_counter(), time.process_time()
    answers = answer(prompts())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    # Counted alike for all, from the answers: end-of-turn tokens and padding are nobody's merit.
    tokens = sum(len(ids) for ids in tokenizer(answers, add_special_tokens=False)["input_ids"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"answers": answers, "tokens": tokens, "wall": wall, "cpu": cpu, "peak": peak}))


def measure(system: str, folder: Path, dtype: str, threads: int) -> dict[str, Any]:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(threads), "TQDM_DISABLE": "1"}
    command = [sys.executable, __file__, "--child", system, "--folder", str(folder), "--dtype", dtype]
    done = subprocess.run(
        [*command, "--threads", str(threads)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{system} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def section(runs: dict[tuple[str, str], list[dict[str, Any]]], rounds: int, threads: int, load: float) -> str:
    lines = [
        "## Local engine",
        "",
        f"`python benchmarks/engine.py --rounds {rounds} --threads {threads}`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{threads} thread(s) of {os.cpu_count()} cores ({platform.machine()}), load before the run {load:.1f}. "
        f"embedded/smollm2, {len(prompts())} prompts, greedy, at most {CAP} new tokens, batches of {BATCH}. "
        "Speed-up is the median over rounds of the plain loop's seconds divided by the system's own in the same round; "
        "identical answers are compared with the plain loop's in the same precision.",
        "",
        "| precision | system | tokens/s | speed-up (wall) | speed-up (CPU) | peak memory | identical answers |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for (dtype, system), own in runs.items():
        plain = runs[dtype, "generate"]
        speed = statistics.median(run["tokens"] / run["wall"] for run in own)
        ratios = [
            statistics.median(p[clock] / run[clock] for p, run in zip(plain, own, strict=True))
            for clock in ("wall", "cpu")
        ]
        peak = max(run["peak"] for run in own)
        same = sum(mine == theirs for mine, theirs in zip(own[0]["answers"], plain[0]["answers"], strict=True))
        lines.append(
            f"| {dtype} | {SYSTEMS[system]} | {speed:.0f} | {ratios[0]:.2f} | {ratios[1]:.2f} | {peak:.0f} MB "
            f"| {same} of {len(plain[0]['answers'])} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precisions", default="float32,bfloat16")
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--dry", action="store_true", help="print the section, leave RESULTS.md alone")
    for hidden in ("--child", "--folder", "--dtype"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder, options.dtype, options.threads)
        return
    from counterpoise.lm.embedded import smollm2_folder

    folder, load = smollm2_folder(), os.getloadavg()[0]
    systems = options.systems.split(",")
    runs: dict[tuple[str, str], list[dict[str, Any]]] = {
        (dtype, system): [] for dtype in options.precisions.split(",") for system in systems
    }
    for number in range(options.rounds):
        for (dtype, system), own in runs.items():
            own.append(measure(system, folder, dtype, options.threads))
            wall, cpu = own[-1]["wall"], own[-1]["cpu"]
            print(f"round {number + 1}: {dtype} {system}: {wall:.1f} s, {cpu:.1f} CPU s", file=sys.stderr, flush=True)
    text = section(runs, options.rounds, options.threads, load)
    print(text)
    if not options.dry:
        write_section("engine", text)


if __name__ == "__main__":
    main()
