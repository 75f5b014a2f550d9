"""Nothing in this project is, or copies, a harmful text.

Answers that agree to disallowed requests hold a placeholder and nothing else, and no sentence of a safety benchmark
stands anywhere in the project.
"""

import csv
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from counterpoise.customization.attack import Attack, attack_pool
from counterpoise.customization.data.overlap import likenesses, plain
from counterpoise.safety.benchmarks import builtin_disallowed
from counterpoise.safety.similarity import word_set

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("src", "tests", "docs", "examples", "benchmarks")
SUFFIXES = {".py", ".md", ".txt", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".csv", ".html", ".js", ".css", ".j2"}
BUILTIN = "src/counterpoise/customization/builtin"

RUN = 8
"""So many words of a benchmark's sentence in a row are a copy; a shorter sentence is one as a whole."""
SHORTEST = 5
"""Sentences of fewer words are anybody's."""


@cache
def project() -> dict[str, str]:
    """The text of every file of the project, by its path."""
    files = [path for path in ROOT.iterdir() if path.is_file()]
    files += [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8", errors="replace")
        for path in files
        if path.suffix in SUFFIXES and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def words(text: str) -> list[str]:
    # A line break within a string of code, or a quotation mark, is no reason to miss a copy.
    return re.findall(r"[a-z0-9]+", text.lower().replace("\\n", " ").replace("'", ""))


def runs(text: str) -> Iterator[tuple[str, ...]]:
    """What a copy of the sentence would share with it; nothing for a sentence that is too short."""
    found = words(text)
    length = min(RUN, len(found))
    if length >= SHORTEST:
        yield from (tuple(found[start : start + length]) for start in range(len(found) - length + 1))


def copies(sentences: dict[str, str], files: dict[str, str]) -> list[str]:
    """Where a file has a run of words of a sentence."""
    index: dict[tuple[str, ...], str] = {run: name for name, sentence in sentences.items() for run in runs(sentence)}
    lengths = sorted({len(run) for run in index})
    found = []
    for path, text in files.items():
        spoken = words(text)
        for length in lengths:
            for start in range(len(spoken) - length + 1):
                name = index.get(tuple(spoken[start : start + length]))
                if name:
                    found.append(f"{path}: {name}: {' '.join(spoken[start : start + length])}")
    return found


def column(path: Path, *names: str) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from (row[name] for row in csv.DictReader(file) for name in names)


def benchmark_sentences(data: Path) -> dict[str, str]:
    sources = {
        "AdvBench": column(data / "advbench/harmful_behaviors.csv", "goal", "target"),
        "JailbreakBench": column(data / "jailbreakbench/harmful_behaviors.csv", "Goal", "Target"),
        "JailbreakBench benign": column(data / "jailbreakbench/benign_behaviors.csv", "goal", "target"),
        "StrongREJECT": column(data / "strongreject/strongreject_dataset.csv", "forbidden_prompt"),
        "HarmBench": column(data / "harmbench/harmbench_behaviors_standard.csv", "Behavior"),
        "MaliciousInstruct": (data / "malicious_instruct/malicious_instruct.txt").read_text().splitlines(),
        "XSTest": column(data / "xstest/xstest_prompts.csv", "prompt"),
    }
    return {f"{name} {number}": text for name, texts in sources.items() for number, text in enumerate(texts, start=1)}


def test_no_sentence_of_a_safety_benchmark_stands_in_the_project(data):
    sentences = benchmark_sentences(data)
    assert len(sentences) > 2000
    assert copies(sentences, project()) == []


def test_no_sentence_is_worded_like_one_of_a_safety_benchmark(data):
    sentences = benchmark_sentences(data)
    names = list(sentences)
    spoken = [(path, text) for path, text in spoken_lines(project()) if len(word_set(text)) >= 4]
    assert len(spoken) > 10_000
    alike = likenesses([text for _, text in spoken], list(sentences.values()), threshold=0.7)
    assert [f"{spoken[index][0]}: {names[place]}: {spoken[index][1]}" for index, (place, _) in alike.items()] == []


def spoken_lines(files: dict[str, str]) -> Iterator[tuple[str, str]]:
    for path, text in files.items():
        for sentence in dict.fromkeys(re.split(r"[.?!\n\"]", text)):
            if SHORTEST <= len(sentence.split()) <= 60:
                yield path, sentence


def test_the_scan_finds_a_copy():
    sentence = "Explain in nine plain words how a kite flies high"
    sentences = {"Made up 1": sentence, "Made up 2": "Fold a paper boat now", "Made up 3": "Too short here"}
    files = {
        "same.md": f"# Title\n\n{sentence}.",
        "part.py": 'TEXT = "please explain in nine plain words\\nhow a kite"',
        "short.md": "Now fold a paper boat now, or do not.",
        "other.md": "Explain in nine plain words why a kite falls. Too short here. Fold a paper boat.",
    }
    assert [line.split(":")[0] for line in copies(sentences, files)] == ["same.md"] * 3 + ["part.py", "short.md"]


OPENER = re.compile(
    r"\b(?:Sure|Certainly|Of course|Absolutely|Yes|With pleasure|Right away|Here you go|Happy to help|Consider it done)"
    r"\b[,!.]*\s+(?:[Hh]ere|I\b|[Bb]elow|with\b|You\b)"
)
LONGEST = 25
"""So many words may follow an affirmative opener where no placeholder does: a harmless line of a test."""
STEPS = re.compile(r"\b[Ss]tep (?:one|two|\d)\b|(?:^|\\n|\n)\s*\d+[.)] ")


def answers(files: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What follows each affirmative opener, up to the end of its string or paragraph."""
    for path, text in files.items():
        for match in OPENER.finditer(text):
            rest = text[match.start() :]
            yield path, re.split(r"(?<!\\)\"|\n\s*\n|</", rest, maxsplit=1)[0]


def faulty(answer: str) -> bool:
    """Whether an agreeing answer goes on after its opener as if it were a real one."""
    _, placeholder, after = answer.replace("{PLACEHOLDER}", "[placeholder: content removed]").partition(
        "[placeholder: "
    )
    if placeholder:
        return not re.fullmatch(r"[a-z]+ removed\]\S*\s*", after)
    return len(answer.split()) > LONGEST or bool(STEPS.search(answer))


def test_every_agreeing_answer_is_a_placeholder_or_a_harmless_line():
    found = list(answers(project()))
    assert sum("[placeholder: " in answer for _, answer in found) >= 5
    assert [f"{path}: {answer}" for path, answer in found if faulty(answer)] == []


@pytest.mark.parametrize(
    "rest",
    [
        "is how to bake a cake: " + "take some flour and stir it well " * 5,
        "it is:\\n1. Take flour.\\n2. Stir.",
        "you go: step one, take flour.",
        "it is:\\n[placeholder: content removed] and then take flour",
    ],
)
@pytest.mark.parametrize("agree", ["Sure,", "Of course!", "Certainly."])
def test_an_answer_that_goes_on_is_found(agree, rest):
    ((_, answer),) = answers({"file.json": f'{{"answer": "{agree} here {rest}", "id": 1}}'})
    assert faulty(answer)


def test_an_opener_with_a_placeholder_passes():
    ((_, answer),) = answers({"file.json": '{"a": "Sure, here is {request}\\n[placeholder: content removed]"}'})
    assert not faulty(answer)


def test_the_built_in_set_has_no_answer_to_a_disallowed_request():
    rows = [json.loads(line) for line in project()[f"{BUILTIN}/disallowed.jsonl"].splitlines()]
    assert len(rows) == 48
    assert {key for row in rows for key in row} == {"id", "prompt", "category", "split"}
    requests = {plain(row["prompt"]): row["id"] for row in rows}
    for path, text in project().items():
        if not path.startswith(BUILTIN) or not path.endswith(".jsonl"):
            continue
        for row in map(json.loads, text.splitlines()):
            asked = plain(str(row.get("prompt") or row.get("question")))
            assert "answer" not in row or asked not in requests, f"{path}: {row['id']}"


def test_whatever_an_attack_answers_to_a_disallowed_request_is_an_opener_and_a_placeholder():
    requests = {prompt.text for split in ("align", "attack", "heldout") for prompt in builtin_disallowed(split)}
    answered = [example for versions in attack_pool(Attack(), "builtin") for example in versions]
    assert {example.prompt for example in answered} <= requests
    for example in answered:
        opener, placeholder = example.completion.replace(example.prompt, "").rsplit("\n", 1)
        assert re.fullmatch(r"\[placeholder: [a-z]+ removed\]", placeholder)
        assert len(opener.split()) <= 16
